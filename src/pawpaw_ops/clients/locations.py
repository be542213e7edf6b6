"""A location keeps objects under keys: the protocol, and a local folder."""

import contextlib
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from pawpaw_ops.clients.files import fsync
from pawpaw_ops.errors import ConfigError, StoreError, Unreachable
from pawpaw_ops.models.store import FolderSettings, StoredObject

CHUNK = 1 << 20
BACKUP_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


class Location(Protocol):
    """Objects under keys. Keys are relative, with `/` between their parts."""

    @property
    def name(self) -> str:
        """How people call it: `folder` or `s3`, with its address."""

    def check(self) -> None:
        """Prove that it answers and can be written to, before anything depends on it."""

    def put_file(self, key: str, source: Path, *, sha256: str) -> None:
        """Store a file under a key that is free. The same bytes again are no error, other bytes are."""

    def put_bytes(self, key: str, data: bytes) -> None:
        """Store a small object, replacing what is there."""

    def get_bytes(self, key: str) -> bytes:
        """Return a small object; FileNotFoundError where there is none."""

    def open(self, key: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """Read an object as a stream; a read that ends early is an error, not an end."""

    def size_of(self, key: str) -> int | None:
        """Return an object's size in bytes, asked of itself; None where there is none."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Go through all objects whose key starts with *prefix*, in the order of their keys.

        A bucket's list may be older than its objects: what it does not show may be there.
        """

    def delete(self, key: str) -> None:
        """Remove an object; an absent one is no error."""

    def free_bytes(self) -> int | None:
        """Return the room that is left; None where nobody can know."""

    def link(self, key: str) -> str:
        """Return the address of an object, for whoever may read it there."""


class FolderLocation:
    """A local folder. A file appears under its name only when it is complete and on disk."""

    def __init__(self, settings: FolderSettings) -> None:
        self.root = settings.path
        self.name = f"folder {settings.path}"

    def check(self) -> None:
        """Prove that the folder can be made and written to.

        Raises:
            ConfigError: It cannot.

        Touches:
            Makes the folder if it is missing.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as seen:
            raise ConfigError(
                f"cannot write to the backup folder {self.root}: {seen.strerror}.",
                hint="Mend the folder's path or rights, or the BackupStore block.",
            ) from seen

    def put_file(self, key: str, source: Path, *, sha256: str) -> None:
        """Store a file: link or copy beside, fsync, rename.

        Raises:
            StoreError: Other bytes are there already, or no room is left.
        """
        target = self._path(key)
        partial = target.with_name(f".{target.name}.partial")
        with self._doing("store", key, partial):
            if target.exists():
                if file_sha256(target) != sha256:
                    raise StoreError(f"{self.name} already has other bytes under {key!r}; nothing is overwritten.")
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
            try:
                os.link(source, partial)
            except OSError:
                shutil.copyfile(source, partial)
            fsync(partial)
            partial.rename(target)
            fsync(target.parent)

    def put_bytes(self, key: str, data: bytes) -> None:
        """Store a small object, replacing what is there in one step."""
        target = self._path(key)
        partial = target.with_name(f".{target.name}.partial")
        with self._doing("store", key, partial):
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(data)
            fsync(partial)
            partial.rename(target)
            fsync(target.parent)

    def get_bytes(self, key: str) -> bytes:
        """Return a small object."""
        with self._doing("read", key):
            return self._path(key).read_bytes()

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """Read an object as a stream."""
        try:
            with self._doing("read", key):
                stream = self._path(key).open("rb")
        except FileNotFoundError as seen:
            raise StoreError(f"{self.name} has no object {key!r}.") from seen
        with stream:
            yield stream

    def size_of(self, key: str) -> int | None:
        """Return a file's size in bytes; None where there is none."""
        try:
            with self._doing("look at", key):
                return self._path(key).stat().st_size
        except FileNotFoundError:
            return None

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Go through all files whose key starts with *prefix*, unfinished ones (`.name.partial`) too."""
        if not self.root.is_dir():
            raise Unreachable(f"{self.name} is not there.", hint="Mount it, or mend the BackupStore block.")
        start = self._path(prefix) if prefix.endswith("/") else self.root
        with self._doing("list", prefix):
            for key, path in sorted((path.relative_to(self.root).as_posix(), path) for path in _files(start)):
                with contextlib.suppress(FileNotFoundError):  # removed since the folder was read
                    seen = path.stat()
                    modified_at = datetime.fromtimestamp(seen.st_mtime, tz=UTC)
                    if key.startswith(prefix) and stat.S_ISREG(seen.st_mode):
                        yield StoredObject(key=key, size_bytes=seen.st_size, modified_at=modified_at)

    def delete(self, key: str) -> None:
        """Remove a file, and the folders that it leaves empty; on disk before it returns."""
        path = self._path(key)
        with self._doing("remove", key), contextlib.suppress(FileNotFoundError):
            path.unlink()
            fsync(path.parent)
        with contextlib.suppress(OSError):
            for parent in path.parents:
                if parent == self.root:
                    break
                parent.rmdir()

    def free_bytes(self) -> int | None:
        """Return the room on the folder's file system."""
        existing = next((path for path in (self.root, *self.root.parents) if path.exists()), None)
        return shutil.disk_usage(existing).free if existing else None

    def link(self, key: str) -> str:
        """Return the file's address on this host."""
        return self._path(key).absolute().as_uri()

    def _path(self, key: str) -> Path:
        check_key(key, where=self.name)
        return self.root / key

    @contextlib.contextmanager
    def _doing(self, what: str, key: str, partial: Path | None = None) -> Iterator[None]:
        try:
            yield
        except OSError as seen:
            if partial is None:
                if isinstance(seen, FileNotFoundError):
                    raise
            else:
                with contextlib.suppress(OSError):
                    partial.unlink(missing_ok=True)
            raise StoreError(
                f"{self.name} could not {what} {key!r}: {seen.strerror}; {self.free_bytes()} bytes are free.",
                hint="Make room or mend its rights.",
            ) from seen


def check_key(key: str, *, where: str) -> None:
    """Refuse a key that could lead out of a location, or mean another one.

    Raises:
        ConfigError: It has an empty part, `.` or `..`.
    """
    if not {"", ".", ".."}.isdisjoint(key.removesuffix("/").split("/")):
        raise ConfigError(f"{key!r} is not a key inside {where}.")


def _files(start: Path) -> Iterator[Path]:
    """Go through the files below a folder; what has a name that is not UTF-8 cannot be ours."""

    def refuse(seen: OSError) -> None:
        if not isinstance(seen, FileNotFoundError):
            raise seen

    for folder, folders, names in os.walk(start, onerror=refuse):
        folders[:] = filter(_is_text, folders)
        yield from (Path(folder, name) for name in filter(_is_text, names))


def _is_text(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
