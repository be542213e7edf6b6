"""Which backups are being read: a shared `flock` each, so that a dead reader blocks nothing."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from pawpaw_ops.session.lock import still_there, try_lock


@contextlib.contextmanager
def reading(state_dir: Path, backup_id: str) -> Iterator[None]:
    """Keep a backup from expiring while the block lasts.

    Touches:
        `in_use/` in the stack's folder.
    """
    folder = state_dir / "in_use"
    folder.mkdir(parents=True, exist_ok=True)
    number = _shared(folder / backup_id)
    try:
        yield
    finally:
        os.close(number)


def _shared(path: Path) -> int:
    """Return the open file once it is locked and still has its name: whoever expires backups removes stale ones."""
    while True:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(number, fcntl.LOCK_SH)
        except BaseException:
            os.close(number)
            raise
        if still_there(number, path):
            return number
        os.close(number)


def being_read(state_dir: Path) -> frozenset[str]:
    """Return the ids of the backups that a living run reads, and forget the others."""
    found = set()
    for path in (state_dir / "in_use").glob("*"):
        number = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            if try_lock(number):
                path.unlink(missing_ok=True)
            else:
                found.add(path.name)
        finally:
            os.close(number)
    return frozenset(found)
