"""What is known against packages and base images, and whether another lock is better."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pawpaw_ops.errors import VerificationError
from pawpaw_ops.models.base import Noun, Verdict
from pawpaw_ops.models.finding import Severity, Weakness

LEVELS = {"critical": Severity.CRITICAL, "high": Severity.HIGH, "moderate": Severity.MODERATE}
OURS = "pawpaw-ops"
SOON = timedelta(days=90)
AWAY = "was not asked, or did not answer: nothing is known, which is not the same as nothing found"


class ReleaseLine(Noun):
    """One line of a product's releases, and the last day that it gets fixes; none where it names no date."""

    product: str
    line: str
    until: date | None = None
    note: str = ""


class Ends(Noun):
    """The table that stands beside this module, and the day as of which the shipped stack is held against it."""

    checked: date
    release: tuple[ReleaseLine, ...]


@cache
def ends() -> Ends:
    """Read it."""
    return Ends.model_validate(tomllib.loads((Path(__file__).parent / "eol.toml").read_text(encoding="utf-8")))


def parse_npm(part: str, found: Mapping[str, Any], lock: Mapping[str, Any]) -> tuple[Weakness, ...]:
    """Parse `npm audit --json`, version 2.

    Args:
        part: `backend`, `frontend`.
        found: What npm printed; of a registry that is away it has no list of vulnerabilities.
        lock: The lock that was asked about; it says which packages only development needs.
    """
    if "vulnerabilities" not in found:
        says = f"the registry {AWAY}{_status(found)}"
        return (_unknown("npm-audit", part, says, "Run it where the registry answers, or again later."),)
    advisories = {
        (name, _advisory(via)): (via, one)
        for name, one in found["vulnerabilities"].items()
        for via in one["via"]
        if isinstance(via, dict)
    }
    said = [
        Weakness(
            check=advisory,
            where=f"{part}: {name}",
            verdict=Verdict.FAILED,
            severity=LEVELS.get(via["severity"], Severity.LOW),
            says=f"{via['title']}{_only_development(name, lock)}",
            fix=_fix(one.get("fixAvailable")),
        )
        for (name, advisory), (via, one) in advisories.items()
    ]
    return tuple(said) or (_good("npm-audit", part, f"{len(lock.get('packages', ())) - 1} packages, nothing known"),)


def _status(found: Mapping[str, Any]) -> str:
    return f" (it answered {found['statusCode']})" if found.get("statusCode") else ""


def _advisory(via: Mapping[str, Any]) -> str:
    return str(via.get("url", "")).rpartition("/")[2] or str(via.get("source", "npm"))


def _only_development(name: str, lock: Mapping[str, Any]) -> str:
    places = [one for path, one in lock.get("packages", {}).items() if path.endswith(f"node_modules/{name}")]
    return " (sólo en desarrollo)" if places and all(one.get("dev") for one in places) else ""


def _fix(found: object) -> str:
    if isinstance(found, dict):
        major = ", a new major version" if found.get("isSemVerMajor") else ""
        return f"Take {found['name']} {found['version']}{major} in package.json."
    return "update=true takes it into the lock." if found else "No version mends it yet."


def versions(lock: Mapping[str, Any]) -> dict[str, str]:
    """Return where each package of a lock lies -> its version; npm writes the rest of a lock as it likes."""
    return {path: one.get("version", "") for path, one in lock.get("packages", {}).items() if path}


def parse_pip(found: Mapping[str, Any]) -> tuple[Weakness, ...]:
    """Parse `pip-audit --format json`; it knows no severities, so that each one counts as high."""
    if "dependencies" not in found:
        return (_unknown("pip-audit", OURS, f"the index {AWAY}", "Run it where the index answers."),)
    said = [
        Weakness(
            check=one["id"],
            where=f"{OURS}: {package['name']} {package['version']}",
            verdict=Verdict.FAILED,
            severity=Severity.HIGH,
            says=" ".join(one.get("description", "").split())[:200],
            fix=f"Take {' or '.join(one['fix_versions'])}." if one.get("fix_versions") else "No version mends it yet.",
        )
        for package in found["dependencies"]
        for one in package.get("vulns", ())
    ]
    packages = [one for one in found["dependencies"] if one["name"] != OURS]
    if skipped := [one["name"] for one in packages if one.get("skip_reason")]:
        says = f"{len(skipped)} of {len(packages)} packages could not be looked up, first {', '.join(skipped[:3])}"
        said.append(_unknown("pip-audit", OURS, says, "Run it where the index answers."))
    return tuple(said) or (_good("pip-audit", OURS, f"{len(packages)} packages, nothing known"),)


def ends_of_life(images: Iterable[str], today: date) -> tuple[Weakness, ...]:
    """Look base images up in the table of the last days on which they get fixes.

    Args:
        images: `repository:tag`; one that is named by id alone tells nothing and is left out by the caller.
        today: The day.
    """
    return tuple(_end_of_life(image, today) for image in sorted(set(images)))


def _end_of_life(image: str, today: date) -> Weakness:
    name, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    lines = [one for one in ends().release if one.product == name and _begins(tag, one.line)]
    if not lines:
        fix = "Add the line to eol.toml, with the source of its date."
        return _unknown("end-of-life", image, "the table has no such product and version", fix, severity=Severity.LOW)
    found = max(lines, key=lambda one: len(one.line))
    if found.until is None:
        return _good("end-of-life", image, found.note)
    if found.until >= today + SOON:
        return _good("end-of-life", image, f"gets fixes until {found.until}")
    over = found.until < today
    return Weakness(
        check="end-of-life",
        where=image,
        verdict=Verdict.FAILED,
        severity=Severity.HIGH if over else Severity.MODERATE,
        says=f"{'got its last fixes on' if over else 'gets its last fixes on'} {found.until}",
        fix="Take the next line.",
    )


def _begins(tag: str, line: str) -> bool:
    """Whether a tag is of a line: `22-bookworm` of `22`, `3.51` not of `3.5`."""
    return not line or tag == line or (tag.startswith(line) and not tag[len(line)].isalnum())


def count(found: Iterable[Weakness]) -> dict[Severity, int]:
    """Return how many there are of each severity."""
    said = [one.severity for one in found if one.verdict is Verdict.FAILED]
    return {severity: said.count(severity) for severity in Severity}


def check_better(before: Iterable[Weakness], after: Iterable[Weakness]) -> dict[Severity, int]:
    """Refuse a lock that is worse in any severity than the one before.

    Returns:
        How many fewer there are of each severity.

    Raises:
        VerificationError: There are more of one, or the new one could not be looked at.
    """
    seen = tuple(after)
    if any(one.verdict is Verdict.NOT_VERIFIED for one in seen):
        raise VerificationError("the new lock could not be audited, so that nobody knows whether it is better.")
    old, new = count(before), count(seen)
    if worse := [f"{new[one] - old[one]} more {one}" for one in Severity if new[one] > old[one]]:
        raise VerificationError(
            f"the new lock is worse than the old one: {', '.join(worse)}. It was thrown away.",
            hint="Update by hand, one package at a time; never with --force.",
        )
    return {one: old[one] - new[one] for one in Severity}


def moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Return package -> the version that it has in a new lock alone."""
    had = versions(old)
    return {
        path.rpartition("node_modules/")[2]: version
        for path, version in versions(new).items()
        if had.get(path) != version
    }


def taken_on(published: datetime, *, days: int) -> date:
    """Return the first day on which a version is *days* old; npm counts from the beginning of a day.

    Source: `npm help config`, `before`.
    """
    at = published.astimezone(UTC)
    return at.date() + timedelta(days=days + (at.time() != time.min))


def cooling(
    cool: Iterable[Weakness], warm: Iterable[Weakness], *, days: int, on: Mapping[str, date]
) -> tuple[str, ...]:
    """Return what only versions would mend that are younger than *days*: waited for, and never forced.

    Args:
        cool: What is known against the lock without young versions.
        warm: What is known against the one with them.
        days: How old a version has to be.
        on: Package whose version is too young -> the day on which it no longer is. What another package's version
            mends is due when all of them are old enough.
    """
    left = {(one.check, one.where) for one in warm if one.verdict is Verdict.FAILED}
    latest = max(on.values(), default=None)
    return tuple(
        f"{one.where}: a fix of {one.check} is out, and is younger than {days} days"
        f"{_from(on.get(one.where.rpartition(': ')[2], latest))}"
        for one in cool
        if one.verdict is Verdict.FAILED and (one.check, one.where) not in left
    )


def _from(day: date | None) -> str:
    return f": it is taken from {day} on" if day else "; its registry does not say since when"


def _good(check: str, where: str, says: str) -> Weakness:
    return Weakness(check=check, where=where, verdict=Verdict.VERIFIED, severity=Severity.LOW, says=says)


def _unknown(check: str, where: str, says: str, fix: str, *, severity: Severity = Severity.HIGH) -> Weakness:
    return Weakness(check=check, where=where, verdict=Verdict.NOT_VERIFIED, severity=severity, says=says, fix=fix)
