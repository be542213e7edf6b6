"""The text of a `.env` and its values, which nobody may see: edited, held against one another, taken out of texts."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping

from pawpaw_ops.errors import ConfigError

LINE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)")
SAFE = re.compile(r"[A-Za-z0-9_./:@,-]*")
"""What Compose, a shell and a URL read alike."""
QUOTED = re.compile(r"(?P<quote>[\"']?)(?P<inside>.*)(?P=quote)")
ASSIGNS = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*[=:].*")
OPEN = re.compile(r"(?P<quote>[\"'])(?!.*(?P=quote)).*")
SECRET = re.compile(r".*(PASSWORD|SECRET|TOKEN|KEY|CREDENTIAL)S?")
SHORTEST = 6
"""A shorter value is no secret, and would be found in any text."""
PRINT = 16


def variables(text: str) -> Iterator[tuple[str, str]]:
    """Go through the name and value of each variable."""
    for line in text.splitlines():
        if match := LINE.fullmatch(line.strip()):
            yield match["name"], match["value"].strip().strip("\"'")


def edit(text: str, values: Mapping[str, str | None]) -> str:
    """Return the text of a `.env` with other values; everything else stays byte for byte, quotes and line ends too.

    Args:
        text: Of the file.
        values: Name -> value; None takes the variable out.

    Raises:
        ConfigError: A value has a character that somebody would read otherwise.
    """
    for name, value in values.items():
        if value is not None and not SAFE.fullmatch(value):
            raise ConfigError(f"the value for {name} has a character that is not one of A-Z a-z 0-9 - _ . / : @ ,")
    left, lines = dict(values), []
    for line in text.splitlines(keepends=True):
        match = LINE.fullmatch(line.strip())
        if match is None or match["name"] not in values:
            lines.append(line)
        elif (value := left.pop(match["name"], None)) is not None:
            lines.append(line.replace(line.strip(), f"{match['name']}={_quoted_alike(match['value'], value)}"))
    added = [f"{name}={value}\n" for name, value in left.items() if value is not None]
    if added and lines and not lines[-1].endswith("\n"):
        lines.append("\n")
    return "".join([*lines, *added])


def _quoted_alike(before: str, value: str) -> str:
    match = QUOTED.fullmatch(before.strip())
    quote = match["quote"] if match else ""
    return f"{quote}{value}{quote}"


def check_text(text: str, names: Iterable[str]) -> None:
    """Refuse a `.env` in which a value would not be found again as it was.

    Args:
        text: Of the file.
        names: Variables that will get other values.

    Raises:
        ConfigError: A line cannot be read as one `NAME=value`; it says which, and not what stands there.
    """
    wanted = set(names)
    for number, line in enumerate(text.splitlines(), start=1):
        match = LINE.fullmatch(line.strip())
        if match and OPEN.fullmatch(match["value"].strip()):
            raise ConfigError(f"line {number} of the .env begins a value that goes on in the next one.")
        named = match or ASSIGNS.fullmatch(line)
        if named is None or named["name"] not in wanted:
            continue
        quoted = QUOTED.fullmatch(match["value"].strip()) if match else None
        if quoted is None or not SAFE.fullmatch(quoted["inside"]):
            raise ConfigError(
                f"line {number} of the .env gives {named['name']} in a way that cannot be changed safely.",
                hint="Write it as NAME=value, without export, spaces, comments or special characters.",
            )


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
