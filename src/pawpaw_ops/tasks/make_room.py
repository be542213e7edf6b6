"""Room on the engine's disk for a deploy: what `prune` would remove by itself goes, and nothing else."""

from collections.abc import Collection

from pawpaw_ops.clients.inventory import engine_disk
from pawpaw_ops.errors import PreconditionError, Unreachable
from pawpaw_ops.models.base import Noun, Verdict
from pawpaw_ops.plans import growth, preflight
from pawpaw_ops.plans.preflight import DISK, Finding
from pawpaw_ops.plans.prune import Limits
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import prune, prune_look, report
from pawpaw_ops.tasks.operation import operation

LIMITS = Limits()
"""Those of `prune` when nobody says others."""
SHOWS = "`prune` shows what fills the disk and what may go."


class Room(Noun):
    """What the disk has, and what to do where that is not enough."""

    finding: Finding
    hint: str = ""


def look_at_disk(do: Session, coming_bytes: int | None = 0) -> Finding:
    """Look at the engine's disk, which this host sees where the engine is this host's.

    Args:
        do: The session.
        coming_bytes: What else must find room on it; None where nobody knows.
    """
    try:
        return preflight.disk(engine_disk(do.stack.its_project().engine), coming_bytes)
    except Unreachable as seen:
        return preflight.unknown(DISK, seen.message)


@operation("make room")
def make_room(do: Session, needed: Collection[str], *, coming_bytes: int | None = 0) -> Room:
    """Look at the disk; where it is too full, remove the images that nobody needs and look again.

    Args:
        do: The session; nothing is committed by this, and nothing of it is taken back.
        needed: References of all images that shall run when the deploy is over: they stay, whatever their age.
        coming_bytes: As in `look_at_disk`.

    Returns:
        What the disk has now. It failed where that is too little still, and says what went and what holds most.

    Raises:
        ConfigError: A record cannot be read, so that it cannot be told what is needed.
        VerificationError: A release cannot be gone back to any more that could be before.

    Touches:
        Images and ended one-off containers, as in `prune` with the flow's own defaults; artifacts in Prefect.
    """
    before = look_at_disk(do, coming_bytes)
    if before.verdict is not Verdict.FAILED:
        return Room(finding=before)
    report.logger().warning("%s: what nobody needs goes first", before.says)
    try:
        seen = prune_look.look(do, LIMITS, needed=needed)
        prune_look.show(do, seen)
        prune_look.check_wanted(seen, plan="", above_percent=0)
    except PreconditionError as said:
        return Room(finding=_and(before, said.message), hint=said.hint or SHOWS)
    lacking = prune.lacking(do, seen, LIMITS)  # no fault of what goes now, and maybe what is to be fetched
    removed = prune.remove(do, seen)
    prune.report_removed(do, seen, removed, prune.rehearse(do, seen, LIMITS, lacking=lacking))
    after = look_at_disk(do, coming_bytes)
    if after.verdict is not Verdict.FAILED:
        return Room(finding=after)
    freed = report.human_bytes(prune.freed_bytes(do, seen))
    most, remedy = growth.fills(seen.held)
    return Room(
        finding=_and(after, f"{len(removed.gone)} images were removed, which freed {freed}; what holds most is {most}"),
        hint=remedy,
    )


def _and(found: Finding, more: str) -> Finding:
    return found.model_copy(update={"says": f"{found.says}; {more.rstrip('.')}"})
