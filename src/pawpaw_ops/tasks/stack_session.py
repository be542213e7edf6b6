"""The session of `pawpaw_ops.session` inside a flow run: its id, its starter, and the queue that the UI shows."""

import contextlib
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager

from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency
from prefect.context import FlowRunContext

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.session import Session, open_session
from pawpaw_ops.tasks.dead_runs import show_as_crashed
from pawpaw_ops.tasks.metrics import tell_of_runs
from pawpaw_ops.tasks.report import logger

QUEUE_S = 5.0
LEASE_S = 60.0


def limit_name(stack: str) -> str:
    """Return the name of a stack's global concurrency limit."""
    return f"pawpaw-{stack}"


@contextlib.contextmanager
def stack_session(stack: StackSettings, *, verb: str, purpose: str, exclusive: bool = True) -> Iterator[Session]:
    """Work on a stack from a flow: see `pawpaw_ops.session.open_session`, whose errors it raises.

    Touches:
        The stack's folder, one slot of its global concurrency limit, the numbers of its runs for Prometheus.
    """
    run_id, actor = _who()

    def queue() -> AbstractContextManager[None]:
        return _queue(stack.name)

    try:
        with open_session(
            stack,
            verb=verb,
            purpose=purpose,
            run_id=run_id,
            actor=actor,
            queue=queue if exclusive else contextlib.nullcontext,
            exclusive=exclusive,
            head_start_s=_head_start_s(),
        ) as do:
            show_as_crashed(do.recovered, by=run_id)
            yield do
    finally:
        tell_of_runs(stack)


def _head_start_s() -> float:
    """Return how long ago the flow run began, in seconds; its blocks were loaded since."""
    context = FlowRunContext.get()
    return max(0.0, (utc_now() - context.start_time).total_seconds()) if context else 0.0


def _who() -> tuple[str, str]:
    context = FlowRunContext.get()
    flow_run = context.flow_run if context else None
    if flow_run is None:
        return secrets.token_hex(8), "a terminal"
    creator = flow_run.created_by
    actor = (creator.display_value or creator.type or "") if creator else ""
    return f"{flow_run.id.hex[-12:]}{secrets.token_hex(2)}", actor or f"flow run {flow_run.name}"


@contextlib.contextmanager
def _queue(stack: str) -> Iterator[None]:
    """Hold the stack's slot, so that the UI shows who waits; the `flock` stays the real guard.

    A slot that does not come free within 5 s belongs to a dead run or to a living one; the lock tells which. A server
    that is away stops nobody. One that answers that it has no such slot was never told of the stack.

    Raises:
        PreconditionError: The server has no such limit.
    """
    if FlowRunContext.get() is None:
        yield
        return
    slot = contextlib.ExitStack()
    try:
        slot.enter_context(
            concurrency(
                limit_name(stack),
                occupy=1,
                strict=True,
                timeout_seconds=QUEUE_S,
                lease_duration=LEASE_S,
                raise_on_lease_renewal_failure=False,
            )
        )
    except (TimeoutError, ConcurrencySlotAcquisitionError) as seen:
        if isinstance(seen, ConcurrencySlotAcquisitionError) and seen.__cause__ is None:
            raise PreconditionError(  # without a cause it was not the way there that failed: the server answered
                f"the Prefect server has no limit {limit_name(stack)!r} in force, by which its runs queue.",
                hint="`pawpaw apply FILE` makes it; in the UI it must be active.",
            ) from seen
        logger().warning("the stack's slot in the UI was not to be had (%s); its lock decides", seen)
    try:
        yield
    finally:
        _give_back(slot)


def _give_back(slot: contextlib.ExitStack) -> None:
    """Let the slot go; where the server is away its lease ends by itself, and what was done here is done."""
    try:
        slot.close()
    except Exception as seen:  # noqa: BLE001 - whatever the client raises says nothing of the stack
        logger().warning("the stack's slot in the UI could not be given back (%s); it comes free by itself", seen)
