"""Which backups expire: driven by what is verified, never by a count of files.

A backup may go when all of this holds: it is older than the window, not pinned, not in use, enough verified newer ones
are here and one is elsewhere, and nothing says that backups fail or that the clock lies. It is marked first and removed
when the grace is over. Counts only ever protect; age alone lets go, so that hostile additions push out nothing honest.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pawpaw_ops.models.backup import CatalogEntry, id_time
from pawpaw_ops.models.base import Noun, Verdict
from pawpaw_ops.models.store import StoreSettings

SKEW = timedelta(minutes=5)
"""Two clocks may differ by this much before one of them is called wrong."""
DAY = timedelta(days=1)
JUMP = DAY
"""What a pause between backups may exceed twice their interval by before it counts as a hole."""
REAP_H = 24.0
"""How old an unpublished leftover must be before it is removed, in hours."""


class Action(StrEnum):
    """What to do with one backup."""

    KEEP = "keep"
    MARK = "mark"
    UNMARK = "unmark"
    REMOVE = "remove"


class Decision(Noun):
    """What to do with one backup, and why, as a sentence."""

    backup_id: str
    action: Action
    reason: str


class RetentionPlan(Noun):
    """What to do with the backups of one location.

    Attributes:
        decisions: One per backup, oldest first.
        frozen: Why nothing may expire now; empty when it may.
        recheck: Backups whose stored bytes must be read and hashed again before what is due may be removed. Hash
            them, write a failed proof for each bad one, plan again with the good ones in *rehashed*.
    """

    decisions: tuple[Decision, ...] = ()
    frozen: str = ""
    recheck: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[Decision, ...]:
        """The decisions that change something, oldest backup first; `()` when all is as it should be."""
        return tuple(decision for decision in self.decisions if decision.action is not Action.KEEP)


def plan(
    entries: Iterable[CatalogEntry[Any]],
    *,
    others: Mapping[str, Iterable[CatalogEntry[Any]]],
    settings: StoreSettings,
    now: datetime,
    in_use: Collection[str] = (),
    rehashed: Collection[str] = (),
    emergency: bool = False,
) -> RetentionPlan:
    """Decide for every backup of one location.

    Args:
        entries: The backups of this location.
        others: Name of another location -> its backups; one that did not answer has none. Empty: there is no other.
        settings: Window, floor, grace and interval.
        now: The time, aware.
        in_use: Ids that a running restore or drill reads.
        rehashed: Ids whose stored bytes were just found good.
        emergency: The disk is full: neither age, grace nor freeze hold what is verified in another location, and
            nothing else is removed. The floor, pins and uses hold as ever. Stop removing when there is room enough.
    """
    world = _World(entries, others=others, settings=settings, now=now, in_use=in_use, emergency=emergency)
    held = {entry.backup_id: world.held(entry, newer) for entry, newer in world.ranked()}
    frozen = "" if emergency else world.frozen(any_due=not all(held.values()))
    floor_read = world.floor <= set(rehashed)
    decisions, waits = [], False
    for entry in reversed(world.newest_first):
        reason = held[entry.backup_id] or (frozen and f"expired, but nothing is removed now: {frozen}")
        if reason:
            unmark = entry.marked_at is not None and not emergency
            action = Action.UNMARK if unmark else Action.KEEP
        else:
            action, reason = world.expire(entry, floor_read=floor_read)
            waits = waits or (action is Action.KEEP and not floor_read and world.grace_over(entry))
        decisions.append(Decision(backup_id=entry.backup_id, action=action, reason=reason))
    recheck = tuple(sorted(world.floor - set(rehashed))) if waits else ()
    return RetentionPlan(decisions=tuple(decisions), frozen=frozen, recheck=recheck)


def leftovers(
    unpublished: Iterable[str], *, now: datetime, running: Collection[str] = (), reap_h: float = REAP_H
) -> tuple[Decision, ...]:
    """Decide for what lies in a location without a manifest: dead runs, half-removed backups.

    Backups that fail for want of room are why this does not stop when the rest is frozen.

    Args:
        unpublished: Their ids.
        now: The time, aware.
        running: Ids that a live run is making.
        reap_h: What is younger stays, in hours.
    """
    made = []
    for backup_id in sorted(unpublished):
        age = _utc(now) - id_time(backup_id)
        if backup_id in running:
            action, reason = Action.KEEP, "a run is making it."
        elif age <= timedelta(hours=reap_h):
            action, reason = Action.KEEP, f"without a manifest, {_span(age)} old; removed after {reap_h:g} h."
        else:
            action, reason = Action.REMOVE, f"without a manifest, {_span(age)} old, and no run is making it."
        made.append(Decision(backup_id=backup_id, action=action, reason=reason))
    return tuple(made)


class _World:
    """One location as the rules see it."""

    def __init__(
        self,
        entries: Iterable[CatalogEntry[Any]],
        *,
        others: Mapping[str, Iterable[CatalogEntry[Any]]],
        settings: StoreSettings,
        now: datetime,
        in_use: Collection[str],
        emergency: bool,
    ) -> None:
        self.settings, self.now, self.emergency = settings, _utc(now), emergency
        self.in_use = frozenset(in_use)
        self.newest_first = sorted(entries, key=lambda entry: (_utc(entry.taken_at), entry.backup_id), reverse=True)
        self.verified = [entry for entry in self.newest_first if self._counts(entry)]
        self.floor = frozenset(entry.backup_id for entry in self.verified[: settings.keep_verified])
        self.has_others = bool(others)
        elsewhere = [entry for found in others.values() for entry in found if self._counts(entry)]
        self.elsewhere = frozenset(entry.backup_id for entry in elsewhere)
        self.newest_elsewhere = max((_utc(entry.taken_at) for entry in elsewhere), default=None)

    def ranked(self) -> Sequence[tuple[CatalogEntry[Any], int]]:
        """Return every backup with the number of verified ones newer than it."""
        made, newer = [], 0
        for entry in self.newest_first:
            made.append((entry, newer))
            newer += self._counts(entry)
        return made

    def held(self, entry: CatalogEntry[Any], newer: int) -> str:
        """Return why a backup stays whatever else happens; empty when it may go."""
        return self._kept(entry) or self._young(entry) or self._needed(entry, newer)

    def _kept(self, entry: CatalogEntry[Any]) -> str:
        if entry.pinned:
            return "pinned."
        if entry.backup_id in self.in_use:
            return "a restore or drill uses it."
        if self._in_future(entry):
            return f"its time lies {_span(-self._age(entry))} in the future; it is set aside and counts for nothing."
        return ""

    def _young(self, entry: CatalogEntry[Any]) -> str:
        if self.emergency:
            here_alone = entry.backup_id not in self.elsewhere
            return "not verified in another location; an emergency removes only what is." if here_alone else ""
        young = self._age(entry) <= timedelta(days=self.settings.keep_days)
        return f"{_span(self._age(entry))} old; kept for {self.settings.keep_days} d." if young else ""

    def _needed(self, entry: CatalogEntry[Any], newer: int) -> str:
        if newer < self.settings.keep_verified:
            return (
                f"{_span(self._age(entry))} old, but {newer} newer verified backups are here and"
                f" {self.settings.keep_verified} must be."
            )
        if self.has_others and (self.newest_elsewhere is None or self.newest_elsewhere < _utc(entry.taken_at)):
            return f"{_span(self._age(entry))} old, but no other location has a verified backup that is as new."
        return ""

    def frozen(self, *, any_due: bool) -> str:
        """Return why nothing may expire now; empty when it may."""
        if self.newest_first and self._in_future(self.newest_first[0]):
            newest = self.newest_first[0]
            return (
                f"backup {newest.backup_id} says {_stamp(newest.taken_at)}, but this clock says {_stamp(self.now)}:"
                " the clock went back, or that manifest lies."
            )
        if not self.verified:
            return "no backup here is verified." if self.newest_first else ""
        newest, limit = self.verified[0], 2 * timedelta(hours=self.settings.interval_h)
        if self._age(newest) > limit:
            return (
                f"the newest verified backup {newest.backup_id} is {_span(self._age(newest))} old, the limit is"
                f" {_span(limit)}: backups fail, or the clock jumped."
            )
        if newest.manifest is not None and newest.manifest.alarms:
            return f"the newest verified backup {newest.backup_id} has an alarm: {newest.manifest.alarms[0]}"
        return self._hole(limit + JUMP) if any_due else ""

    def _hole(self, limit: timedelta) -> str:
        """Return what is odd about a pause inside the window that was longer than the time since.

        A clock that jumped ahead makes all honest backups look old once one was taken under it; so does an outage.
        """
        start = self.now - timedelta(days=self.settings.keep_days)
        for newer, older in zip(self.verified, self.verified[1:], strict=False):
            at = _utc(newer.taken_at)
            gap = at - max(_utc(older.taken_at), start)
            if gap > limit and self.now - at < gap:
                return (
                    f"no verified backup was made between {_stamp(older.taken_at)} and {_stamp(at)}, or the clock"
                    " jumped; nothing expires before backups were made for as long again."
                )
            if at < start:
                break
        return ""

    def expire(self, entry: CatalogEntry[Any], *, floor_read: bool) -> tuple[Action, str]:
        """Return the next of the two steps for a backup that may go."""
        words = f"{_span(self._age(entry))} old"
        if self.emergency:
            words += ", verified in another location, and room is needed"
        if self._marked_at(entry) is None and not self._no_grace():
            return Action.MARK, f"{words}; removed in {self.settings.grace_h:g} h."
        if not self.grace_over(entry):
            return (
                Action.KEEP,
                f"{words}, marked {_stamp(entry.marked_at)}; removed {self.settings.grace_h:g} h after that.",
            )
        if not floor_read:
            return Action.KEEP, f"{words}; removed once the newest verified backups were read again and found good."
        return Action.REMOVE, f"{words}; {len(self.floor)} newer verified backups were read again and stay."

    def grace_over(self, entry: CatalogEntry[Any]) -> bool:
        """Whether a backup that may go was marked long enough ago."""
        marked_at = self._marked_at(entry)
        grace = timedelta(hours=self.settings.grace_h)
        return self._no_grace() or (marked_at is not None and self.now - marked_at >= grace)

    def _marked_at(self, entry: CatalogEntry[Any]) -> datetime | None:
        """Return when it was marked; a mark from the future is none."""
        marked_at = _utc(entry.marked_at) if entry.marked_at is not None else None
        return marked_at if marked_at is not None and marked_at <= self.now + SKEW else None

    def _no_grace(self) -> bool:
        return self.emergency or self.settings.grace_h == 0

    def _counts(self, entry: CatalogEntry[Any]) -> bool:
        return entry.verdict is Verdict.VERIFIED and entry.manifest is not None and not self._in_future(entry)

    def _in_future(self, entry: CatalogEntry[Any]) -> bool:
        return _utc(entry.taken_at) > self.now + SKEW

    def _age(self, entry: CatalogEntry[Any]) -> timedelta:
        return self.now - _utc(entry.taken_at)


def _utc(at: datetime) -> datetime:
    """Return a time in UTC, so that differences are real and not by the clock on the wall."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


def _stamp(at: datetime | None) -> str:
    return _utc(at).strftime("%Y-%m-%dT%H:%MZ") if at else "never"


def _span(age: timedelta) -> str:
    return f"{age / DAY:.1f} d" if abs(age) >= 2 * DAY else f"{age / timedelta(hours=1):.1f} h"
