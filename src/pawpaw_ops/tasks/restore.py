"""The steps of a restore up to the swap: choose, fetch, verify, plan, load beside, prove."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops import legacy
from pawpaw_ops.clients.postgres import catalog, fingerprint, side
from pawpaw_ops.clients.postgres.connection import Conn, Postgres, PostgresError
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.commands.sqlrules import SqlDump
from pawpaw_ops.commands.toc import freeze
from pawpaw_ops.errors import BackupMissing, ConfigError, PreconditionError
from pawpaw_ops.models.backup import Contents
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.database import DatabaseRow, Fingerprint, Marker
from pawpaw_ops.plans import backup as backup_plan
from pawpaw_ops.plans import restore as plan
from pawpaw_ops.plans.equality import TableLoss, losses
from pawpaw_ops.plans.restore import RestorePlan
from pawpaw_ops.session import Session, undo
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.artefact import Chosen, Ready, check_decodes, open_artefact, ready
from pawpaw_ops.tasks.backup import jobs
from pawpaw_ops.tasks.client_tools import check_tools
from pawpaw_ops.tasks.operation import operation


@operation("choose backup")
def choose_backup(do: Session, wanted: str) -> Chosen:
    """Find the backup that is meant.

    Args:
        do: The session.
        wanted: `newest`, an id, a date or time, or the path of a `.sql`, `.sql.gz` or sealed `.age` file.

    Raises:
        BackupMissing: There is none.
        BackupCorrupt: It is known to be broken.
        ConfigError: *wanted* is none of these.

    Touches:
        Nothing.
    """
    if "/" in wanted or wanted.endswith((".gz", ".sql", ".age")):
        path = Path(wanted)
        if not path.is_file():
            raise BackupMissing(f"there is no file {path}.", hint="Give the path as the worker's host sees it.")
        return Chosen(source=str(path), file=path)
    catalogs = {
        location.name: Catalog(location, do.stack.name, do.stack.database.name)
        for location in locations(do.stack.store)
    }
    entry = plan.choose([entry for target in catalogs.values() for entry in target.entries()], wanted)
    return Chosen(source=entry.backup_id, manifest=entry.manifest, target=catalogs[entry.location])


@operation("fetch and verify")
def fetch_and_verify(do: Session, chosen: Chosen, keys: Sequence[SecretStr]) -> Ready:
    """Fetch, hash, decrypt, decode the whole backup and count its rows; no SQL was sent before this ends well.

    Raises:
        WrongKey: No identity fits.
        BackupCorrupt: The bytes are not a complete backup.
        DiskTooSmall: The scratch folder cannot hold it.

    Touches:
        The scratch folder.
    """
    check_tools(do)
    if chosen.file is not None and chosen.file.suffix != ".age":
        return _check_sql(do, chosen.source, chosen.file)
    return do.step("fetch and verify", lambda: _fetch_and_verify(do, chosen, keys), scratch=True)


def _fetch_and_verify(do: Session, chosen: Chosen, keys: Sequence[SecretStr]) -> Ready:
    opened = open_artefact(do, chosen, keys, Contents, name=do.stack.database.name)
    check_decodes(do, opened)
    return ready(chosen, opened)


def _check_sql(do: Session, source: str, file: Path) -> Ready:
    to = do.scratch_folder() / "plain.sql"
    server, _ = catalog.check_identity(Postgres(do.stack.database, do.run_id), needs_superuser=True)
    client = do.runner.ask(command.version(do.stack.database.tools, "psql"))

    def check() -> SqlDump:
        return legacy.prepare(file, to=to, server_major=server.major, client_version=client)

    return Ready(source, to, sql=do.step("check SQL file", check, scratch=True))


@operation("plan restore")
def plan_restore(do: Session, ready: Ready, into: str, *, accept_schema: bool) -> RestorePlan:
    """Ask the server, and decide names, properties, roles; refuse what cannot work.

    Raises:
        IdentityMismatch: Another server answers.
        VersionMismatch: The server or the client tools are too old for the backup.
        ExtensionMissing: The server cannot offer an extension.
        Blocked: Something holds on to the live database.
        DiskTooSmall: The server has no room for both databases.
        ConfigError: The name *into* is taken.
        NotApproved: The backup's schema is older than live's, and nobody accepted that.

    Touches:
        Nothing.
    """
    pg = Postgres(do.stack.database, do.run_id)
    server, live = catalog.check_identity(pg, needs_superuser=True)
    client = do.runner.ask(command.version(pg.database.tools, "pg_restore"))
    plan.check_versions(ready.contents.server if ready.contents else server, server, client)
    needs: Fingerprint | None = ready.contents.fingerprint if ready.contents else None
    with pg.admin() as conn:
        side.check_extensions(needs.extensions if needs else {}, catalog.available_extensions(conn))
        if live is not None and not into:
            backup_plan.check_live(live, live.name)
            plan.check_blockers(catalog.blockers(conn, live.name), live.name)
        plan.check_into(into, catalog.database_names(conn))
        free = catalog.free_bytes(conn)
        plan.check_server_room(ready.size_bytes, catalog.wal_to_come(conn), free)
        roles = catalog.existing_roles(conn)
        like = _like(conn, ready, live)
        missing = {name: words for name, words in (needs.roles if needs else {}).items() if name not in roles}
    recorded = ready.contents.database if ready.contents else None
    versions, odd = _schema_versions(do, ready, live)
    plan.check_schema(*versions, accepted=accept_schema or bool(into))
    return RestorePlan(
        source=ready.source,
        live=pg.database.name,
        live_oid=live.oid if live else None,
        side=side.derived_name(pg.database.name, f"restore_{do.run_id[:8]}"),
        retired=side.derived_name(pg.database.name, f"old_{utc_now():%Y%m%dT%H%M%SZ}_{do.run_id[:4]}"),
        into=into,
        like=like,
        missing_roles=missing,
        extensions=needs.extensions if needs else {},
        carried=side.properties_differ(recorded, live) if recorded and live else {},
        schema_versions=versions,
        unknown=(*(("how much room the server has",) if free is None else ()), *odd),
    )


def _schema_versions(do: Session, ready: Ready, live: DatabaseRow | None) -> tuple[tuple[str, str], tuple[str, ...]]:
    """Return the version of the backup's schema and of live's, and what is not known of them: live may be wrecked."""
    query = do.stack.database.schema_query
    if not query:
        return ("", ""), ()
    backup = ready.contents.schema_version if ready.contents else ""
    odd = [] if backup else ["which version the backup's schema has"]
    now = ""
    if live is not None:
        try:
            with Postgres(do.stack.database, do.run_id).connect() as conn:
                now = catalog.schema_version(conn, query)
        except (ConfigError, PreconditionError, PostgresError) as seen:
            report.logger().warning("the version of the live schema is not known: %s", seen)
    if not now:
        odd.append("which version the live schema has")
    return (backup, now), tuple(odd)


def _like(conn: Conn, ready: Ready, live: DatabaseRow | None) -> DatabaseRow:
    """Return whose encoding, locale and properties the new database gets: live's own, else the backup's."""
    recorded = ready.contents.database if ready.contents else None
    if live is None and recorded is None:
        found = catalog.database_row(conn, "postgres")
        assert found is not None
        return found.model_copy(update={"comment": "", "settings": {}, "acl": None})
    if live is not None and recorded is not None and live.encoding != recorded.encoding:
        raise ConfigError(
            f"the backup is {recorded.encoding}, the live database {live.encoding}.", hint="Restore with into=NAME."
        )
    chosen = live or recorded
    assert chosen is not None
    return chosen


@operation("load beside")
def load_beside(do: Session, ready: Ready, planned: RestorePlan, *, spare_slots: bool = True) -> int:
    """Make a side database, marked as ours and closed to everybody else, and load the backup into it.

    The load ends before live's disk is full.

    Args:
        do: The session.
        ready: The backup.
        planned: What was decided.
        spare_slots: Whether it also ends before the server gives up a replication slot.

    Returns:
        The object id of the side database.

    Raises:
        CommandError: pg_restore or psql failed at the first error; its words are quoted.
        DiskTooSmall: The server's disk is filling up.
        Blocked: The server is about to give up a replication slot.
        RoleMissing: A role could not be made.

    Touches:
        Adds one database, and the roles that were missing; the live database is not touched.
    """
    pg = Postgres(do.stack.database, do.run_id)
    marker = Marker(
        role="side",
        of=planned.live,
        run_id=do.run_id,
        backup_id=planned.source,
        at=utc_now(),
        comment=planned.like.comment,
        connection_limit=planned.like.connection_limit,
    )
    with pg.admin() as conn:
        names = tuple(planned.missing_roles)
        do.step(
            "make missing roles", lambda: side.create_roles(conn, planned.missing_roles), undo=undo.drop_roles(names)
        )
        do.step(
            "create side database",
            lambda: side.create(conn, planned.side, like=planned.like, marker=marker),
            undo=undo.drop_side(planned.side, do.run_id),
        )
        do.step(
            "load",
            lambda: load_into(do, pg.named(planned.side), ready, guard=partial(_guard, spare_slots=spare_slots)),
            undo=undo.end_backends(do.run_id),
        )
        do.step("set properties", lambda: side.set_properties(conn, planned.side, planned.like))
        made = catalog.database_row(conn, planned.side)
    assert made is not None
    return made.oid


def _guard(conn: Conn, *, spare_slots: bool) -> None:
    """End a load before it costs live its disk, or a standby its slot."""
    slots = catalog.slots_at_risk(conn, plan.RESERVE_BYTES) if spare_slots else ()
    plan.check_load_goes_on(catalog.free_bytes(conn), slots)


def load_into(do: Session, pg: Postgres, ready: Ready, *, guard: Callable[[Conn], None] | None = None) -> None:
    """Load a backup into the empty database of *pg*, stopping at the first error, and ANALYZE it.

    Args:
        do: The session.
        pg: Where to.
        ready: The backup.
        guard: Asked before the load and every second of it; what it raises ends the load.

    Raises:
        CommandError: pg_restore or psql failed; its words are quoted.

    Touches:
        Fills that database.
    """
    name = pg.database.name
    progress = report.Progress(f"load-{do.stack.name}", f"loading {ready.source} into {name}")
    if ready.contents is not None:
        toc = ready.path / "toc.dat"
        if jobs() > 1:
            toc.write_bytes(freeze(toc.read_bytes(), ready.contents.table_files.values()))
        line = command.restore(pg.database, dbname=name, source=ready.path, jobs=jobs(), app=pg.app)
    else:
        line = command.load_sql(pg.database, dbname=name, source=ready.path, app=pg.app)
    with pg.admin() as watching:

        def watch() -> None:
            row = catalog.database_row(watching, name)
            progress.show(row.size_bytes if row else 0, ready.size_bytes)
            if guard is not None:
                guard(watching)

        watch()
        do.runner.run(line, while_running=watch)
    with pg.connect() as conn:
        conn.execute("ANALYZE")
    progress.finish()


@operation("compare with live")
def compare_with_live(do: Session, chosen: Chosen) -> tuple[tuple[TableLoss, ...], str]:
    """Hold the live database against the backup, table by table: what a restore would change.

    Returns:
        One row per table, and why live could not be read, if so.

    Touches:
        Nothing; reads every live row once.
    """
    recorded = chosen.manifest.contents.fingerprint if chosen.manifest else Fingerprint(tables={})
    pg = Postgres(do.stack.database, do.run_id)
    try:
        with pg.admin() as conn:
            if catalog.database_row(conn, pg.database.name) is None:
                return losses(recorded, None), f"no database is called {pg.database.name!r}"
        return losses(recorded, fingerprint.take_now(pg, jobs=1)), ""
    except (PreconditionError, PostgresError) as seen:
        return losses(recorded, None), f"the live database cannot be read: {seen}"
