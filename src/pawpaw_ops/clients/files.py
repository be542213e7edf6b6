"""Files of this host that are there whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path


def fsync(path: Path) -> None:
    """Put a file or folder on disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file beside and rename it: a reader, a crash or a full disk leaves the old or the new one.

    Args:
        path: The file; its folder is there.
        text: What it will hold.
        mode: Its permissions.

    Raises:
        OSError: It cannot be written; what was there is as it was.

    Touches:
        *path*.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(handle, mode)
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
