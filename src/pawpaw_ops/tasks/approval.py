"""A person's yes: asked for in the Prefect UI with the numbers that matter, while the stack is free for others."""

from prefect.context import FlowRunContext
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from pydantic import Field

from pawpaw_ops.errors import NotApproved
from pawpaw_ops.session import Session
from pawpaw_ops.tasks.report import logger

APPROVE = "Resume the run in the UI and type the database's name, or `pawpaw approve RUN`; unattended: approve=true."

POLL_S = 2
"""How soon an answer is noticed, in seconds."""


class Approval(RunInput):
    """What the form asks. An empty answer is a no."""

    approve: bool = Field(default=False, description="Yes, do it.")
    type_the_name: str = Field(default="", description="Type the name of the database.")


def ask_for_approval(do: Session, *, question: str, name: str, approve: bool, timeout_h: float) -> str:
    """Pause the run until somebody answers. Call it from a flow's body, not from a task.

    Args:
        do: The session; unlocked while we wait.
        question: What will happen, with the numbers; markdown.
        name: What must be typed.
        approve: Whether it was approved beforehand.
        timeout_h: How long to wait, in hours.

    Returns:
        How it was approved.

    Raises:
        NotApproved: Nobody answered in time, the answer was no, or another name was typed.

    Touches:
        The run's state; the stack's lock is let go and taken again.
    """
    if approve:
        return "approved beforehand (approve=true)"
    if FlowRunContext.get() is None:
        raise NotApproved("nobody can be asked outside a flow run.", hint=APPROVE)
    logger().info("waiting for approval: %s", question)
    with do.unlocked("waiting for approval"):
        try:
            answer = pause_flow_run(
                wait_for_input=Approval.with_initial_data(description=question),
                timeout=int(timeout_h * 3600),
                poll_interval=POLL_S,
                key=do.run_id,  # of its own in each attempt, so that a run that is retried asks anew
            )
        except FlowPauseTimeout as seen:
            raise NotApproved(f"nobody answered within {timeout_h:g} h.", hint=APPROVE) from seen
    if not answer.approve or answer.type_the_name != name:
        said = f"typed {answer.type_the_name!r}" if answer.approve else "the answer was no"
        raise NotApproved(f"not approved: {said}; wanted was a yes and {name!r}.", hint=APPROVE)
    return "approved in the run"
