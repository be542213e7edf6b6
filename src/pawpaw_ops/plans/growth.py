"""What fills the disk, and whether removing images helps against it."""

from collections.abc import Sequence

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.plans.preflight import Disk

CALM, TIGHT, FULL = 0.70, 0.85, 0.95
"""Shares of the disk in use from which one looks, acts, and is called."""
WORTH = 0.05
"""Share of what is too much that removing images must free to be worth it."""


class Held(Noun):
    """What one kind of thing takes on the disk.

    Attributes:
        what: Its name for people.
        size_bytes: None where nobody could say.
        says: Details, or why nobody could.
        remedy: What to do when it is this that grows.
    """

    what: str
    size_bytes: int | None
    says: str = ""
    remedy: str = ""


def used(disk: Disk) -> float:
    """Return the share of the disk that is in use, of bytes or of inodes, whichever is more.

    Raises:
        PreconditionError: The numbers cannot be true.
    """
    pairs = [(disk.bytes_free, disk.bytes_total)]
    if disk.inodes_total:
        pairs.append((disk.inodes_free, disk.inodes_total))
    if not all(0 <= free <= total and total for free, total in pairs):
        raise PreconditionError(
            f"the engine's disk is said to have {disk.bytes_free} of {disk.bytes_total} bytes and {disk.inodes_free} of"
            f" {disk.inodes_total} inodes free, which cannot be; nothing was removed."
        )
    return max(1 - free / total for free, total in pairs)


def stage(share: float) -> str:
    """Say how pressing it is."""
    if share >= FULL:
        return "emergencia: avise a una persona; lo protegido no se toca"
    if share >= TIGHT:
        return "apretado: conviene liberar"
    return "atento" if share >= CALM else "tranquilo"


def check_helps(disk: Disk, frees_bytes: int, held: Sequence[Held]) -> None:
    """Refuse to give the ways back away for nothing: where something else fills the disk, it is named.

    Raises:
        PreconditionError: The disk is tight, and what would come free is no matter.
    """
    too_much = disk.bytes_total * CALM
    excess = (disk.bytes_total - disk.bytes_free) - too_much
    if used(disk) < TIGHT or frees_bytes >= WORTH * excess:
        return
    named, remedy = fills(held)
    raise PreconditionError(
        f"the disk is {used(disk):.0%} full and removing images would free {_gib(frees_bytes)} of the {_gib(excess)}"
        f" that are too much: nothing was removed. What holds most is {named}.",
        hint=remedy,
    )


def fills(held: Sequence[Held]) -> tuple[str, str]:
    """Return what holds most of what somebody can do something about, and what to do about the first of it."""
    causes = sorted((one for one in held if one.size_bytes and one.remedy), key=lambda one: -(one.size_bytes or 0))
    named = "; ".join(f"{one.what}: {_gib(one.size_bytes or 0)}" for one in causes[:3]) or "unknown"
    return named, causes[0].remedy if causes else "Look for what grows: `du -x --max-depth=2 /var`."


def _gib(size_bytes: float) -> str:
    return f"{size_bytes / (1 << 30):.1f} GiB"
