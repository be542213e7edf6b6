"""One climb up the ladder of proof, from stored bytes and the key alone into a server of its own.

Nothing here can reach the live database: what is loaded and asked is a `DisposableServer` that this run made.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from pawpaw_ops import sealing
from pawpaw_ops.clients.postgres import catalog, side, structure
from pawpaw_ops.clients.postgres.connection import Conn, Postgres
from pawpaw_ops.clients.store import Catalog
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.disposable import SETTINGS, DisposableServer
from pawpaw_ops.errors import (
    BackupCorrupt,
    CommandError,
)
from pawpaw_ops.models.backup import CatalogEntry, Contents
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.database import Marker
from pawpaw_ops.plans import backup as backup_plan
from pawpaw_ops.plans import ladder
from pawpaw_ops.plans import restore as restore_plan
from pawpaw_ops.plans.equality import Difference
from pawpaw_ops.plans.ladder import DrillRecord
from pawpaw_ops.session import Session, undo
from pawpaw_ops.tasks.artefact import Chosen, Ready, check_belongs, count_rows, decode_dump, open_artefact, ready
from pawpaw_ops.tasks.backup import jobs
from pawpaw_ops.tasks.client_tools import check_tools
from pawpaw_ops.tasks.climb import LONGEST_TEXT, Climb, FellError
from pawpaw_ops.tasks.prove import check_write, differences_of
from pawpaw_ops.tasks.restore import load_into

SERVER_SETTINGS = {**SETTINGS, "log_line_prefix": "%e|"}
"""So that the log tells the SQLSTATE of what pg_restore only tells in prose."""
_FAILED_LINE = re.compile(r"^([0-9A-Z]{5})\|(?:ERROR|FATAL|PANIC):\s+(.*?)(?: at character \d+)?$", re.MULTILINE)


@dataclass(frozen=True)
class Drilled:
    """A backup to drill, and where its bytes are read."""

    entry: CatalogEntry
    target: Catalog


def climb(
    do: Session,
    drilled: Drilled,
    keys: Sequence[SecretStr],
    server: DisposableServer,
    *,
    budget_min: float | None = None,
) -> DrillRecord:
    """Climb the ladder with one backup in *server*, which is started if it is not up yet.

    Returns:
        What was found; nothing that is wrong with the backup or with our means raises.

    Touches:
        The scratch folder, and *server*.
    """
    up, name = Climb(), f"drill_{drilled.entry.backup_id}"
    try:
        opened = _open(do, up, drilled, keys)
        loaded = ready(Chosen(source=drilled.entry.backup_id), opened)
        _load(do, up, loaded, server, name)
        _compare(up, loaded, server.postgres(name, run_id=do.run_id))
        _ask(do, up, opened.contents, server.postgres(name, run_id=do.run_id))
    except FellError:
        pass
    finally:
        shutil.rmtree(do.scratch_folder() / "opened", ignore_errors=True)
    return _record(do, up, drilled, budget_min)


def _open(do: Session, up: Climb, drilled: Drilled, keys: Sequence[SecretStr]) -> sealing.Opened:
    """Rungs 0 and 1."""
    manifest, target, name = drilled.entry.manifest, drilled.target, do.stack.database.name
    with up.rung(0, "manifest"):
        if manifest is None:
            raise BackupCorrupt(drilled.entry.problem)
    assert manifest is not None
    with up.rung(0, "wrong-database"):
        check_belongs(do, manifest.backup_id, manifest.contents, name=name)
    with up.rung(0, "digest"), target.location.open(manifest.object_key) as stream:
        size_bytes, digest = sealing.hash_stream(stream)
    if (size_bytes, digest) != (manifest.size_bytes, manifest.sha256):
        same_size = size_bytes == manifest.size_bytes
        text = f"{size_bytes} bytes with SHA-256 {digest} are stored; the manifest says {manifest.size_bytes} with"
        up.find("digest" if same_size else "size", f"{text} {manifest.sha256}.")
        raise FellError
    chosen = Chosen(source=manifest.backup_id, manifest=manifest, target=target)
    with up.rung(1, "sealed"):
        opened = do.step(
            "open sealed bytes", lambda: open_artefact(do, chosen, keys, Contents, name=name), scratch=True
        )
    with up.rung(1, "server"):
        check_tools(do)
    with up.rung(1, "decode"):
        decode_dump(do, opened)
    with up.rung(1, "rows"):
        count_rows(opened)
    return opened


def _load(do: Session, up: Climb, loaded: Ready, server: DisposableServer, name: str) -> None:
    """Rung 2."""
    contents, pg = loaded.contents, server.postgres(name, run_id=do.run_id)
    assert contents is not None
    with up.rung(2, "server"):
        if server.process is None:
            _start(do, server)
    with up.rung(2, "load"):
        _make_room(do, pg, contents)
        logged = len(server.log_text())
        try:
            do.step("load", lambda: load_into(do, pg, loaded), scratch=True)
        except CommandError as seen:
            _tell_load(up, seen, server.log_text()[logged:])
            raise
        with pg.admin() as conn:
            side.set_properties(conn, name, contents.database)


def _tell_load(up: Climb, seen: CommandError, logged: str) -> None:
    """Tell a failed load as the server logged it: with the SQLSTATE, and without the rows that pg_restore quotes.

    The first line is the cause; what follows are the other sessions of the load, whose client went away.
    """
    found = _FAILED_LINE.findall(logged)
    if found and (seen.exit_code or 0) > 0:
        state, text = found[0]
        up.find(ladder.OF_SQLSTATE.get(state, "load"), f"SQLSTATE {state}: {text}.", rung=2)
        raise FellError from seen


def _start(do: Session, server: DisposableServer) -> None:
    def start() -> None:
        server.initialise()
        server.start()

    do.step("start a server of its own", start, undo=undo.reap_server(server.root), scratch=True)


def _make_room(do: Session, pg: Postgres, contents: Contents) -> None:
    """Make the roles and an empty database, or refuse what cannot be loaded here."""
    name, recorded = pg.database.name, contents.database
    facts, _ = catalog.check_identity(pg, needs_superuser=True)
    client = do.runner.ask(command.version(pg.database.tools, "pg_restore"))
    restore_plan.check_versions(contents.server, facts, client)
    marker = Marker(role="side", of=recorded.name, run_id=do.run_id, backup_id=contents.backup_id, at=utc_now())
    with pg.admin() as conn:
        side.check_extensions(contents.fingerprint.extensions, catalog.available_extensions(conn))
        backup_plan.check_room(recorded.size_bytes, catalog.free_bytes(conn), where="the folder for temporary files")
        there = catalog.existing_roles(conn)
        side.create_roles(conn, {r: words for r, words in contents.fingerprint.roles.items() if r not in there})
        side.create(conn, name, like=recorded, marker=marker)


def _compare(up: Climb, loaded: Ready, pg: Postgres) -> None:
    """Rungs 3 to 5."""
    assert loaded.contents is not None
    recorded = loaded.contents.database
    with up.rung(4, "content"):
        _, differences = differences_of(pg, loaded, like=recorded)
    with up.rung(3, "structure"):
        _tell(up, differences)
    with up.rung(5, "index"), pg.connect() as conn:
        for text in structure.broken_indexes(conn):
            up.find("index", text)
        row = catalog.database_row(conn, pg.database.name)
        here = row.collation_version if row else ""
        if recorded.collation_version and here != recorded.collation_version:
            text = f"text was sorted by version {recorded.collation_version}, this server by {here or 'an untold one'}."
            up.find("collation", text)


def _tell(up: Climb, differences: Sequence[Difference]) -> None:
    """Write down one finding per kind, with the first few differences of each."""
    texts: dict[str, list[str]] = {}
    for difference in differences:
        if not difference.note:
            texts.setdefault(ladder.OF_DIFFERENCE[difference.kind], []).append(difference.text)
    for code, found in texts.items():
        up.find(code, "; ".join(found)[:LONGEST_TEXT])


def _ask(do: Session, up: Climb, contents: Contents, pg: Postgres) -> None:
    """Rungs 6 and 7."""
    with up.rung(6, "smoke"), pg.connect() as conn:
        if contents.fingerprint.rows == 0:
            up.find("empty", "no table holds a row.")
        else:
            _smoke(do, up, conn)
            _freshness(do, up, contents, conn)
    with up.rung(7, "write"), pg.connect() as conn:
        check_write(conn)


def _smoke(do: Session, up: Climb, conn: Conn) -> None:
    for name, query in do.stack.database.smoke_queries.items():
        row = conn.execute(query.encode()).fetchone()
        if not row or row[0] is not True:
            up.find("smoke", f"{name}: the answer is {row[0] if row else 'no row'!r}, not true.")


def _freshness(do: Session, up: Climb, contents: Contents, conn: Conn) -> None:
    database = do.stack.database
    if not database.freshness_query:
        return
    newest_at = catalog.newest_row_at(conn, database.freshness_query)
    if newest_at is None or contents.taken_at - newest_at > timedelta(hours=database.freshness_h):
        seen = f"is of {newest_at:%Y-%m-%dT%H:%M%z}" if newest_at else "does not exist"
        up.find("stale", f"the newest row {seen}; the backup is of {contents.taken_at:%Y-%m-%dT%H:%M%z}.")


def _record(do: Session, up: Climb, drilled: Drilled, budget_min: float | None) -> DrillRecord:
    """Rung 8, and the sum of all."""
    manifest = drilled.entry.manifest
    contents = manifest.contents if manifest else None
    restore_s = sum(up.seconds.values())
    if 7 in up.seconds:  # noqa: PLR2004 - the rung below
        up.findings += ladder.over_budget(restore_s, budget_min)
        up.seconds[ladder.TOP] = 0.0
    rungs = ladder.results(up.findings, up.seconds)
    return DrillRecord(
        at=utc_now(),
        run_id=do.run_id,
        stack=do.stack.name,
        database=do.stack.database.name,
        backup_id=drilled.entry.backup_id,
        location=drilled.target.location.name,
        taken_at=contents.taken_at if contents else None,
        manifest_sha256=manifest.sha256 if manifest else "",
        verdict=ladder.verdict(rungs),
        rungs=rungs,
        restore_s=round(restore_s, 3),
        database_bytes=contents.database.size_bytes if contents else 0,
        rows=contents.fingerprint.rows if contents else 0,
        server_version_num=contents.server.version_num if contents else 0,
        jobs=jobs(),
    )
