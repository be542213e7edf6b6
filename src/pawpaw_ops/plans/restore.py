"""What a restore will do, decided before anything is done."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from pydantic import Field

from pawpaw_ops.errors import (
    BackupCorrupt,
    BackupMissing,
    Blocked,
    ConfigError,
    DiskTooSmall,
    NotApproved,
    VersionMismatch,
)
from pawpaw_ops.models.backup import CatalogEntry, M, id_time
from pawpaw_ops.models.base import Noun, Verdict
from pawpaw_ops.models.database import DatabaseRow, ServerFacts

LONGEST_NAME = 63
RESERVE_BYTES = 256 << 20
"""What a load leaves: a server that cannot write its log stops, and a slot that is too far behind is given up."""
LIST = "`prefect deployment run list-backups/…` shows what there is."


class RestorePlan(Noun):
    """One restore, decided.

    Attributes:
        source: Backup id or file.
        live: Name of the database that lives.
        live_oid: Its object id; None when no database has that name.
        side: Name of the database that is loaded.
        retired: Name that the replaced one will get.
        into: Name to restore into without touching live; empty restores live.
        like: Encoding, locale and properties for the new database.
        missing_roles: Roles to make -> attributes.
        extensions: Extensions that the backup needs.
        carried: Properties in which live differs from the backup; live's are kept.
        schema_versions: The version of the backup's schema and of live's, where they are known.
        unknown: What could not be looked at.
    """

    source: str
    live: str
    live_oid: int | None
    side: str
    retired: str
    into: str = ""
    like: DatabaseRow
    missing_roles: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    extensions: Mapping[str, str] = Field(default_factory=dict)
    carried: Mapping[str, tuple[object, object]] = Field(default_factory=dict)
    schema_versions: tuple[str, str] = ("", "")
    unknown: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What an approval is given for; it must still hold afterwards."""
        words = (self.source, self.live, str(self.live_oid), self.side, self.retired, self.into)
        return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]


def choose(entries: Sequence[CatalogEntry[M]], wanted: str) -> CatalogEntry[M]:
    """Choose a backup.

    Args:
        entries: What the store has, in the order in which locations are preferred.
        wanted: `newest` (the newest verified one), an id, or a date or time: the newest verified one up to then.

    Raises:
        BackupMissing: None fits; says what was asked for and what there is.
        BackupCorrupt: The one asked for is known to be broken.
        ConfigError: *wanted* is none of these.
    """
    good = sorted((e for e in entries if e.verdict is Verdict.VERIFIED), key=lambda entry: entry.taken_at, reverse=True)
    if wanted == "newest":
        return _first(good, "asked for the newest verified backup", len(entries))
    if (until := _moment(wanted)) is not None:
        seen = f"asked for the newest verified backup up to {until:%Y-%m-%dT%H:%M:%SZ}"
        return _first([entry for entry in good if entry.taken_at <= until], seen, len(entries))
    id_time(wanted)
    named = [entry for entry in entries if entry.backup_id == wanted]
    usable = [entry for entry in named if entry.verdict is not Verdict.FAILED]
    if named and not usable:
        raise BackupCorrupt(f"backup {wanted} is known to be broken: {named[0].problem}.", hint=LIST)
    return _first(usable, f"asked for the backup {wanted}", len(entries))


def _first(entries: Sequence[CatalogEntry[M]], tried: str, total: int) -> CatalogEntry[M]:
    if not entries:
        raise BackupMissing(f"{tried}; none of the {total} backups in the store is that.", hint=LIST)
    return entries[0]


def _moment(wanted: str) -> datetime | None:
    """Read a date (its last moment, UTC) or an ISO time (UTC where it has no zone)."""
    try:
        if len(wanted) == len("2026-08-01"):
            day = date.fromisoformat(wanted)
            return datetime.combine(day, time.min, tzinfo=UTC) + timedelta(days=1, microseconds=-1)
        moment = datetime.fromisoformat(wanted)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def check_versions(backup: ServerFacts, server: ServerFacts, client_version: str) -> None:
    """Refuse a server older than the backup's, and client tools of another major version.

    Raises:
        VersionMismatch: Names the versions.
    """
    if server.major < backup.major:
        raise VersionMismatch(
            f"the backup is from PostgreSQL {backup.major}, the server is {server.major}.",
            hint=f"Restore it on PostgreSQL {backup.major} or newer.",
        )
    if int(client_version.split(".", maxsplit=1)[0]) != server.major:
        raise VersionMismatch(
            f"the client tools are PostgreSQL {client_version}, the server is {server.major}.",
            hint="Set the folder or container of the client tools in the PostgresDatabase block.",
        )


def check_schema(backup: str, live: str, *, accepted: bool) -> None:
    """Refuse a schema that is older than live's: the application that runs was made for the newer one.

    Args:
        backup: The backup's version; empty where it is not known.
        live: Live's.
        accepted: Whether somebody said that it may be older.

    Raises:
        NotApproved: It is older, or other than live's where versions have no order that is known.
    """
    if accepted or not backup or not live or backup == live:
        return
    if backup.isdecimal() and live.isdecimal() and int(backup) > int(live):
        return
    raise NotApproved(
        f"the backup's schema has version {backup}, live has {live}: the application was made for that one.",
        hint="Pass accept_schema=true, and deploy the release that belongs to it; or restore with into=NAME.",
    )


def check_server_room(database_bytes: int, wal_bytes: int, free_bytes: int | None) -> None:
    """Refuse a server that has no room for a second database, the log of its load and a reserve.

    Args:
        database_bytes: How large the second database will be.
        wal_bytes: By how much the log may grow before it is recycled; a load writes about twice what it loads at most.
        free_bytes: What is free; None where it is not known.

    Raises:
        DiskTooSmall: With the numbers.
    """
    wal_bytes = min(wal_bytes, 2 * database_bytes)
    needed = database_bytes + wal_bytes + RESERVE_BYTES
    if free_bytes is not None and free_bytes < needed:
        raise DiskTooSmall(
            f"the server's data folder needs {needed:,} bytes and has {free_bytes:,} free: {database_bytes:,} for the"
            f" database beside live, {wal_bytes:,} for write-ahead log, {RESERVE_BYTES:,} that stay free.",
            hint="Make room there, or restore on another server: its address goes into the PostgresDatabase block.",
        )


def check_load_goes_on(free_bytes: int | None, slots: Sequence[str]) -> None:
    """End a load before live pays for it.

    Args:
        free_bytes: What is free in the server's data folder.
        slots: The replication slots that the load's log would have the server give up, in words.

    Raises:
        DiskTooSmall: The reserve is touched.
        Blocked: A slot is about to be given up, so that its standby would have to be made anew.
    """
    if free_bytes is not None and free_bytes < RESERVE_BYTES:
        raise DiskTooSmall(
            f"the load was ended: the server's data folder has {free_bytes:,} bytes free, {RESERVE_BYTES:,} are kept"
            " for live.",
            hint="Make room there and restore again.",
        )
    if slots:
        raise Blocked(
            f"the load was ended before the server gives up what a standby still needs: {'; '.join(slots)}.",
            hint="Let the standby catch up or raise max_slot_wal_keep_size, and restore again; or standby=go-on.",
        )


def check_blockers(blockers: Sequence[str], name: str) -> None:
    """Refuse a database that something holds on to beyond its sessions.

    Raises:
        Blocked: Names each.
    """
    if blockers:
        raise Blocked(
            f"the database {name!r} cannot be replaced: {'; '.join(blockers)}.",
            hint="End these first: ROLLBACK PREPARED, pg_drop_replication_slot, DROP SUBSCRIPTION.",
        )


def check_into(into: str, existing: Sequence[str]) -> None:
    """Refuse a name that is taken or too long.

    Raises:
        ConfigError: Says which.
    """
    if into in existing:
        raise ConfigError(
            f"restoring into {into!r}: a database of that name exists.", hint="Choose a free name, or drop it yourself."
        )
    if len(into.encode()) > LONGEST_NAME:
        raise ConfigError(f"the name {into!r} is longer than PostgreSQL's 63 bytes.")
