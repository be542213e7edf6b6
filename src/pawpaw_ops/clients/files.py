"""Files of this host that are there whole or not at all."""

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
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
    _exchange({path: data}, mode, like)


def write_together(folder: Path, files: Mapping[str, str]) -> None:
    """Write several texts, readable by all: none of them gets its name before there was room for each.

    Args:
        folder: It is there.
        files: Name -> text.

    Raises:
        OSError: One cannot be written; what was there is as it was.

    Touches:
        Those files.
    """
    _exchange({folder / name: text.encode() for name, text in files.items()}, 0o644, None)


def _exchange(files: Mapping[Path, bytes], mode: int, like: os.stat_result | None) -> None:
    with contextlib.ExitStack() as unfinished:
        written = {}
        for path, data in files.items():
            with _naming(path):
                handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
                unfinished.callback(Path(name).unlink, missing_ok=True)
                _fill(handle, data, mode, like)
            written[path] = Path(name)
        for path, made in written.items():
            made.rename(path)
    for folder in {path.parent for path in files}:
        fsync(folder)


def _fill(handle: int, data: bytes, mode: int, like: os.stat_result | None) -> None:
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        if like is not None and (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(handle, like.st_uid, like.st_gid)
        os.fchmod(handle, stat.S_IMODE(like.st_mode) if like else mode)
        os.fsync(handle)


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

    Raises:
        OSError: It cannot be written; what was there is as it was.

    Touches:
        *path*, mode 0640 where it is new; its folder.
    """
    with _naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)  # verbs that do not change the stack write the same record
            append_whole(number, path, f"{line}\n".encode())
        finally:
            os.close(number)
        fsync(path.parent)


def append_whole(number: int, path: Path, data: bytes) -> None:
    """Append to an open file that nobody else writes meanwhile, and wait until it is on disk.

    A disk that fills up takes a part and says no more than how much; that part goes again.

    Raises:
        OSError: It cannot be written; what was there is as it was.

    Touches:
        *path*.
    """
    before, left = os.fstat(number).st_size, memoryview(data)
    with _naming(path):
        try:
            while left:
                left = left[os.write(number, left) :]
            os.fsync(number)
        except OSError:
            os.ftruncate(number, before)
            raise


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Say which file it was: an error about an open file does not."""
    try:
        yield
    except OSError as seen:
        if seen.errno is None or seen.filename == str(path):
            raise
        raise OSError(seen.errno, seen.strerror, str(path)) from seen


def remove_unfinished(path: Path) -> None:
    """Remove what a `write_whole` that was killed left beside a file; nobody else may be writing it.

    Touches:
        Unfinished copies of *path*.
    """
    for left in path.parent.glob(f".{path.name}.????????"):
        left.unlink(missing_ok=True)
