"""Builders of backups for the tests of plans: full defaults, only what matters is said."""

from datetime import UTC, datetime
from typing import Any

from pawpaw_ops.models.backup import KEY_TIME, CatalogEntry, Contents, FileEntry, Manifest
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.database import DatabaseRow, Fingerprint, ServerFacts, TablePrint

SERVER = ServerFacts(
    system_identifier="7300000000000000001",
    version_num=150018,
    in_recovery=False,
    is_superuser=True,
    timeline=1,
    lsn="0/1",
)
ROW = DatabaseRow(
    oid=16384,
    name="app",
    owner="app",
    encoding="UTF8",
    collate="C",
    ctype="C",
    connection_limit=-1,
    allow_connections=True,
    acl=None,
    settings={},
)


def backup_id(at: datetime, number: int = 0) -> str:
    """Return the id of a backup of that time."""
    try:
        return f"{at.astimezone(UTC).strftime(KEY_TIME)}-{number:08x}"
    except OverflowError:
        return f"{at.replace(tzinfo=UTC).strftime(KEY_TIME)}-{number:08x}"


def contents(
    at: datetime, *, number: int = 0, rows: dict[str, int] | None = None, size: int = 1000, **more: Any
) -> Contents:
    """Return what a backup of that time holds."""
    tables = {name: TablePrint(rows=count, digest="1") for name, count in (rows or {"public.a": 1000}).items()}
    return Contents(
        backup_id=backup_id(at, number),
        taken_at=at,
        stack="shop",
        database=ROW,
        server=SERVER,
        client_version="15.18",
        fingerprint=Fingerprint(tables=tables),
        table_files={},
        files={"dump/1.dat": FileEntry(size_bytes=size, sha256="0" * 64)},
        **more,
    )


def manifest(at: datetime, *, number: int = 0, alarms: tuple[str, ...] = ()) -> Manifest:
    """Return the manifest of a backup of that time."""
    held = contents(at, number=number)
    return Manifest(
        contents=held,
        object_key=f"shop/app/{held.backup_id}/data.tar.zst.age",
        size_bytes=500,
        sha256="0" * 64,
        recipients=("age1x",),
        run_id="run",
        alarms=alarms,
    )


def entry(
    at: datetime,
    *,
    verdict: Verdict = Verdict.VERIFIED,
    number: int = 0,
    location: str = "here",
    readable: bool = True,
    alarms: tuple[str, ...] = (),
    **more: Any,
) -> CatalogEntry:
    """Return a backup as the catalog shows it."""
    return CatalogEntry(
        backup_id=backup_id(at, number),
        location=location,
        manifest=manifest(at, number=number, alarms=alarms) if readable else None,
        verdict=verdict,
        **more,
    )
