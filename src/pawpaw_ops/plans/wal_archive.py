"""How far the archive of write-ahead log may be cut: to what nobody asks for any more and is old as well."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pawpaw_ops.models.base import Noun

KEEP_H = 72.0
"""How long a segment stays whoever has read it: a weekend in which nobody looks, in hours."""


class Segment(Noun):
    """One file of the archive.

    Attributes:
        name: 24 hexadecimal digits, perhaps with `.partial` after them.
        archived_at: When it was put there.
    """

    name: str
    size_bytes: int
    archived_at: datetime


class Reader(Noun):
    """Somebody who reads write-ahead log.

    Attributes:
        who: As people say it.
        needs: The oldest segment that it may still ask for; None where nobody can say.
    """

    who: str
    needs: str | None


class ArchivePlan(Noun):
    """What may go, and what holds the rest.

    Attributes:
        anchor: The oldest segment that stays, whether it is there or not.
        going: What is older than that.
        size_bytes: Of all that is there now.
        held_by: For whose sake the anchor is not newer.
        unknown: Why nothing may go; empty where all that must be known is.
    """

    anchor: str = ""
    going: tuple[Segment, ...] = ()
    size_bytes: int = 0
    held_by: str = ""
    unknown: str = ""

    @property
    def frees_bytes(self) -> int:
        """What comes free."""
        return sum(one.size_bytes for one in self.going)


def plan_archive(found: Sequence[Segment], readers: Sequence[Reader], *, keep: timedelta, now: datetime) -> ArchivePlan:
    """Decide what may go; where it is not known what one reader needs, nothing.

    Age alone lets nothing go, and what a reader needs protects whatever its age; a file from the future is young.

    Args:
        found: What is in the archive.
        readers: Everybody who may read from it; the server itself is one.
        keep: How long everything stays.
        now: The time.
    """
    size = sum(one.size_bytes for one in found)
    if lost := [one.who for one in readers if one.needs is None]:
        return ArchivePlan(size_bytes=size, unknown=f"nobody can say what {', '.join(lost)} may still ask for")
    bounds = [(place(one.needs), one.needs[:24], one.who) for one in readers if one.needs is not None]
    if not bounds:
        return ArchivePlan(size_bytes=size, unknown="nobody is known to read it, not even the server")
    young = [one for one in found if one.archived_at > now - keep]
    bounds += [(place(one.name), one.name[:24], f"the last {keep.total_seconds() / 3600:g} h") for one in young]
    oldest, anchor, who = min(bounds)
    going = sorted((one for one in found if place(one.name) < oldest), key=lambda one: place(one.name))
    return ArchivePlan(anchor=anchor, going=tuple(going), size_bytes=size, held_by=who)


def place(name: str) -> str:
    """Return where a segment stands in the log, whatever the timeline: as pg_archivecleanup compares."""
    return name[8:24]
