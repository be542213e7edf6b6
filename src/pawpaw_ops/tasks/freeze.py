"""Steps that freeze a stack, and let it be changed again."""

from pawpaw_ops.models.base import utc_now
from pawpaw_ops.session import Session
from pawpaw_ops.session import freeze as frost
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation


@operation("freeze")
def freeze_stack(do: Session, reason: str) -> str:
    """Let nothing change the stack until `unfreeze`; a run that is under way ends in its own time.

    Touches:
        `freeze.json` in the stack's folder.
    """
    why = frost.Freeze(reason=reason, by=do.who.actor, since=utc_now())
    do.step("freeze", lambda: frost.freeze(do.stack.state_dir, why))
    do.commit("frozen")
    report.logger().warning("%s is frozen: %s", do.stack.name, reason or "no reason given")
    return f"frozen since {why.since:%Y-%m-%dT%H:%M:%SZ}"


@operation("unfreeze")
def unfreeze_stack(do: Session) -> str:
    """Let the stack be changed again.

    Touches:
        `freeze.json` in the stack's folder.
    """
    do.step("unfreeze", lambda: frost.freeze(do.stack.state_dir, None))
    do.commit("not frozen")
    return "not frozen"
