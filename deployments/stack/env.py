"""The stack's `.env`: made from `.env.example` with random secrets, and read."""

import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pawpaw_ops.errors import ConfigError

SECRET_BYTES = 32
LINE = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)")
SAFE = re.compile(r"[A-Za-z0-9_./:@-]*")


def random_secret() -> str:
    """Return 32 random bytes in letters, digits, `-` and `_`: nothing that a URL, a shell or Compose would change."""
    return secrets.token_urlsafe(SECRET_BYTES)


def fill(example: str, given: Mapping[str, str], *, make: Callable[[], str] = random_secret) -> str:
    """Write the text of a `.env`: the example's, with *given* values, and a made one where a value is empty.

    Raises:
        ConfigError: A given value has a character that Compose, a shell or a URL would read otherwise.
    """
    for name, value in given.items():
        if not SAFE.fullmatch(value):
            raise ConfigError(f"the value for {name} has a character that is not one of A-Z a-z 0-9 - _ . / : @.")
    left = dict(given)
    lines = []
    for line in example.splitlines():
        found = LINE.fullmatch(line)
        if found:
            name = found["name"]
            lines.append(f"{name}={left.pop(name, '') or found['value'] or make()}")
        else:
            lines.append(line)
    lines += [f"{name}={value}" for name, value in left.items()]
    return "\n".join(lines) + "\n"


def make_env(example: Path, target: Path, given: Mapping[str, str]) -> bool:
    """Make *target* unless it is there; whether it was made.

    Touches:
        *target*, mode 0600, whole or not at all; an existing one is left alone.
    """
    if target.exists():
        return False
    text = fill(example.read_text(), given)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".env.")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(name, target)  # unlike a rename, it fails where another run was faster
        except FileExistsError:
            return False
    finally:
        Path(name).unlink()
    return True


def read_env(path: Path) -> dict[str, str]:
    """Return the variables of a `.env`.

    Raises:
        ConfigError: The file cannot be read, or a name is there twice: Compose would silently take the last.
    """
    try:
        lines = path.read_text().splitlines()
    except OSError as seen:
        raise ConfigError(f"could not read {path}: {seen.strerror}.", hint="`make up` makes one.") from seen
    found: dict[str, str] = {}
    for line in lines:
        match = LINE.fullmatch(line.strip())
        if match is None:
            continue
        if match["name"] in found:
            raise ConfigError(f"{path} has {match['name']} twice.", hint="Keep the one that is in use.")
        found[match["name"]] = match["value"].strip().strip("\"'")
    return found
