"""The one place that decides what an error says about the stack."""

from collections.abc import Sequence

from pawpaw_ops.errors import DiskTooSmall, HalfDone, OpsError, PreconditionError, Undone, Untouched, VerificationError
from pawpaw_ops.sealing import FULL
from pawpaw_ops.session.journal import Step

RUNBOOK = "Una corrida murió a medias"


def result_of(
    seen: BaseException, *, changed: bool, committed: bool, failed: Sequence[tuple[Step, Exception]]
) -> BaseException:
    """Return what leaves a session that ended with an error.

    Args:
        seen: The error.
        changed: Whether a change was begun and not committed.
        committed: Whether the stack is in its new state.
        failed: The steps that could not be undone, and why.
    """
    if isinstance(seen, OSError) and seen.errno in FULL:
        seen = DiskTooSmall(f"could not write {seen.filename}: {seen.strerror}.", hint="Make room on that disk.")
    if left := [f"{step.name}: {why}" for step, why in failed if not step.scratch]:
        return _half_done(
            f"{seen} And what was begun could not be undone: {'; '.join(left)}.", hint="Run any verb again to go on."
        )
    if not isinstance(seen, Exception):
        return seen
    if committed:
        done = isinstance(seen, OpsError) and not isinstance(seen, Untouched)
        return seen if done else VerificationError(f"the change is in place, but what follows it failed: {seen}")
    if changed:
        undone = Undone(f"{seen} Everything was undone; the stack is as before.")
        undone.cause_code = seen.code if isinstance(seen, OpsError) else type(seen).__name__
        return undone
    return seen


def not_cleared(run_id: str, failed: Sequence[tuple[Step, Exception]]) -> OpsError:
    """Return what is said of a dead run's steps: changes that could not be undone, or else scratch that stays."""
    hint = "Mend the cause and start any verb again; it goes on from here."
    if left := [f"{step.name!r} could not be undone: {why}" for step, why in failed if not step.scratch]:
        return _half_done(f"run {run_id} died, and its step {'; '.join(left)}", hint=hint)
    stays = "; ".join(f"{step.name!r} could not be cleared up: {why}" for step, why in failed)
    return PreconditionError(f"run {run_id} died, and {stays}", hint=hint)


def _half_done(message: str, *, hint: str) -> HalfDone:
    error = HalfDone(message, hint=hint)
    error.next_step = RUNBOOK
    return error
