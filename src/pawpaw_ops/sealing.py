"""The sealed artefact: tar, zstd, age, as one stream; made, opened and checked in constant memory.

age's payload is a sequence of authenticated chunks whose last one is marked: a cut, a swap or a splice does not open.
"""

import errno
import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, BinaryIO, Generic

import pyrage
import zstandard
from pydantic import SecretStr
from typing_extensions import TypeVar

from pawpaw_ops.age import Hashing, Reading, Tally, decrypting, encrypting, identity, nobody_fits, recipient
from pawpaw_ops.errors import (
    BackupCorrupt,
    ConfigError,
    DiskTooSmall,
    OpsError,
    PreconditionError,
    StoreError,
    WrongKey,
)
from pawpaw_ops.models.backup import AnyContents, Contents, FileEntry
from pawpaw_ops.models.kinds import parse_contents

CHUNK = 1 << 20
LEVEL = 2
CONTENTS = "contents.json"
DUMP = "dump"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OTHER = "Use another backup; `list-backups` shows them."


@dataclass(frozen=True)
class Sealed:
    """A sealed artefact on disk."""

    path: Path
    size_bytes: int
    sha256: str


def list_files(folder: Path) -> dict[str, FileEntry]:
    """Return path below *folder* -> size and SHA-256 of every file."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as side_by_side:
        made = list(side_by_side.map(_file_entry, found))
    return {path.relative_to(folder).as_posix(): entry for path, entry in zip(found, made, strict=True)}


def _file_entry(path: Path) -> FileEntry:
    with path.open("rb") as stream:
        return FileEntry(size_bytes=path.stat().st_size, sha256=hashlib.file_digest(stream, "sha256").hexdigest())


def hash_stream(stream: BinaryIO) -> tuple[int, str]:
    """Read a stream to its end and return its size in bytes and its SHA-256."""
    reading = Reading(stream)
    reading.drain()
    return reading.count, reading.digest.hexdigest()


def seal(
    folder: Path,
    contents: AnyContents,
    *,
    to: Path,
    recipients: Sequence[str],
    on_bytes: Callable[[int], None] | None = None,
) -> Sealed:
    """Write the files that *contents* lists as one encrypted artefact.

    Args:
        folder: Where the files are.
        contents: What is sealed; written into the artefact first.
        to: The artefact.
        recipients: age public keys.
        on_bytes: Called with the number of plain bytes read so far.

    Raises:
        ConfigError: No recipient, or one that is no key.
        DiskTooSmall: The disk filled up.
        PreconditionError: *to* exists already, or something could not be read or written.

    Touches:
        Writes and syncs *to*; removes it again on failure.
    """
    if not recipients:
        raise ConfigError("the BackupStore has no age recipients.", hint="`pawpaw new-key` makes a pair of keys.")
    keys = [recipient(key) for key in recipients]
    try:
        raw = to.open("xb")
    except OSError as seen:
        raise _disk_error(to, seen) from seen
    try:
        with raw, Hashing(raw) as out, encrypting(out, keys) as plain:
            _pack(folder, contents, plain, on_bytes)
        _fsync(to)
    except BaseException as seen:
        to.unlink(missing_ok=True)
        if isinstance(seen, OSError):
            raise _disk_error(to, seen) from seen
        raise
    return Sealed(path=to, size_bytes=to.stat().st_size, sha256=out.digest.hexdigest())


def _pack(folder: Path, contents: AnyContents, plain: BinaryIO, on_bytes: Callable[[int], None] | None) -> None:
    compressor = zstandard.ZstdCompressor(level=LEVEL, threads=min(4, os.cpu_count() or 1))
    with (
        compressor.stream_writer(plain, closefd=False) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w|", bufsize=CHUNK, format=tarfile.PAX_FORMAT, copybufsize=CHUNK) as tar,  # type: ignore[call-overload]
    ):
        _add(tar, CONTENTS, BytesIO(contents.model_dump_json().encode()))
        done = 0
        for name, entry in contents.files.items():
            with (folder / name).open("rb") as stream:
                _add(tar, name, stream)
            done += entry.size_bytes
            if on_bytes is not None:
                on_bytes(done)


def unseal(
    stream: BinaryIO, *, identities: Sequence[SecretStr], to: Path, on_bytes: Callable[[int], None] | None = None
) -> "Opened[AnyContents]":
    """Open an artefact into the folder *to*, checking every file against the list inside it.

    Args:
        stream: The artefact's bytes.
        identities: age secret keys.
        to: A folder of our own; made if missing.
        on_bytes: Called with the number of sealed bytes read so far.

    Returns:
        What was inside, what was read, and how many rows each data file holds.

    Raises:
        ConfigError: No identity, or one that is no key.
        WrongKey: No identity fits.
        BackupCorrupt: The bytes are not a complete artefact.
        StoreError: They could not be read; what *stream* raises of its own is passed on.
        DiskTooSmall: The disk filled up.

    Touches:
        Writes below *to*.
    """
    if not identities:
        raise ConfigError("the BackupIdentity block has no key.", hint="Put the age secret key into it.")
    keys = [identity(key) for key in identities]
    source = Reading(stream, on_bytes)
    to.mkdir(parents=True, exist_ok=True)
    try:
        with decrypting(source, keys) as plain, zstandard.ZstdDecompressor().stream_reader(plain) as squeezed:
            with tarfile.open(fileobj=squeezed, mode="r|", bufsize=CHUNK) as tar:
                contents, files, rows = _extract(tar, to)
            while squeezed.read(CHUNK):
                pass
            while plain.read(CHUNK):
                pass
        source.drain()
    except OpsError:
        raise
    except (tarfile.TarError, zstandard.ZstdError, pyrage.DecryptError, EOFError, ValueError, OSError) as seen:
        raise _opening_error(source, seen) from seen
    wrong = sorted(name for name in files.keys() | contents.files.keys() if files.get(name) != contents.files.get(name))
    if wrong:
        raise BackupCorrupt(
            f"{len(wrong)} files inside the artefact are not as listed, first {wrong[0]!r}.", hint=_OTHER
        )
    return Opened(contents=contents, folder=to, size_bytes=source.count, sha256=source.digest.hexdigest(), rows=rows)


K = TypeVar("K", bound=AnyContents, default=Contents)


@dataclass(frozen=True)
class Opened(Generic[K]):
    """An opened artefact: its contents, where they lie, what was read, rows per data file of a database's dump."""

    contents: K
    folder: Path
    size_bytes: int
    sha256: str
    rows: Mapping[str, int]


def check_recipient(identities: Sequence[SecretStr], recipients: Sequence[str], *, backup_id: str) -> None:
    """Refuse before reading when no identity fits.

    Raises:
        WrongKey: Names the public keys that would.
    """
    ours = {str(identity(key).to_public()) for key in identities}
    if recipients and not ours & set(recipients):
        raise WrongKey(
            f"backup {backup_id} was sealed for {', '.join(recipients)}; the BackupIdentity block holds the keys of"
            f" {', '.join(sorted(ours)) or 'nobody'}.",
            hint="Add the matching secret key from the recovery kit to the block.",
        )


def _opening_error(source: Reading, seen: Exception) -> PreconditionError | StoreError:
    """Say why an artefact did not open: it could not be read, nobody has its key, or it is broken."""
    if isinstance(source.failed, OSError):
        return StoreError(f"could not read the artefact: {seen}.", hint="Run again; the backup may well be sound.")
    if nobody_fits(seen):
        return WrongKey(
            "none of the keys in the BackupIdentity block opens the artefact.",
            hint="Add the matching secret key from the recovery kit to the block.",
        )
    return BackupCorrupt(f"the artefact does not open: {type(seen).__name__}: {seen}.", hint=_OTHER)


def _disk_error(path: Path, seen: OSError) -> PreconditionError:
    if seen.errno in FULL:
        free = shutil.disk_usage(path.parent).free
        return DiskTooSmall(
            f"could not write {path}: {seen.strerror}; {free} bytes are free.", hint="Make room on that disk."
        )
    return PreconditionError(f"could not write {path}: {seen}.", hint="Mend the staging folder's path or rights.")


def _extract(tar: tarfile.TarFile, to: Path) -> tuple[AnyContents, dict[str, FileEntry], dict[str, int]]:
    contents: AnyContents | None = None
    files: dict[str, FileEntry] = {}
    rows: dict[str, int] = {}
    for member in tar:
        stream = tar.extractfile(member) if member.isfile() else None
        if stream is None or member.name.startswith("/") or ".." in Path(member.name).parts:
            raise BackupCorrupt(f"the artefact holds {member.name!r}, which is no plain file.", hint=_OTHER)
        if contents is None:
            if member.name != CONTENTS:
                raise BackupCorrupt("the artefact does not begin with its contents.", hint=_OTHER)
            contents = parse_contents(stream.read())
            continue
        files[member.name], rows[member.name] = _write(stream, to / member.name)
    if contents is None:
        raise BackupCorrupt("the artefact is empty.", hint=_OTHER)
    return contents, files, rows


def _write(stream: IO[bytes], path: Path) -> tuple[FileEntry, int]:
    tally, looking = Tally(), Future[None]()
    looking.set_result(None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(max_workers=1) as beside, path.open("wb") as out:
            while chunk := stream.read(CHUNK):
                looking.result()  # one chunk ahead, no more
                looking = beside.submit(tally.add, chunk)
                out.write(chunk)
    except OSError as seen:
        raise _disk_error(path, seen) from seen
    return FileEntry(size_bytes=tally.size, sha256=tally.digest.hexdigest()), tally.rows


def _add(tar: tarfile.TarFile, name: str, stream: BinaryIO) -> None:
    info = tarfile.TarInfo(name)
    info.size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    tar.addfile(info, stream)


def _fsync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
