"""Since when each secret of the stack is what it is, in a file of its folder: hashes and times, never a value."""

import secrets
from pathlib import Path

from pydantic import TypeAdapter

from pawpaw_ops.clients.files import write_bytes
from pawpaw_ops.clients.records import read_record
from pawpaw_ops.models.secrets import Acquaintances

FILE = TypeAdapter(Acquaintances)
SALT_BYTES = 32


def read(state_dir: Path) -> Acquaintances:
    """Return what is known of them; nothing, with a new key for hashes, where nobody has looked yet.

    Raises:
        ConfigError: The file holds something else.
    """
    found = read_record(_path(state_dir), FILE, hint="Remove it; every secret counts as just met then.")
    return found or Acquaintances(salt=secrets.token_hex(SALT_BYTES))


def write(state_dir: Path, known: Acquaintances) -> None:
    """Remember them.

    Touches:
        `secrets-met.json`, for its owner alone.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    write_bytes(_path(state_dir), FILE.dump_json(known, indent=1), mode=0o600)


def _path(state_dir: Path) -> Path:
    return state_dir / "secrets-met.json"
