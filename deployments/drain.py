"""Before a worker is stopped: ending it kills what it runs, so its runs end first."""

import time
from collections.abc import Callable

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound

from deployments.apply import POOL
from pawpaw_ops.errors import ConfigError, PreconditionError

POLL_S = 1.0
ALIVE = [StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
"""States in which a run has a process; one that waits for approval has one too."""


def alive(client: SyncPrefectClient, pool: str) -> list[str]:
    """Return the names of a pool's runs that have a process, each with how it stands."""
    found = client.read_flow_runs(
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool])),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=ALIVE))),
    )
    return sorted(f"{run.name} ({run.state.name if run.state else 'new'})" for run in found)


def drain(client: SyncPrefectClient, *, timeout_s: float, say: Callable[[str], None], pool: str = POOL) -> None:
    """Let nothing new begin, and wait until what runs has ended. The pool stays paused.

    Args:
        client: Of the server.
        timeout_s: Longest wait, in seconds.
        say: Told whom it waits for, whenever that changes.
        pool: The work pool.

    Raises:
        ConfigError: There is no such pool.
        PreconditionError: Something still runs when the time is over.

    Touches:
        The pool, which is paused.
    """
    try:
        client.update_work_pool(pool, WorkPoolUpdate(is_paused=True))
    except ObjectNotFound as seen:
        raise ConfigError(f"there is no work pool {pool!r}.", hint="`pawpaw apply` makes it.") from seen
    until, before = time.monotonic() + timeout_s, None
    while left := alive(client, pool):
        if time.monotonic() > until:
            raise PreconditionError(
                f"the pool {pool} is paused, and after {timeout_s:g} s still has {', '.join(left)}.",
                hint="Cancel it, or answer it with `pawpaw approve`; of a run whose process is dead `recover` says so.",
            )
        if left != before:
            say(f"waiting for {', '.join(left)}")
        before = left
        time.sleep(POLL_S)
    say(f"the pool {pool} is paused and nothing runs")
