"""Records in a stack's folder: read whole or refused, never taken for empty."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from pawpaw_ops.errors import ConfigError

T = TypeVar("T")


def read_record(path: Path, kind: TypeAdapter[T], *, hint: str) -> T | None:
    """Return what a file of JSON holds; None where there is no such file.

    Args:
        path: The file.
        kind: What it holds.
        hint: What to do when it holds something else.

    Raises:
        ConfigError: It holds something else, which is not quoted.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    return _parse(path, raw, kind, hint)


def read_lines(path: Path, kind: TypeAdapter[T], *, hint: str) -> tuple[T, ...]:
    """Return what each line of a file holds, oldest first; nothing where there is no such file. See `read_record`."""
    if not path.exists():
        return ()
    return tuple(_parse(path, line, kind, hint) for line in path.read_bytes().splitlines())


def _parse(path: Path, raw: bytes, kind: TypeAdapter[T], hint: str) -> T:
    try:
        return kind.validate_json(raw)
    except ValidationError as seen:
        raise ConfigError(f"{path} cannot be read: {seen.error_count()} errors.", hint=hint) from None
