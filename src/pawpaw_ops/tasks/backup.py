"""The steps of a backup: look, dump in one snapshot, seal, store, prove the stored bytes, publish."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pydantic import SecretStr
from pyrage import x25519

from pawpaw_ops import legacy, sealing
from pawpaw_ops.clients.locations import Location
from pawpaw_ops.clients.postgres import catalog, fingerprint
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.postgres.fingerprint import Snapshot
from pawpaw_ops.clients.store import DATA, Catalog, locations
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.errors import (
    BackupCorrupt,
    Blocked,
    CommandError,
    ConfigError,
    PreconditionError,
    StoreError,
    Unreachable,
)
from pawpaw_ops.models.backup import Contents, Manifest, Proof, new_backup_id
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.database import DatabaseRow, Fingerprint, ServerFacts
from pawpaw_ops.plans import alarms
from pawpaw_ops.plans import backup as plan
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session import Session, undo
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.report import Progress, human_bytes, logger

GLOBALS = "globals.sql"


@dataclass(frozen=True)
class Facts:
    """What was found before a backup."""

    server: ServerFacts
    live: DatabaseRow
    client_version: str
    tables_bytes: int
    catalogs: tuple[Catalog, ...]
    pending: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dumped:
    """A dump in the scratch folder, and what the snapshot held."""

    contents: Contents
    folder: Path


@dataclass(frozen=True)
class Stored:
    """A sealed artefact as it lies in the store, and the key that only this run has."""

    sealed: sealing.Sealed
    contents: Contents
    catalogs: tuple[Catalog, ...]
    pending: tuple[str, ...]
    run_key: SecretStr = field(repr=False)


def jobs() -> int:
    """Return how many sessions work side by side."""
    return max(1, min(4, os.cpu_count() or 1))


@operation("look before backup")
def look_before_backup(do: Session) -> Facts:
    """Ask server, tools, disk and store, and refuse before anything is begun.

    Raises:
        PreconditionError: Of the class that says what is wrong.

    Touches:
        A probe object in each location.
    """
    pg = Postgres(do.stack.database, do.run_id)
    server, row = catalog.check_identity(pg, needs_superuser=False)
    live = plan.check_live(row, pg.database.name)
    client = do.runner.ask(command.version(pg.database.tools, "pg_dump"))
    plan.check_client(client, server)
    for key in do.stack.store.recipients:
        sealing.recipient(key)
    if not do.stack.store.recipients:
        raise ConfigError("the BackupStore has no age recipients.", hint="`pawpaw new-key` makes a pair of keys.")
    with pg.connect() as conn:
        tables_bytes = sum(table.size_bytes for table in fingerprint.tables(conn))
    plan.check_room(
        tables_bytes * 3 // 2,
        report.free_bytes(do.stack.state_dir),
        where=f"the scratch folder in {do.stack.state_dir}",
    )
    good, pending = _answering(do)
    return Facts(server, live, client, tables_bytes, good, pending)


def _answering(do: Session) -> tuple[tuple[Catalog, ...], tuple[str, ...]]:
    """Return the locations that answer; one alone that does not is an error, of several it is left pending."""
    good: list[Catalog] = []
    seen: list[Exception] = []
    for location in locations(do.stack.store):
        try:
            location.check()
            good.append(Catalog(location, do.stack.name, do.stack.database.name))
        except (Unreachable, ConfigError, PreconditionError, StoreError) as error:
            logger().warning("%s: %s", location.name, error)
            seen.append(error)
    if not good:
        raise seen[0]
    return tuple(good), tuple(str(error) for error in seen)


@contextlib.contextmanager
def one_snapshot(do: Session) -> Iterator[Snapshot]:
    """Hold one snapshot for the dump and the fingerprint; our sessions on the server are ended when it goes wrong."""
    pg = Postgres(do.stack.database, do.run_id)
    sessions = undo.end_backends(do.run_id)
    with do.step("hold a snapshot", lambda: fingerprint.exported_snapshot(pg), undo=sessions, scratch=True) as snapshot:
        yield snapshot


@operation("fingerprint tables")
def fingerprint_tables(do: Session, snapshot: Snapshot) -> Fingerprint:
    """Count and hash every table in the snapshot of the dump.

    Touches:
        Nothing; reads every row once.
    """
    return fingerprint.take(Postgres(do.stack.database, do.run_id), snapshot, jobs=jobs())


@operation("dump database")
def dump_database(do: Session, facts: Facts, snapshot: Snapshot) -> Path:
    """Dump in the snapshot with the server's own pg_dump, giving way to whoever waits behind it.

    Raises:
        Blocked: Somebody waited longer than 5 s for a lock behind the dump.
        CommandError: pg_dump failed; its words are quoted.
        PreconditionError: pg_dump ended well and yet complained.

    Touches:
        The scratch folder; holds share locks while it runs.
    """
    folder = do.scratch_folder() / "plain"
    pg = Postgres(do.stack.database, do.run_id)
    line = command.dump(pg.database, to=folder / sealing.DUMP, snapshot=snapshot.id, jobs=jobs(), app=pg.app)
    progress = Progress(f"dump-{pg.database.name}", f"dumping {pg.database.name}")

    def dump() -> None:
        folder.mkdir()
        with pg.admin() as watching, LocalRunner().started(line) as process:

            def watch() -> None:
                progress.show(_folder_bytes(folder), facts.tables_bytes)
                waited_s, statement = catalog.waiting_behind(watching, pg.app)
                if waited_s > plan.MAX_BLOCK_S:
                    raise Blocked(
                        f"the backup gave way: {statement!r} had waited {waited_s:.0f} s behind it.",
                        hint="Run it again when the migration is over.",
                    )

            try:
                process.finish(while_running=watch)
            except CommandError as seen:
                plan.check_not_full(facts.tables_bytes, report.free_bytes(folder), where=str(folder), cause=seen)
                raise
            plan.check_stderr(process.stderr_lines)
        roles = do.runner.run(command.dump_globals(pg.database, app=pg.app))
        (folder / GLOBALS).write_text(roles)

    do.step("dump", dump, scratch=True)
    progress.finish()
    return folder


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@operation("export plain SQL")
def export_plain_sql(do: Session, snapshot: Snapshot, *, wanted: bool) -> Path | None:
    """Write the manual's `backup_YYYY-MM-DD.sql.gz` in the same snapshot, and read it back to its last line.

    Returns:
        The file; None where it is not wanted.

    Raises:
        BackupCorrupt: The file is not whole.

    Touches:
        One file in the store's folder, or in `exports/` of the stack's folder where there is none.
    """
    if not wanted:
        return None
    store = do.stack.store.folder
    folder = store.path if store else do.stack.state_dir / "exports"
    target = folder / f"backup_{utc_now():%Y-%m-%d}.sql.gz"
    draft = do.scratch_folder() / target.name
    pg = Postgres(do.stack.database, do.run_id)

    def export() -> None:
        do.runner.run(command.dump_sql(pg.database, to=draft, snapshot=snapshot.id, app=pg.app))
        legacy.check(draft)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(draft, folder / f".{target.name}")
        (folder / f".{target.name}").rename(target)

    do.step("export plain SQL", export, scratch=True)
    return target


def describe_dump(do: Session, facts: Facts, snapshot: Snapshot, folder: Path, prints: Fingerprint) -> Dumped:
    """Write down what the dump holds."""
    database = do.stack.database
    by_oid = {table.oid: table.name for table in fingerprint.tables(snapshot.conn)}
    oids = do.runner.ask(command.table_files(database.tools, source=folder / sealing.DUMP))
    newest = catalog.newest_row_at(snapshot.conn, database.freshness_query) if database.freshness_query else None
    taken_at = snapshot.conn.execute("SELECT now()").fetchone()
    assert taken_at is not None
    contents = Contents(
        backup_id=new_backup_id(utc_now()),
        taken_at=taken_at[0],
        stack=do.stack.name,
        database=facts.live,
        server=facts.server,
        client_version=facts.client_version,
        fingerprint=prints,
        table_files={name: by_oid[oid] for name, oid in oids.items() if oid in by_oid},
        files=sealing.list_files(folder),
        newest_at=newest,
    )
    return Dumped(contents, folder)


@operation("seal backup")
def seal_backup(do: Session, dumped: Dumped) -> tuple[sealing.Sealed, SecretStr]:
    """Compress and encrypt the dump in one pass, for the store's recipients and for this run.

    The run's own key is made here and forgotten with the process; with it the stored bytes can be opened and proven
    without the secret key ever being on this host.

    Touches:
        The scratch folder.
    """
    run_key = x25519.Identity.generate()
    recipients = (*do.stack.store.recipients, str(run_key.to_public()))
    total = sum(entry.size_bytes for entry in dumped.contents.files.values())
    progress = Progress(f"seal-{do.stack.database.name}", f"sealing {human_bytes(total)}")
    target = do.scratch_folder() / DATA

    def seal() -> sealing.Sealed:
        return sealing.seal(
            dumped.folder,
            dumped.contents,
            to=target,
            recipients=recipients,
            on_bytes=lambda done: progress.show(done, total),
        )

    sealed = do.step("seal", seal, scratch=True)
    progress.finish()
    return sealed, SecretStr(str(run_key))


@operation("store sealed bytes")
def store_sealed(do: Session, facts: Facts, dumped: Dumped, sealed: sealing.Sealed, run_key: SecretStr) -> Stored:
    """Put the artefact into every location under a key of its own; nothing is visible yet.

    Raises:
        StoreError: No location took it; the first one's error.

    Touches:
        One object per location.
    """
    good: list[Catalog] = []
    pending, errors = list(facts.pending), []
    for target in facts.catalogs:
        try:
            _store(do, target, dumped.contents.backup_id, sealed)
            good.append(target)
        except (StoreError, Unreachable, ConfigError) as seen:
            logger().warning("%s: %s", target.location.name, seen)
            pending.append(str(seen))
            errors.append(seen)
    if not good:
        raise errors[0]
    return Stored(sealed, dumped.contents, tuple(good), tuple(pending), run_key)


def _store(do: Session, target: Catalog, backup_id: str, sealed: sealing.Sealed) -> None:
    key = target.key(backup_id, DATA)
    do.step(
        f"store in {target.location.name}",
        lambda: target.location.put_file(key, sealed.path, sha256=sealed.sha256),
        undo=undo.remove_unpublished(target.location.name, backup_id),
    )


@operation("prove stored bytes")
def prove_stored_bytes(do: Session, stored: Stored) -> None:
    """Read back what is stored, open it, decode the whole dump, and count the rows of every table in it.

    Raises:
        BackupCorrupt: What is stored is not what was sealed, or the dump is not whole.

    Touches:
        The scratch folder.
    """
    first, *others = stored.catalogs
    key = first.key(stored.contents.backup_id, DATA)
    folder = do.scratch_folder() / "opened"
    with first.location.open(key) as stream:
        opened = sealing.unseal(stream, identities=[stored.run_key], to=folder)
    _same(first.location, key, (opened.size_bytes, opened.sha256), stored.sealed)
    do.runner.run(command.decode(do.stack.database.tools, source=folder / sealing.DUMP))
    contents = stored.contents
    plan.check_dump(contents.table_files, opened.rows, contents.fingerprint.tables, prefix=sealing.DUMP)
    for other in others:
        _same(other.location, key, _hash(other.location, key), stored.sealed)


def _hash(location: Location, key: str) -> tuple[int, str]:
    with location.open(key) as stream:
        return sealing.hash_stream(stream)


def _same(location: Location, key: str, read: tuple[int, str], sealed: sealing.Sealed) -> None:
    if read != (sealed.size_bytes, sealed.sha256):
        raise BackupCorrupt(
            f"{location.name} stored {key!r} as {read[0]} bytes with SHA-256 {read[1][:16]}…;"
            f" sealed were {sealed.size_bytes} bytes with {sealed.sha256[:16]}….",
            hint="The store changes what it is given; do not rely on it.",
        )


@operation("publish backup")
def publish_backup(do: Session, stored: Stored, previous: Manifest | None) -> Manifest:
    """Store the proof, then the manifest: from here on the backup exists.

    Touches:
        Two small objects per location.
    """
    contents = stored.contents
    manifest = Manifest(
        contents=contents,
        object_key=stored.catalogs[0].key(contents.backup_id, DATA),
        size_bytes=stored.sealed.size_bytes,
        sha256=stored.sealed.sha256,
        recipients=do.stack.store.recipients,
        run_id=do.run_id,
        alarms=alarms.alarms(
            contents,
            previous=previous.contents if previous else None,
            freshness_h=do.stack.database.freshness_h if do.stack.database.freshness_query else None,
        ),
        durations_s=do.durations_s,
    )
    for target in stored.catalogs:
        add_proof(target, manifest.backup_id, Verdict.VERIFIED, level=1, run_id=do.run_id)
        do.step(f"publish in {target.location.name}", partial(target.publish, manifest))
    do.commit(f"backup {manifest.backup_id}")
    return manifest


def add_proof(
    target: Catalog, backup_id: str, verdict: Verdict, *, level: int, run_id: str, findings: tuple[str, ...] = ()
) -> None:
    """Store the result of a look at a backup."""
    target.add_proof(
        Proof(backup_id=backup_id, at=utc_now(), verdict=verdict, level=level, run_id=run_id, findings=findings)
    )


def newest_verified(catalogs: tuple[Catalog, ...]) -> Manifest | None:
    """Return the newest manifest whose backup is verified, in any location."""
    found = [
        entry.manifest
        for target in catalogs
        for entry in target.entries()
        if entry.verdict is Verdict.VERIFIED and entry.manifest is not None
    ]
    return max(found, key=lambda manifest: manifest.contents.taken_at, default=None)


@operation("report backup")
def report_backup(do: Session, manifest: Manifest, pending: tuple[str, ...]) -> None:
    """Show what was backed up, table by table.

    Touches:
        An artifact in Prefect.
    """
    prints = manifest.contents.fingerprint
    rows = [{"table": name, "rows": made.rows, "digest": made.digest} for name, made in prints.tables.items()]
    gist = (
        f"**{manifest.backup_id}**: {len(prints.tables)} tables, {prints.rows:,} rows,"
        f" {human_bytes(manifest.size_bytes)} sealed, verified."
    )
    for text in (*manifest.alarms, *pending):
        gist += f"\n- ⚠ {text}"
    report.table(f"backup-{do.stack.name}-{do.stack.database.name}", rows, gist=gist)
