"""What findings come to: those that somebody decided to live with, and those that fail a run."""

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import TypeAdapter, ValidationError

from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.finding import Severity, Waiver, Weakness

WAIVERS = TypeAdapter(tuple[Waiver, ...])
ORDER = [*Severity]
FAILS = {Severity.CRITICAL, Severity.HIGH}


def parse_waivers(text: str) -> tuple[Waiver, ...]:
    """Parse tables `[[waiver]]`.

    Raises:
        ConfigError: They are no waivers: each has a check, a reason and a last day.
    """
    try:
        return WAIVERS.validate_python(tomllib.loads(text).get("waiver", []))
    except (tomllib.TOMLDecodeError, ValidationError) as seen:
        raise ConfigError(f"the waivers cannot be read: {seen}.") from seen


def waive(found: Iterable[Weakness], waivers: Sequence[Waiver], today: date) -> tuple[Weakness, ...]:
    """Mark those that somebody lives with, worst first; a waiver whose last day is over is none, and is said."""
    marked = [_waived(one, waivers, today) for one in found]
    return tuple(
        sorted(marked, key=lambda one: (one.verdict is Verdict.VERIFIED, ORDER.index(one.severity), one.check))
    )


def _waived(one: Weakness, waivers: Sequence[Waiver], today: date) -> Weakness:
    if one.verdict is Verdict.VERIFIED:
        return one
    mine = [waiver for waiver in waivers if waiver.check == one.check and waiver.where in {"*", one.where}]
    if not mine:
        return one
    last = max(mine, key=lambda waiver: waiver.until)
    if last.until < today:
        return one.model_copy(update={"says": f"{one.says} (waived until {last.until}, which is over)"})
    return one.model_copy(update={"waived": f"{last.reason} (until {last.until})"})


def failing(found: Iterable[Weakness]) -> tuple[Weakness, ...]:
    """Return those that fail a run: high and critical ones, and whatever could not be looked at."""
    return tuple(
        one
        for one in found
        if not one.waived
        and (one.verdict is Verdict.NOT_VERIFIED or (one.verdict is Verdict.FAILED and one.severity in FAILS))
    )
