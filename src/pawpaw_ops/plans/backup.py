"""What must hold before a backup begins, and what a dump must hold to be one."""

from collections.abc import Iterable, Mapping

from pawpaw_ops.errors import BackupCorrupt, DiskTooSmall, PreconditionError, VersionMismatch
from pawpaw_ops.models.database import DatabaseRow, ServerFacts, TablePrint

FLOOR_BYTES = 64 << 20
FULL_BYTES = 1 << 20
MAX_BLOCK_S = 5.0
"""Longest that anybody may wait for a lock behind a backup, in seconds; then the backup gives way."""


def check_client(client_version: str, server: ServerFacts) -> None:
    """Refuse client tools of another major version than the server's.

    Raises:
        VersionMismatch: Names both versions.
    """
    if int(client_version.split(".", maxsplit=1)[0]) != server.major:
        raise VersionMismatch(
            f"the client tools are PostgreSQL {client_version}, the server is {server.major}.",
            hint="Set the client tools in the PostgresDatabase block to the server's own major version.",
        )


def check_live(live: DatabaseRow | None, name: str) -> DatabaseRow:
    """Refuse a database that is not there or not open.

    Raises:
        PreconditionError: It is missing, or fenced.
    """
    if live is None:
        raise PreconditionError(
            f"the server has no database {name!r}.", hint="Mend its name in the PostgresDatabase block, or restore it."
        )
    if not live.allow_connections:
        raise PreconditionError(
            f"the database {name!r} does not allow connections.",
            hint=f'If nothing else is wrong: ALTER DATABASE "{name}" ALLOW_CONNECTIONS true.',
        )
    return live


def check_room(needed_bytes: int, free_bytes: int | None, *, where: str) -> None:
    """Refuse a disk that is too small, with a floor on top.

    Raises:
        DiskTooSmall: With both numbers.
    """
    if free_bytes is not None and free_bytes < needed_bytes + FLOOR_BYTES:
        raise DiskTooSmall(
            f"{where} needs {needed_bytes + FLOOR_BYTES:,} bytes and has {free_bytes:,} free.",
            hint="Make room there, or set another folder in the block.",
        )


def check_not_full(needed_bytes: int, free_bytes: int, *, where: str, cause: Exception) -> None:
    """Say that the disk filled up, when a program failed and that is what the disk shows.

    Raises:
        DiskTooSmall: With both numbers, from *cause*.
    """
    if free_bytes < FULL_BYTES:
        raise DiskTooSmall(
            f"{where} filled up: {free_bytes:,} bytes are free, the dump needs about {needed_bytes:,}. {cause}",
            hint="Make room there, or set another state folder in the Stack block.",
        ) from cause


def check_dump(
    table_files: Mapping[str, str], rows: Mapping[str, int], tables: Mapping[str, TablePrint], *, prefix: str
) -> None:
    """Hold the rows that lie in the stored dump against the rows that the snapshot had.

    Args:
        table_files: File of the dump -> table.
        rows: File of the artefact -> rows counted in the stored bytes; -1 where the file does not end as one should.
        tables: Table -> what the snapshot held.
        prefix: Folder of the dump inside the artefact.

    Raises:
        BackupCorrupt: Names the first table that is missing, cut or short.
    """
    stored = {table: rows.get(f"{prefix}/{name}", -1) for name, table in table_files.items()}
    for table, wanted in tables.items():
        held = stored.get(table)
        if held is None:
            raise BackupCorrupt(f"the dump holds no data of {table}, the snapshot had {wanted.rows} rows.")
        if held != wanted.rows:
            seen = "does not end as a dump's file ends" if held < 0 else f"has {held} rows"
            raise BackupCorrupt(f"the stored data of {table} {seen}; the snapshot had {wanted.rows} rows.")
    strange = sorted(set(stored) - set(tables))
    if strange:
        raise BackupCorrupt(f"the dump holds data of {strange[0]}, which the snapshot did not show.")


def table_bytes(table_files: Mapping[str, str], sizes_bytes: Mapping[str, int], *, prefix: str) -> dict[str, int]:
    """Return table -> bytes of its rows in the dump, before they are compressed.

    Args:
        table_files: File of the dump -> table.
        sizes_bytes: File of the artefact -> its size.
        prefix: Folder of the dump inside the artefact.
    """
    return {table: sizes_bytes[f"{prefix}/{name}"] for name, table in table_files.items()}


def check_stderr(lines: Iterable[str]) -> None:
    """Refuse a dump whose program said anything at all: a clean pg_dump is silent.

    Raises:
        PreconditionError: Quotes what it said.
    """
    said = [line for line in lines if line.strip()]
    if said:
        raise PreconditionError(
            f"pg_dump ended well and yet said: {' '.join(said)}",
            hint="Mend what it complains of; such a dump is not trusted.",
        )
