"""Files of releases that no longer serve, for pages that were open before; the gateway's folder has them."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pydantic import AwareDatetime, ValidationError

from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.commands import docker as command
from pawpaw_ops.models.base import Noun, utc_now
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.runner import Runner

FOLDER = "kept"
"""Below the gateway's folder; stack/gateway/pawpaw/https.conf looks there."""


class Kept(Noun):
    """The files of one image.

    Attributes:
        at: When it last began to serve, or to end.
        names: Paths below the folder.
    """

    at: AwareDatetime
    names: tuple[str, ...]


def keep(project: Project, one: Seen, source: str, runner: Runner) -> int:
    """Keep the files of a container's image.

    Args:
        project: The stack's project.
        one: A container that runs the image.
        source: Folder in it; its last part is the first of the files' addresses: `/srv/shop/assets` for `/assets/…`.
        runner: Starts processes.

    Returns:
        How many files they are.

    Raises:
        CommandError: They cannot be copied.
        OSError: They cannot be written.

    Touches:
        `kept/` in the gateway's folder.
    """
    folder = project.upstreams / FOLDER
    folder.mkdir(mode=0o755, exist_ok=True)
    record = folder / f"{one.image.removeprefix('sha256:')}.json"
    known = _read(record)
    if known is None:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as made:
            runner.run(command.copy_out(project.engine, one.id, f"{source}/.", Path(made)))
            names = tuple(_take_in(Path(made), folder, PurePosixPath(source).name))
    else:
        names = known.names
    write_whole(record, Kept(at=utc_now(), names=names).model_dump_json())
    return len(names)


def forget(project: Project, *, retain: int) -> int:
    """Remove the files of all images but the *retain* that served last; returns how many files went.

    Touches:
        `kept/` in the gateway's folder.
    """
    folder = project.upstreams / FOLDER
    found = {path: kept for path in folder.glob("*.json") if (kept := _read(path))}
    newest_first = sorted(found, key=lambda path: found[path].at, reverse=True)
    wanted = {name for path in newest_first[:retain] for name in found[path].names}
    gone = {name for path in newest_first[retain:] for name in found[path].names} - wanted
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    for path in newest_first[retain:]:
        path.unlink()
    return len(gone)


def _read(path: Path) -> Kept | None:
    """Return what a record says; one that cannot be read is written anew."""
    try:
        return Kept.model_validate(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, ValidationError):
        return None


def _take_in(made: Path, folder: Path, top: str) -> Iterator[str]:
    """Move regular files to where the gateway's user can read them; what else there is stays behind."""
    for path in sorted(made.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name = f"{top}/{path.relative_to(made)}"
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        for parent in target.relative_to(folder).parents:
            (folder / parent).chmod(0o755)
        path.chmod(0o644)
        path.replace(target)
        yield name
