"""The stack's `.env`: read, and changed line by line."""

import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.errors import ConfigError

LINE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)")
SAFE = re.compile(r"[A-Za-z0-9_./:@,-]*")
"""What Compose, a shell and a URL read alike."""


def read_env(path: Path) -> dict[str, str]:
    """Return the variables of a `.env`.

    Raises:
        ConfigError: The file cannot be read, or a name is there twice: Compose would silently take the last.
    """
    found: dict[str, str] = {}
    for name, value in _variables(_text(path)):
        if name in found:
            raise ConfigError(f"{path} has {name} twice.", hint="Keep the one that is in use.")
        found[name] = value
    return found


def change_env(path: Path, values: Mapping[str, str | None]) -> None:
    """Give variables other values; comments, order, permissions and all other lines stay.

    Args:
        path: The `.env`.
        values: Name -> value; None takes the variable out.

    Raises:
        ConfigError: The file cannot be read or written, or a value has a character that somebody would read otherwise.

    Touches:
        *path*, whole or not at all.
    """
    for name, value in values.items():
        if value is not None and not SAFE.fullmatch(value):
            raise ConfigError(f"the value for {name} has a character that is not one of A-Z a-z 0-9 - _ . / : @ ,")
    left, lines = dict(values), []
    for line in _text(path).splitlines():
        match = LINE.fullmatch(line.strip())
        if match is None or match["name"] not in values:
            lines.append(line)
        elif (value := left.pop(match["name"], None)) is not None:
            lines.append(f"{match['name']}={value}")
    lines += [f"{name}={value}" for name, value in left.items() if value is not None]
    try:
        write_whole(path, "\n".join(lines) + "\n", mode=stat.S_IMODE(path.stat().st_mode))
    except OSError as seen:
        raise ConfigError(f"could not write {path}: {seen.strerror}; it is as it was.") from seen


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as seen:
        raise ConfigError(f"could not read {path}: {seen.strerror}.", hint="`make up` makes one.") from seen


def _variables(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if match := LINE.fullmatch(line.strip()):
            yield match["name"], match["value"].strip().strip("\"'")
