"""Plain SQL backups, as the stack kept them before: checked whole before anything is loaded.

`gunzip | psql` loads half a backup and says nothing. Here a file is read to its end first: the compression, the SQL,
the COPY blocks and the line that pg_dump writes last.
"""

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pawpaw_ops.commands.sqldump import SqlReader
from pawpaw_ops.commands.sqlrules import SqlDump, knows_restrict
from pawpaw_ops.errors import BackupCorrupt, BackupMissing, DiskTooSmall, PreconditionError, VersionMismatch

CHUNK = 1 << 20
GZIP = b"\x1f\x8b"
ARCHIVE = b"PGDMP"
NEWEST_MAJOR = 99
_OTHER = "Use another backup; `list-backups` shows them."


def check(path: Path) -> SqlDump:
    """Read a plain SQL dump, gzipped or not, to its end.

    Returns:
        What it holds.

    Raises:
        BackupMissing: There is no such file.
        BackupCorrupt: It is not whole; the message says at which line, in which table, after how many rows.
        PreconditionError: It is whole, but no dump of one database.
    """
    return _read(path, server_major=NEWEST_MAJOR, out=None)


def prepare(path: Path, *, to: Path, server_major: int, client_version: str = "") -> SqlDump:
    """Check a plain SQL dump, gzipped or not, and write what psql may load.

    Args:
        path: The file.
        to: Where the SQL goes, without the settings that the server does not know.
        server_major: Major version of the server.
        client_version: Version of the psql that will load it; empty does not ask.

    Returns:
        What it holds.

    Raises:
        VersionMismatch: psql is too old for it.
        DiskTooSmall: The disk filled up.
        BackupMissing, BackupCorrupt, PreconditionError: As `check`.

    Touches:
        Writes *to*; removes it again on failure.
    """
    with _removed_on_failure(to), to.open("wb") as out:
        found = _read(path, server_major=server_major, out=out)
        if found.restricted and client_version and not knows_restrict(client_version):
            raise VersionMismatch(
                f"{path} begins with \\restrict, which psql {client_version} does not know.",
                hint="Update the client tools to the newest minor version of their major.",
            )
    return found


def _read(path: Path, *, server_major: int, out: BinaryIO | None) -> SqlDump:
    reader = SqlReader(server_major=server_major)
    with _naming(path), _opened(path) as stream:
        try:
            for chunk in _plain(stream):
                _write(out, reader.feed(chunk))
        except (zlib.error, EOFError) as seen:
            reader.end()
            raise BackupCorrupt(f"its gzip data is damaged: {seen}; {reader.report().problem}.", hint=_OTHER) from seen
        _write(out, reader.end())
        found = reader.report()
        if not found.complete:
            raise BackupCorrupt(f"{found.problem}.", hint=_OTHER)
    return found


@contextlib.contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _write(out: BinaryIO | None, data: bytes) -> None:
    if out is None:
        return
    try:
        out.write(data)
    except OSError as seen:
        raise DiskTooSmall(
            f"could not write the checked SQL: {seen.strerror}.", hint="Make room on that disk."
        ) from seen


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        stream = path.open("rb")
    except OSError as seen:
        raise BackupMissing(
            f"could not open it: {seen.strerror}.", hint="Give the path of a file on the worker's host."
        ) from seen
    with stream:
        yield stream


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the file's name before what is said about it."""
    try:
        yield
    except PreconditionError as seen:
        raise type(seen)(f"{path}: {seen.message}", hint=seen.hint) from seen


def _plain(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the SQL of a plain or gzipped file."""
    start = stream.read(CHUNK)
    chunks = _gunzip(stream, start) if start.startswith(GZIP) else _rest(stream, start)
    first = next(chunks, b"")
    if not first:
        raise BackupCorrupt("it holds nothing: the dump failed when it was made.", hint=_OTHER)
    if first.startswith(GZIP):
        raise BackupCorrupt("it is compressed twice.", hint="Decompress it once with gunzip and restore the result.")
    if first.startswith(ARCHIVE):
        raise PreconditionError(
            "it is an archive of pg_dump -Fc, not SQL.", hint="Load it with pg_restore into a new database."
        )
    yield first
    yield from chunks


def _rest(stream: BinaryIO, start: bytes) -> Iterator[bytes]:
    while start:
        yield start
        start = stream.read(CHUNK)


def _gunzip(stream: BinaryIO, start: bytes) -> Iterator[bytes]:
    """Yield what a gzip file holds, to the checksum of its last member and the end of the file."""
    member, data = zlib.decompressobj(wbits=31), start
    while data:
        if made := member.decompress(data, CHUNK):
            yield made
        data = member.unconsumed_tail or (b"" if member.eof else stream.read(CHUNK))
        if member.eof:
            data = member.unused_data or stream.read(CHUNK)
            if data and not data.startswith(GZIP[: len(data)]):
                raise BackupCorrupt("something else follows the end of its gzip data.", hint=_OTHER)
            member = zlib.decompressobj(wbits=31) if data else member
    if not member.eof:
        raise EOFError("it ends early")
