"""The stack's `.env`, made from `.env.example` with random secrets."""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pawpaw_ops.errors import ConfigError
from pawpaw_ops.plans.env_values import LINE, SAFE
from pawpaw_ops.plans.secrets import random_secret


def fill(example: str, given: Mapping[str, str], *, make: Callable[[], str] = random_secret) -> str:
    """Write the text of a `.env`: the example's, with *given* values, and a made one where a value is empty.

    Raises:
        ConfigError: A given value has a character that Compose, a shell or a URL would read otherwise.
    """
    for name, value in given.items():
        if not SAFE.fullmatch(value):
            raise ConfigError(f"the value for {name} has a character that is not one of A-Z a-z 0-9 - _ . / : @ ,")
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
