"""The data of a Redis as names in its folder: a set built beside, an exchange of two names, and the way back."""

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from pawpaw_ops.clients.files import fsync
from pawpaw_ops.errors import ConfigError, DiskTooSmall, PreconditionError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.redis import Form, Layout
from pawpaw_ops.plans.redis import base_only
from pawpaw_ops.sealing import FULL

BESIDE = ".pawpaw-"
"""What names of folders begin with that we make in a server's folder, ended by the run's id."""
OLD = ".old-"
STRAY = ".stray-"
TIME = "%Y%m%dT%H%M%SZ"
SNAPSHOT = "dump.rdb"
"""The one file of a snapshot backup."""


class Exchange(Noun):
    """Two names that are to be exchanged, and what lies under them now.

    Attributes:
        folder: The server's `dir`.
        live: Name that the server loads.
        incoming: Path below *folder* of what shall have that name.
        retired: Name that what is live now will get.
        live_id: Number of the file or folder that is live now; None where there is none.
        incoming_id: Number of the one that comes in.
    """

    folder: Path
    live: str
    incoming: str
    retired: str
    live_id: int | None
    incoming_id: int


def beside(folder: Path, run_id: str) -> Path:
    """Return the folder of our own in a server's folder, for one run."""
    return folder / f"{BESIDE}{run_id}"


def number(path: Path) -> int | None:
    """Return the inode of a path, which goes with it through renames; None where there is nothing."""
    try:
        return path.lstat().st_ino
    except FileNotFoundError:
        return None


def retired_name(live: str, *, at: datetime, run_id: str) -> str:
    """Name what is replaced: `appendonlydir.old-20261124T030000Z-1a2b`."""
    return f"{live}{OLD}{at.astimezone(UTC).strftime(TIME)}-{run_id[:4]}"


_SET_ASIDE = re.compile(
    rf"(?P<live>.+)(?P<how>{re.escape(OLD)}|{re.escape(STRAY)})(?P<at>\d{{8}}T\d{{6}}Z)(-\w{{1,4}})?"
)


def retired(folder: Path, live: str | None, *, strays: bool = False) -> dict[str, datetime]:
    """Return what restores replaced and is kept: name -> when.

    Args:
        folder: The server's folder.
        live: Name that it had; None means any.
        strays: Also what a server made that started alone in the middle of a restore.
    """
    found = {}
    for path in sorted(folder.iterdir()):
        match = _SET_ASIDE.fullmatch(path.name)
        if match and live in {None, match["live"]} and (strays or match["how"] == OLD):
            found[path.name] = datetime.strptime(match["at"], TIME).replace(tzinfo=UTC)
    return found


def layout_of(path: Path) -> Layout:
    """Tell from what a restore replaced how it was laid out."""
    live = path.name.partition(OLD)[0]
    if path.is_dir():
        lists = [each.name.removesuffix(".manifest") for each in path.glob("*.manifest")]
        return Layout(append_only=True, folder=live, file=next(iter(lists), Layout(append_only=True).file))
    return Layout(append_only=False, snapshot=live)


def check_folder(folder: Path) -> None:
    """Refuse a folder that is not here, or that we may not write to.

    Raises:
        ConfigError: Says which.
    """
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(
            f"the server's folder {folder} is not here, or may not be written to by this process.",
            hint="Mend data_folder in the RedisServer block, or the rights of the worker's user.",
        )


def copy(source: Path, to: Path) -> None:
    """Copy what a restore replaced into a folder of ours, named as `build` wants it.

    Raises:
        DiskTooSmall: The disk filled up.
        PreconditionError: It could not be read or written.

    Touches:
        Makes *to*.
    """
    try:
        if source.is_dir():
            shutil.copytree(source, to)
        else:
            to.mkdir()
            shutil.copyfile(source, to / SNAPSHOT)
    except OSError as seen:
        raise disk_error(to, seen) from seen


def build(source: Path, form: Form, layout: Layout, *, to: Path, like: Path | None = None) -> Path:
    """Lay out a backup's files as a server of that layout loads them.

    Args:
        source: The backup's `dump` folder: `dump.rdb`, or append-only files with their list.
        form: Which of the two.
        layout: Where the server looks.
        to: A folder of our own; made here.
        like: Whose owner and mode the files get; None leaves them ours.

    Returns:
        What is to get the server's live name.

    Raises:
        PreconditionError: Append-only files for a server that has switched them off.
        DiskTooSmall: The disk filled up.

    Touches:
        Makes *to*.
    """
    try:
        to.mkdir(mode=0o700, exist_ok=True)
        made = to / layout.entry
        if not layout.append_only:
            _snapshot(source, form, made)
        else:
            made.mkdir()
            _append_only(source, form, layout, made)
        _sync(made)
        if like is not None:
            _as(made, like)
    except OSError as seen:
        raise disk_error(to, seen) from seen
    return made


def _snapshot(source: Path, form: Form, made: Path) -> None:
    if form != "rdb":
        raise PreconditionError(
            "the backup is a set of append-only files, and the server has appendonly off.",
            hint="Choose a backup that was made without exact, or switch appendonly on in the server's configuration.",
        )
    shutil.copyfile(source / SNAPSHOT, made)


def _append_only(source: Path, form: Form, layout: Layout, made: Path) -> None:
    if form == "rdb":
        base = f"{layout.file}.1.base.rdb"
        shutil.copyfile(source / SNAPSHOT, made / base)
        (made / layout.manifest).write_text(base_only(base))
        return
    for path in sorted(source.iterdir()):
        name = layout.manifest if path.suffix == ".manifest" else path.name
        shutil.copyfile(path, made / name)


def _sync(made: Path) -> None:
    for path in (*(made.iterdir() if made.is_dir() else ()), made, made.parent):
        fsync(path)


def _as(made: Path, like: Path) -> None:
    """Give what was made the owner of *like*, so that the server may change it."""
    owner = like.stat()
    for path in (*(made.iterdir() if made.is_dir() else ()), made):
        os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(0o750 if path.is_dir() else 0o640)


def exchange(names: Exchange) -> None:
    """Set what is live aside and put what comes in into its place. The server must be stopped.

    Touches:
        Two names in the server's folder.
    """
    folder = names.folder
    if names.live_id is not None:
        (folder / names.live).rename(folder / names.retired)
    (folder / names.incoming).rename(folder / names.live)
    fsync(folder)


def is_as_before(names: Exchange) -> bool:
    """Whether what was live before the exchange is live, and nothing else came in."""
    return number(names.folder / names.live) == names.live_id


def take_back(names: Exchange, *, at: datetime) -> None:
    """Put what was live before the exchange into its place again, wherever it stopped. The server must be stopped.

    What a server that started alone in between made of nothing is set aside under a name of its own.

    Touches:
        Names in the server's folder.
    """
    folder = names.folder
    live, incoming, old = folder / names.live, folder / names.incoming, folder / names.retired
    if number(live) is not None and not is_as_before(names):
        came_in = number(live) == names.incoming_id
        stray = folder / f"{names.live}{STRAY}{at.astimezone(UTC).strftime(TIME)}"
        if came_in:
            incoming.parent.mkdir(mode=0o700, exist_ok=True)
        live.rename(incoming if came_in else stray)
    if names.live_id is not None and number(old) == names.live_id:
        old.rename(live)
    fsync(folder)


def remove(path: Path) -> None:
    """Remove a file or folder; harmless where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size_bytes(path: Path) -> int:
    """Return how many bytes a file, or the files in a folder, have."""
    return sum(each.stat().st_size for each in (path.iterdir() if path.is_dir() else (path,)))


def disk_error(path: Path, seen: OSError) -> PreconditionError:
    """Return what an error of the disk means to an operator."""
    if seen.errno in FULL:
        return DiskTooSmall(f"could not write {path}: {seen.strerror}.", hint="Make room on that disk.")
    return PreconditionError(
        f"could not work with {path}: {seen}.",
        hint="data_folder in the RedisServer block must be a folder that this host may read and write.",
    )
