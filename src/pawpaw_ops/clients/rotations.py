"""The rotation that is not over, sealed with a key that lies elsewhere; and the record of those that were."""

from pathlib import Path

import pyrage
from pydantic import SecretStr, TypeAdapter, ValidationError
from pyrage import x25519

from pawpaw_ops import age
from pawpaw_ops.clients.files import append_line, fsync, write_bytes
from pawpaw_ops.clients.records import read_lines
from pawpaw_ops.errors import ConfigError, WrongKey
from pawpaw_ops.models.secrets import Rotation, Turn
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans.env_values import SECRET
from pawpaw_ops.redaction import learn

OTHERS = 0o077
TURN = TypeAdapter(Turn)
MAKE = "`pawpaw new-key --to /etc/pawpaw/rotation.key` makes one; set rotation_key in the Stack block to it."


def read_key(stack: StackSettings) -> x25519.Identity:
    """Return the key that seals and opens a rotation.

    Raises:
        ConfigError: There is none, others may read it, or it lies beside what it seals.
    """
    path = stack.rotation_key
    if path is None:
        raise ConfigError(f"the stack {stack.name!r} has no key for rotations.", hint=MAKE)
    if path.resolve().is_relative_to(stack.state_dir.resolve()):
        raise ConfigError(f"{path} lies in the stack's folder, beside what it seals.", hint="Put it elsewhere.")
    try:
        mode, text = path.stat().st_mode, path.read_text()
    except OSError as seen:
        raise ConfigError(f"could not read the rotation key {path}: {seen.strerror}.", hint=MAKE) from seen
    if mode & OTHERS:
        raise ConfigError(f"others than its owner may read {path}.", hint=f"chmod 600 {path}")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    try:
        return age.identity(SecretStr(lines[0] if len(lines) == 1 else ""))
    except ConfigError:
        raise ConfigError(f"{path} does not hold one age secret key.", hint=MAKE) from None


def find_open(stack: StackSettings) -> Rotation | None:
    """Return the rotation that is not over; None where there is none.

    Raises:
        ConfigError: The key is not to be had; see `read_key`.
        WrongKey: Another key than the one that sealed it.
    """
    path = _sealed(stack)
    if not path.exists():
        return None
    key = read_key(stack)
    try:
        rotation = Rotation.model_validate_json(pyrage.decrypt(path.read_bytes(), [key]))
    except (pyrage.DecryptError, ValidationError):
        # Whatever a library says of it might quote it.
        raise WrongKey(
            f"{path} does not open with {stack.rotation_key}.",
            hint="Put the key back that the rotation began with. What serves is in the .env and was not touched.",
        ) from None
    _learn(rotation)
    return rotation


def save(stack: StackSettings, rotation: Rotation) -> None:
    """Put a rotation on disk, sealed.

    Touches:
        `rotation/` in the stack's folder: mode 0700, the file 0600, whole or not at all.
    """
    _learn(rotation)
    path = _sealed(stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    sealed = pyrage.encrypt(rotation.model_dump_json().encode(), [read_key(stack).to_public()])
    write_bytes(path, sealed, mode=0o600)


def close(stack: StackSettings) -> None:
    """Forget the secrets of a rotation that is over; there may be none.

    Touches:
        `rotation/` in the stack's folder.
    """
    path = _sealed(stack)
    if path.exists():
        path.unlink()
        fsync(path.parent)


def turns(state_dir: Path) -> tuple[Turn, ...]:
    """Return what became of the stack's rotations, oldest first.

    Raises:
        ConfigError: The file holds something else.
    """
    return read_lines(_record(state_dir), TURN, hint="Mend or move it.")


def record(state_dir: Path, turn: Turn) -> None:
    """Write down what became of a rotation; what is there already is left alone.

    Touches:
        `rotations.jsonl`.
    """
    if not any((one.generation, one.what) == (turn.generation, turn.what) for one in turns(state_dir)):
        append_line(_record(state_dir), turn.model_dump_json())


def _learn(rotation: Rotation) -> None:
    """Keep its secrets out of what this process says; names of logins and keys are none."""
    for values in (rotation.old, rotation.accept, rotation.sign, rotation.retire):
        learn([value for name, value in values.items() if SECRET.fullmatch(name)])


def _sealed(stack: StackSettings) -> Path:
    return stack.state_dir / "rotation" / "open.age"


def _record(state_dir: Path) -> Path:
    return state_dir / "rotations.jsonl"
