"""Files of this host that are there whole or not at all."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def fsync(path: Path) -> None:
    """Put a file or folder on disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write_whole(path: Path, text: str, *, mode: int = 0o644, like: os.stat_result | None = None) -> None:
    """Write a text as it is; see `write_bytes`."""
    write_bytes(path, text.encode(), mode=mode, like=like)


def write_bytes(path: Path, data: bytes, *, mode: int, like: os.stat_result | None = None) -> None:
    """Write a file beside and rename it: a reader, a crash or a full disk leaves the old or the new one.

    Args:
        path: The file; its folder is there.
        data: What it will hold.
        mode: Its permissions.
        like: Whose owner and permissions it gets instead.

    Raises:
        OSError: It cannot be written; what was there is as it was.

    Touches:
        *path*.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            if like is not None and (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(handle, like.st_uid, like.st_gid)
            os.fchmod(handle, stat.S_IMODE(like.st_mode) if like else mode)
            os.fsync(handle)
        Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    fsync(path.parent)


def folder_bytes(folder: Path) -> int:
    """Return what the files below a folder hold, links not followed; what vanishes meanwhile is not counted.

    Raises:
        OSError: The folder cannot be read.
    """
    size, left = 0, [folder]
    while left:
        for entry in os.scandir(left.pop()):
            with contextlib.suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    left.append(Path(entry.path))
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    return size


def append_line(path: Path, line: str) -> None:
    """Append a line to a record and wait until it is on disk.

    Touches:
        *path*, mode 0640 where it is new; its folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    try:
        os.write(number, f"{line}\n".encode())
        os.fsync(number)
    finally:
        os.close(number)
    fsync(path.parent)


def remove_unfinished(path: Path) -> None:
    """Remove what a `write_whole` that was killed left beside a file; nobody else may be writing it.

    Touches:
        Unfinished copies of *path*.
    """
    for left in path.parent.glob(f".{path.name}.????????"):
        left.unlink(missing_ok=True)
