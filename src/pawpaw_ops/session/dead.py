"""What dead runs left behind."""

from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.session import undo as undoing
from pawpaw_ops.session.audit import append
from pawpaw_ops.session.journal import Step, dead, finish
from pawpaw_ops.session.verdict import not_cleared


def recover(stack: StackSettings, *, run_id: str) -> list[str]:
    """Undo what dead runs left behind; the caller holds the stack's lock.

    Returns:
        The ids of the runs that were cleared up.

    Raises:
        HalfDone: An undo failed; the others of its run were carried out all the same, and the journal stays.
        PreconditionError: Only something temporary could not be removed; its journal stays too.

    Touches:
        Whatever those journals say.
    """
    cleared = []
    for path, steps in dead(stack.state_dir):
        failed: list[tuple[Step, Exception]] = []
        for step in undoing.newest_first(steps):
            if why := undoing.attempt(step, stack, run_id=run_id, failed=failed):
                failed.append((step, why))
        if failed:
            raise not_cleared(path.stem, failed) from failed[0][1]
        finish(path)
        append(stack, {"run_id": path.stem, "result": "recovered", "by": run_id, "steps": [s.name for s in steps]})
        cleared.append(path.stem)
    return cleared
