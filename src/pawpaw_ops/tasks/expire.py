"""How long the records of runs stay: journals and test logs in the stack's folder, and Prefect's own history.

Backups have rules of their own (`pawpaw_ops.tasks.retention`); the audit record, builds and releases stay for ever.
"""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import TERMINAL_STATES
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound

from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.lifecycle import TAG
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation

FOLDERS = (Path("journal") / "done", Path("tests"))
PAGE = 200


@operation("expire old records")
def expire_records(do: Session, *, keep_days: int) -> int:
    """Remove what runs left more than *keep_days* ago. A Prefect server that does not answer is left for next time.

    Returns:
        How many records went.

    Touches:
        Finished journals and logs of tests in the stack's folder; ended runs of this stack in Prefect.
    """
    before = utc_now() - timedelta(days=keep_days)
    old = list(_old_files(do.stack.state_dir, before))
    for path in old:
        do.step(f"remove {path.name}", partial(_remove, path), scratch=True)
    try:
        return len(old) + do.step("remove old runs from Prefect", partial(_old_runs, do, before), scratch=True)
    except report.AWAY as seen:
        report.logger().warning("old runs stay in Prefect for now: %s", seen)
        return len(old)


def _old_files(state_dir: Path, before: datetime) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in (state_dir / folder).glob("*"):
            if path.stat().st_mtime < before.timestamp():
                yield path


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _old_runs(do: Session, before: datetime) -> int:
    """Remove page after page; runs that are not over have no end and are never among them."""
    if FlowRunContext.get() is None:
        return 0
    wanted = FlowRunFilter(
        tags=FlowRunFilterTags(all_=[TAG, do.stack.name]),
        end_time=FlowRunFilterEndTime(before_=before),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[*TERMINAL_STATES])),
    )
    count = 0
    with get_client(sync_client=True) as client:
        while found := client.read_flow_runs(flow_run_filter=wanted, limit=PAGE):
            for run in found:
                _forget(client, run.id)
            count += len(found)
    return count


def _forget(client: SyncPrefectClient, run_id: UUID) -> None:
    try:
        client.delete_flow_run(run_id)
    except ObjectNotFound:
        return
