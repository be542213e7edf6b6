"""How old a stack's secrets are: of those that are rotated here, and of those that somebody has to change by hand."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.secrets import Acquaintances, Met, Turn
from pawpaw_ops.plans.preflight import Finding
from pawpaw_ops.plans.secrets import DB_PASSWORD, GRAFANA_PASSWORD, JWT_PREVIOUS_SECRET, JWT_SECRET, REDIS_PASSWORD

ROTATED = frozenset({DB_PASSWORD, REDIS_PASSWORD, JWT_SECRET, JWT_PREVIOUS_SECRET, GRAFANA_PASSWORD})
"""Variables that a rotation changes; all others are changed by hand."""


def meet(secrets: Mapping[str, str], known: Acquaintances, *, now: datetime) -> Acquaintances:
    """Return what is known of the secrets now: since when each has the value that it has.

    Args:
        secrets: Variable -> value.
        known: What was known before.
        now: Now.
    """
    found = {}
    for name, value in secrets.items():
        print_ = hashlib.blake2b(value.encode(), key=bytes.fromhex(known.salt), digest_size=16).hexdigest()
        before = known.met.get(name)
        same = before is not None and before.print == print_
        found[name] = before if before and same else Met(print=print_, since=now, changed=before is not None)
    return known.model_copy(update={"met": found})


def ages(known: Acquaintances, turns: Iterable[Turn], *, now: datetime, oldest: timedelta) -> list[Finding]:
    """Say how old each secret is. Of one that nobody was seen to change only how long it is at least."""
    since = in_use_since(turns)
    found = []
    for name, met in sorted(known.met.items()):
        exact = name in since or met.changed
        age = now - since.get(name, met.since)
        unknown = Verdict.VERIFIED if exact else Verdict.NOT_VERIFIED
        verdict = Verdict.FAILED if age > oldest else unknown
        says = f"{'' if exact else 'at least '}{age.days} days"
        found.append(Finding(name=f"{name}: age", verdict=verdict, says=says))
    return found


def by_hand(found: Iterable[Finding]) -> str:
    """Return the list of what no rotation changes, for people to tick off.

    Args:
        found: What `ages` said.
    """
    rows = [(one.name.partition(":")[0], one) for one in found]
    return "\n".join(
        f"- [{' ' if one.verdict is Verdict.FAILED else 'x'}] `{name}`: {one.says}"
        for name, one in rows
        if name not in ROTATED
    )


def in_use_since(turns: Iterable[Turn]) -> dict[str, datetime]:
    """Return variable -> when its value came into use by a rotation."""
    return {name: turn.at for turn in turns if turn.what == "current" for name in turn.variables}
