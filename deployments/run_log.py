"""What a run wrote, as far as the server has it."""

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
    LogFilterTaskRunId,
    LogFilterTimestamp,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, Log, StateType
from prefect.client.schemas.sorting import LogSort, TaskRunSort

PAGE = 200
TAIL = 30
OVERLAP = timedelta(seconds=10)
"""Lines of different processes reach the server in another order than they were written in."""
LAG_S = 5.0
"""How long the last lines may take to get there; a run sends them every two seconds."""
EVERY_S = 0.25
LAST_LINE = "Finished in state"


def tail(client: SyncPrefectClient, run: FlowRun, *, lines: int = TAIL) -> str:
    """Return the last lines of a run's log."""
    return _tail(client, LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id])), lines)


def failing_task(client: SyncPrefectClient, run: FlowRun) -> tuple[str, str]:
    """Return the name of the task that failed last, and the last lines of its log; empty where none did."""
    failed = TaskRunFilterStateType(any_=[StateType.FAILED, StateType.CRASHED])
    found = client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])),
        task_run_filter=TaskRunFilter(state=TaskRunFilterState(type=failed)),
        sort=TaskRunSort.END_TIME_DESC,
        limit=1,
    )
    if not found:
        return "", ""
    return found[0].name, _tail(client, LogFilter(task_run_id=LogFilterTaskRunId(any_=[found[0].id])), TAIL)


def _tail(client: SyncPrefectClient, only: LogFilter, lines: int) -> str:
    found = client.read_logs(only, limit=lines, sort=LogSort.TIMESTAMP_DESC)
    return "\n".join(log.message for log in reversed(found))


class Follow:
    """Shows a run's lines as they come, each once."""

    def __init__(self, client: SyncPrefectClient, run_id: uuid.UUID, say: Callable[[str], None]) -> None:
        self.client, self.run_id, self.say = client, run_id, say
        self.ended = False
        self._seen: set[uuid.UUID] = set()
        self._until: datetime | None = None

    def show(self) -> None:
        """Show what is new."""
        while True:
            found = self._read()
            fresh = [log for log in found if log.id not in self._seen]
            for log in fresh:
                self._seen.add(log.id)
                self.ended = self.ended or log.message.startswith(LAST_LINE)
                self.say(f"  {log.timestamp:%H:%M:%S} {log.message}")
            if len(found) < PAGE or not fresh:
                return
            self._until = found[-1].timestamp

    def show_the_rest(self) -> None:
        """Show what still comes when the run has ended."""
        until = time.monotonic() + LAG_S
        self.show()
        while not self.ended and time.monotonic() < until:
            time.sleep(EVERY_S)
            self.show()

    def _read(self) -> list[Log]:
        after = self._until - OVERLAP if self._until else None
        only = LogFilter(
            flow_run_id=LogFilterFlowRunId(any_=[self.run_id]),
            timestamp=LogFilterTimestamp(after_=after) if after else None,
        )
        return self.client.read_logs(only, limit=PAGE, sort=LogSort.TIMESTAMP_ASC)
