"""Values of the `.env` that nobody may see: whether they changed, and how a text gets rid of them."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

SECRET = re.compile(r".*(PASSWORD|SECRET|TOKEN|KEY|CREDENTIAL)S?")
SHORTEST = 6
"""A shorter value is no secret, and would be found in any text."""
PRINT = 16


def prints(values: Mapping[str, str], key: bytes) -> dict[str, str]:
    """Return a keyed print of every value: it tells that a value changed, and without the key nothing else."""
    return {name: hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:PRINT] for name, value in values.items()}


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Return name -> added, removed or changed, of what differs between two sets of prints."""
    said = dict.fromkeys(after.keys() - before.keys(), "added")
    said |= dict.fromkeys(before.keys() - after.keys(), "removed")
    said |= {name: "changed" for name in before.keys() & after.keys() if before[name] != after[name]}
    return dict(sorted(said.items()))


def secrets_of(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values whose names say that they are secrets, the longest first."""
    found = (value for name, value in values.items() if SECRET.fullmatch(name) and len(value) >= SHORTEST)
    return tuple(sorted(set(found), key=len, reverse=True))


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets that stand in it."""
    for secret in secrets:
        text = text.replace(secret, "•••")
    return text
