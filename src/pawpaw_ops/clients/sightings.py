"""When each of the stack's images was first on this engine, in a file of the stack's folder."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.clients.records import read_record
from pawpaw_ops.models.inventory import Sighting

SIGHTINGS = TypeAdapter(dict[str, Sighting])


def read(state_dir: Path) -> dict[str, Sighting]:
    """Return image id -> its sighting; none where nobody has looked yet.

    Raises:
        ConfigError: The file holds something else.
    """
    return read_record(_path(state_dir), SIGHTINGS, hint="Remove it; every image counts as new then.") or {}


def write(state_dir: Path, found: Mapping[str, Sighting]) -> None:
    """Remember them.

    Touches:
        `images-seen.json`.
    """
    write_whole(_path(state_dir), SIGHTINGS.dump_json(dict(found), indent=1).decode())


def _path(state_dir: Path) -> Path:
    return state_dir / "images-seen.json"
