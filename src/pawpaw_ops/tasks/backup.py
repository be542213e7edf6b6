"""The first steps of a backup: look, hold one snapshot, dump and fingerprint in it."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pawpaw_ops import legacy, sealing
from pawpaw_ops.clients.files import folder_bytes
from pawpaw_ops.clients.postgres import catalog, fingerprint
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.postgres.fingerprint import Snapshot
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.errors import Blocked, CommandError
from pawpaw_ops.models.backup import Contents, Manifest, new_backup_id
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.database import DatabaseRow, Fingerprint, ServerFacts
from pawpaw_ops.plans import backup as plan
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session import Session, undo
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.client_tools import check_tools
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.places import Dumped, Places, answering, check_recipients
from pawpaw_ops.tasks.report import Progress

GLOBALS = "globals.sql"


@dataclass(frozen=True)
class Facts(Places[Manifest]):
    """What was found before a backup."""

    server: ServerFacts
    live: DatabaseRow
    client_version: str
    tables_bytes: int


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
    check_tools(do)
    client = do.runner.ask(command.version(pg.database.tools, "pg_dump"))
    plan.check_client(client, server)
    check_recipients(do)
    with pg.connect() as conn:
        tables_bytes = sum(table.size_bytes for table in fingerprint.tables(conn))
        if pg.database.freshness_query:
            catalog.newest_row_at(conn, pg.database.freshness_query)  # a bad one is told before anything begins
        if pg.database.schema_query:
            catalog.schema_version(conn, pg.database.schema_query)
    plan.check_room(
        tables_bytes * 3 // 2,
        report.free_bytes(do.stack.state_dir),
        where=f"the scratch folder in {do.stack.state_dir}",
    )
    places = answering(do, Manifest, pg.database.name)
    return Facts(places.catalogs, places.pending, server, live, client, tables_bytes)


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
                progress.show(folder_bytes(folder), facts.tables_bytes)
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
    schema = catalog.schema_version(snapshot.conn, database.schema_query) if database.schema_query else ""
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
        schema_version=schema,
    )
    return Dumped(contents, folder)
