"""Runs whose process is gone, for those who look at Prefect: it would show them as running for ever."""

from collections.abc import Sequence

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext
from prefect.states import Crashed

from pawpaw_ops.tasks.report import AWAY, logger

OPEN = [StateType.RUNNING, StateType.CANCELLING, StateType.PENDING]
TAIL = 12
"""Characters of Prefect's id that a run's id begins with, as `stack_session` makes it."""


def show_as_crashed(recovered: Sequence[str], *, by: str) -> None:
    """Say in Prefect that runs died whose journals were cleared up; a server that does not answer is no matter.

    Args:
        recovered: Our ids of them.
        by: Our id of the run that cleared up.

    Touches:
        The states of those runs.
    """
    if not recovered or FlowRunContext.get() is None:
        return
    tails = {one[:TAIL] for one in recovered}
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=OPEN))
    try:
        with get_client(sync_client=True) as client:
            for run in client.read_flow_runs(flow_run_filter=FlowRunFilter(state=state)):
                if run.id.hex[-TAIL:] in tails:
                    message = f"Its process is gone; what it had begun was cleared up by run {by}."
                    client.set_flow_run_state(run.id, Crashed(message=message), force=True)
    except AWAY as seen:
        logger().warning("Prefect was not told which runs had died: %s", seen)
