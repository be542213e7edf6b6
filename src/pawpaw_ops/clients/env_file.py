"""The stack's `.env`: read, and changed line by line."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.plans.env_values import SECRET, edit, variables
from pawpaw_ops.redaction import learn


def read_env(path: Path) -> dict[str, str]:
    """Return the variables of a `.env`; those that are secrets are kept out of what this process says from now on.

    Raises:
        ConfigError: The file cannot be read, or a name is there twice: Compose would silently take the last.
    """
    found: dict[str, str] = {}
    for name, value in variables(read_text(path)):
        if name in found:
            raise ConfigError(f"{path} has {name} twice.", hint="Keep the one that is in use.")
        found[name] = value
    learn([SecretStr(value) for name, value in found.items() if SECRET.fullmatch(name)])
    return found


def change_env(path: Path, values: Mapping[str, str | None]) -> None:
    """Give variables other values; all other lines, owner and permissions stay.

    Args:
        path: The `.env`.
        values: Name -> value; None takes the variable out.

    Raises:
        ConfigError: The file cannot be read or written, or a value has a character that somebody would read otherwise.

    Touches:
        *path*, whole or not at all.
    """
    text = edit(read_text(path), values)
    try:
        write_whole(path, text, like=path.stat())
    except OSError as seen:
        raise ConfigError(f"could not write {path}: {seen.strerror}; it is as it was.") from seen


def read_text(path: Path) -> str:
    """Return the text of a `.env`, byte for byte.

    Raises:
        ConfigError: The file cannot be read.
    """
    try:
        return path.read_bytes().decode()  # line ends as they are
    except OSError as seen:
        raise ConfigError(f"could not read {path}: {seen.strerror}.", hint="`make up` makes one.") from seen
