"""A disk of a given size, to be filled up."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pawpaw_ops.commands.command import Command
from pawpaw_ops.runner import LocalRunner


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int, *, inodes: int = 0) -> Iterator[None]:
    """Mount a memory file system of that size on *folder* while the block lasts; needs root. 0 inodes: no limit."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={size_bytes}" + (f",nr_inodes={inodes}" if inodes else "")
    LocalRunner().run(Command(argv=("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder))))
    try:
        yield
    finally:
        LocalRunner().run(Command(argv=("umount", "--lazy", str(folder))))
