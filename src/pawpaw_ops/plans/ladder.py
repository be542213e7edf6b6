"""The ladder of proof: its rungs, what can be found on each, and what that makes of a backup.

A rung that was not reached is *not verified*, and so is the whole climb: nothing is green by omission. A finding that
says nothing against the backup itself (time taken, collation of another machine, old data) is an alarm and leaves it
green.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from pydantic import Field

from pawpaw_ops.models.backup import CatalogEntry
from pawpaw_ops.models.base import Noun, Verdict

RUNGS: Mapping[int, str] = MappingProxyType(
    {
        0: "the stored bytes are those of the manifest",
        1: "they open with the key, decode, and hold every row",
        2: "they load into a server of their own",
        3: "structure and properties are as recorded",
        4: "every table's content is as recorded",
        5: "constraints, sequences, indexes and collation hold",
        6: "the questions to a healthy database are answered",
        7: "it takes writes",
        8: "it took no longer than allowed",
    }
)
"""Level -> what it proves."""
TOP = max(RUNGS)
FAILED, UNSEEN, ALARM = Verdict.FAILED, Verdict.NOT_VERIFIED, Verdict.VERIFIED

CODES: Mapping[str, tuple[int, Verdict]] = MappingProxyType(
    {
        "store": (0, UNSEEN),
        "manifest": (0, FAILED),
        "size": (0, FAILED),
        "digest": (0, FAILED),
        "wrong-database": (0, FAILED),
        "room": (1, UNSEEN),
        "key": (1, UNSEEN),
        "sealed": (1, FAILED),
        "decode": (1, FAILED),
        "rows": (1, FAILED),
        "server": (2, UNSEEN),
        "version": (2, UNSEEN),
        "extension": (2, UNSEEN),
        "role": (2, FAILED),
        "search-path": (2, FAILED),
        "load": (2, FAILED),
        "structure": (3, FAILED),
        "property": (3, FAILED),
        "content": (4, FAILED),
        "recipe": (4, UNSEEN),
        "sequence": (5, FAILED),
        "invalid": (5, FAILED),
        "index": (5, FAILED),
        "collation": (5, ALARM),
        "empty": (6, FAILED),
        "smoke": (6, FAILED),
        "stale": (6, ALARM),
        "write": (7, FAILED),
        "budget": (8, ALARM),
    }
)
"""What can be found -> the rung where it is, and what it makes of the backup."""
OF_DIFFERENCE: Mapping[str, str] = MappingProxyType(
    {
        "table": "structure",
        "structure": "structure",
        "extension": "structure",
        "property": "property",
        "rows": "content",
        "content": "content",
        "large objects": "content",
        "recipe": "recipe",
        "sequence": "sequence",
        "invalid": "invalid",
    }
)
"""Kind of a difference between record and database -> what it is called here."""
OF_SQLSTATE: Mapping[str, str] = MappingProxyType(
    {
        "42883": "search-path",
        "42P01": "search-path",
        "42704": "role",
        "53100": "room",
        "53200": "server",
        "57P01": "server",
    }
)
"""SQLSTATE of a load that failed -> what it is called here. Source: postgresql.org/docs/15/errcodes-appendix.html."""


class Finding(Noun):
    """One thing that was found.

    Attributes:
        rung: Where.
    """

    code: str
    text: str
    rung: int

    @property
    def verdict(self) -> Verdict:
        """What it makes of the backup; *verified* for a mere alarm."""
        return CODES[self.code][1]


def finding(code: str, text: str, *, rung: int | None = None) -> Finding:
    """Return a finding, on the rung where such things are found unless another is named."""
    return Finding(code=code, text=text, rung=CODES[code][0] if rung is None else rung)


class RungResult(Noun):
    """One rung after a climb."""

    level: int
    proves: str
    verdict: Verdict
    duration_s: float
    findings: tuple[Finding, ...] = ()


class DrillRecord(Noun):
    """What a drill found about one backup; signed, it is the evidence.

    Attributes:
        at: When it ended.
        location: Where the bytes were read.
        manifest_sha256: Digest of the artefact as the manifest says.
        restore_s: Seconds from the first stored byte to a database that takes writes.
        database_bytes: What the live database took when it was backed up.
        jobs: Sessions that loaded side by side.
    """

    at: datetime
    run_id: str
    stack: str
    database: str
    backup_id: str
    location: str
    taken_at: datetime | None
    manifest_sha256: str
    verdict: Verdict
    rungs: tuple[RungResult, ...]
    restore_s: float
    database_bytes: int
    rows: int
    server_version_num: int
    jobs: int = Field(ge=1)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found, lowest rung first."""
        return tuple(finding for rung in self.rungs for finding in rung.findings)

    @property
    def level(self) -> int:
        """The highest rung up to which every one is verified; -1 for none."""
        missed = (rung.level for rung in self.rungs if rung.verdict is not Verdict.VERIFIED)
        return next(missed, TOP + 1) - 1

    @property
    def tier(self) -> str:
        """What its time may be compared with: the same major version, sessions, and power of ten of bytes."""
        power = math.ceil(math.log10(max(self.database_bytes, 1)))
        return f"PostgreSQL {self.server_version_num // 10000}, {self.jobs} jobs, up to 1e{power} bytes"


def results(findings: Iterable[Finding], seconds: Mapping[int, float]) -> tuple[RungResult, ...]:
    """Judge every rung.

    Args:
        findings: What was found.
        seconds: Rungs that were stood on -> how long, in seconds. All others are *not verified*.
    """
    found = list(findings)
    made = []
    for level, proves in RUNGS.items():
        here = tuple(finding for finding in found if finding.rung == level)
        worst = Verdict.worst([finding.verdict for finding in here]) if here else Verdict.VERIFIED
        verdict = worst if level in seconds or worst is not Verdict.VERIFIED else Verdict.NOT_VERIFIED
        duration_s = round(seconds.get(level, 0.0), 3)
        made.append(RungResult(level=level, proves=proves, verdict=verdict, duration_s=duration_s, findings=here))
    return tuple(made)


def verdict(rungs: Iterable[RungResult]) -> Verdict:
    """Judge a climb: failed if any rung failed, verified only if all are."""
    return Verdict.worst([rung.verdict for rung in rungs])


def over_budget(restore_s: float, budget_min: float | None) -> tuple[Finding, ...]:
    """Compare the measured time with what is allowed, in minutes; None allows any."""
    if budget_min is None or restore_s <= budget_min * 60:
        return ()
    return (finding("budget", f"the restore took {restore_s / 60:.1f} min, {budget_min:g} min are allowed."),)


def choose(entries: Sequence[CatalogEntry], wanted: str, *, rng: random.Random) -> tuple[CatalogEntry, ...]:
    """Choose what to drill: the newest and one random older, or the one that is wanted; each from a random location.

    Args:
        entries: What all locations have.
        wanted: `newest`, or an id.
        rng: Where chance comes from.
    """
    by_id: dict[str, list[CatalogEntry]] = {}
    for entry in entries:
        by_id.setdefault(entry.backup_id, []).append(entry)
    if wanted != "newest":
        return tuple(rng.choice(by_id[backup_id]) for backup_id in by_id if backup_id == wanted)
    usable = [copies for copies in by_id.values() if any(entry.verdict is not Verdict.FAILED for entry in copies)]
    usable.sort(key=lambda copies: (copies[0].taken_at, copies[0].backup_id))
    picked = [*usable[-1:], *([rng.choice(usable[:-1])] if len(usable) > 1 else [])]
    return tuple(rng.choice([e for e in copies if e.verdict is not Verdict.FAILED]) for copies in picked)


def standing(records: Sequence[DrillRecord], *, now: datetime, ttl_days: float) -> tuple[Verdict, str]:
    """Say what past drills still prove: an old green one proves nothing any more.

    Args:
        records: All drills.
        now: The time, aware.
        ttl_days: How long a verified drill counts, in days.
    """
    newest = max(records, key=lambda record: record.at, default=None)
    if newest is None:
        return Verdict.NOT_VERIFIED, "no backup was ever drilled."
    age = now - newest.at
    if newest.verdict is Verdict.VERIFIED and age > timedelta(days=ttl_days):
        return Verdict.NOT_VERIFIED, f"the last drill is {age / timedelta(days=1):.1f} d old; it counts {ttl_days:g} d."
    return newest.verdict, f"backup {newest.backup_id} was drilled at {newest.at:%Y-%m-%dT%H:%MZ}: {newest.verdict}."


def trend(records: Iterable[DrillRecord], like: DrillRecord) -> tuple[DrillRecord, ...]:
    """Return the verified drills whose times compare with *like*'s, oldest first."""
    found = (record for record in records if record.verdict is Verdict.VERIFIED and record.tier == like.tier)
    return tuple(sorted(found, key=lambda record: record.at))
