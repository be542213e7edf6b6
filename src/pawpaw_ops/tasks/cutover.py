"""The steps that change what is live: ask, swap; and the way back."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pawpaw_ops.clients.postgres import catalog, fingerprint, side, swap
from pawpaw_ops.clients.postgres.connection import Postgres, PostgresError
from pawpaw_ops.errors import BackupMissing, NotApproved, PreconditionError, VerificationError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.database import DatabaseRow, Fingerprint, Marker
from pawpaw_ops.plans import restore as plan
from pawpaw_ops.plans.equality import TableLoss, losses
from pawpaw_ops.plans.restore import RestorePlan
from pawpaw_ops.session import Session, undo
from pawpaw_ops.tasks.backup import jobs
from pawpaw_ops.tasks.operation import operation

UNDO = "`prefect deployment run undo-restore/…` swaps the replaced database back."


@dataclass(frozen=True)
class Swapped:
    """A swap that happened: how long the database was away, and where the replaced one is."""

    outage_ms: float
    retired: str
    live_oid: int


@operation("mark as proven")
def mark_proven(do: Session, planned: RestorePlan, found: Fingerprint, side_oid: int) -> None:
    """Write down that the side database is proven, and close it until the swap.

    Touches:
        Its marker, its openness, and a record of its contents in the stack's folder.
    """
    pg = Postgres(do.stack.database, do.run_id)

    def mark() -> None:
        save_fingerprint(do.stack.state_dir, side_oid, found)
        with pg.admin() as conn:
            row = catalog.database_row(conn, planned.side)
            marker = Marker.from_comment(row.comment) if row else None
            if marker is None:
                raise VerificationError(f"the side database {planned.side!r} is gone or was changed by somebody else.")
            side.mark(conn, planned.side, marker.model_copy(update={"state": "proven"}))
            side.close(conn, planned.side)

    do.step("mark as proven", mark)


@operation("open beside")
def open_beside(do: Session, planned: RestorePlan) -> str:
    """Give the side database the name that was asked for, and open it; live stays as it is.

    Returns:
        That name.

    Touches:
        The side database's name, marker and openness.
    """
    with Postgres(do.stack.database, do.run_id).admin() as conn:
        do.step("open beside", lambda: swap.rename_and_open(conn, planned.side, planned.into))
    do.commit(f"{planned.source} restored as {planned.into}")
    return planned.into


@operation("ask the world again")
def ask_again(do: Session, planned: RestorePlan, side_oid: int) -> None:
    """Check that what was approved is still what there is.

    Raises:
        NotApproved: Live or side database is another one than before the approval.
        Blocked: Something holds on to the live database now.

    Touches:
        Nothing.
    """
    pg = Postgres(do.stack.database, do.run_id)
    _, live = catalog.check_identity(pg, needs_superuser=True)
    with pg.admin() as conn:
        beside = catalog.database_row(conn, planned.side)
        marker = Marker.from_comment(beside.comment) if beside else None
        now = (live.oid if live else None, beside.oid if beside else None, marker.state if marker else "")
        if now != (planned.live_oid, side_oid, "proven"):
            raise NotApproved(
                f"the world changed since plan {planned.digest} was approved: live, side and state are {now},"
                f" they were {(planned.live_oid, side_oid, 'proven')}.",
                hint="Start the restore again.",
            )
        if live is not None:
            plan.check_blockers(catalog.blockers(conn, live.name), live.name)


@operation("swap names")
def swap_names(do: Session, names: swap.Names, *, incoming_oid: int, source: str) -> Swapped:
    """Fence, end sessions, rename twice in one transaction, reopen. The server does it alone once it is told.

    Raises:
        Blocked: It did not happen; live is open and as before.
        VerificationError: It happened, and live does not answer as it should.

    Touches:
        Ends all sessions of both databases; what was live is kept, closed, under another name.
    """
    pg = Postgres(do.stack.database, do.run_id)
    with pg.admin() as conn:
        live = catalog.database_row(conn, names.live)
        retired = _retired_marker(do, live, names.live)

        def change() -> float:
            began = time.monotonic()
            swap.swap(conn, names, retired=retired)
            return (time.monotonic() - began) * 1000

        outage_ms = do.step("swap names", change, undo=undo.settle(names, incoming_oid=incoming_oid))
        do.commit(f"{names.live} is {source}")
        made = catalog.database_row(conn, names.live)
    _check_live(pg, made, incoming_oid)
    return Swapped(outage_ms=round(outage_ms, 1), retired=names.retired if live else "", live_oid=incoming_oid)


def _retired_marker(do: Session, live: DatabaseRow | None, of: str) -> Marker:
    return Marker(
        role="old",
        of=of,
        run_id=do.run_id,
        state="kept",
        at=utc_now(),
        keep_until=utc_now() + timedelta(days=do.stack.database.keep_old_days),
        comment=live.comment if live else "",
        connection_limit=live.connection_limit if live else -1,
    )


def _check_live(pg: Postgres, made: DatabaseRow | None, incoming_oid: int) -> None:
    """Prove that the live name is the database that was swapped in, and that it answers."""
    try:
        if made is None or made.oid != incoming_oid or not made.allow_connections:
            raise VerificationError(f"after the swap {pg.database.name!r} is {made}.", hint=UNDO)
        with pg.connect() as conn:
            conn.execute("SELECT count(*) FROM pg_class").fetchone()
    except (PreconditionError, PostgresError) as seen:
        raise VerificationError(f"after the swap {pg.database.name!r} does not answer: {seen}.", hint=UNDO) from seen


@operation("find replaced database")
def find_replaced(do: Session) -> tuple[str, Marker, int]:
    """Find the database that the last restore replaced.

    Returns:
        Its name, marker and object id.

    Raises:
        BackupMissing: There is none.

    Touches:
        Nothing.
    """
    pg = Postgres(do.stack.database, do.run_id)
    catalog.check_identity(pg, needs_superuser=True)
    with pg.admin() as conn:
        old = [(n, m) for n, m in catalog.marked_databases(conn, of=pg.database.name).items() if m.role == "old"]
        if not old:
            raise BackupMissing(
                f"no database replaced by a restore of {pg.database.name!r} is kept on this server.",
                hint="Restore a backup instead: restore-db.",
            )
        name, marker = max(old, key=lambda pair: pair[1].at)
        row = catalog.database_row(conn, name)
    assert row is not None
    return name, marker, row.oid


@operation("list later writes")
def later_writes(do: Session) -> tuple[tuple[TableLoss, ...], str]:
    """Hold the live database against what it held when it was swapped in: what going back would lose.

    Returns:
        The tables that changed since, and why they are unknown, if so.

    Touches:
        Nothing; reads every live row once.
    """
    pg = Postgres(do.stack.database, do.run_id)
    with pg.admin() as conn:
        live = catalog.database_row(conn, pg.database.name)
    if live is None:
        return (), f"no database is called {pg.database.name!r}"
    then = load_fingerprint(do.stack.state_dir, live.oid)
    if then is None:
        return (), "what the live database held when it was restored is not on record"
    try:
        changed = losses(then, fingerprint.take_now(pg, jobs=jobs()))
    except (PreconditionError, PostgresError) as seen:
        return (), f"the live database cannot be read: {seen}"
    return tuple(loss for loss in changed if not loss.same), ""


@operation("fingerprint replaced database")
def look_at_replaced(do: Session, name: str, oid: int) -> Fingerprint:
    """Open the replaced database to superusers alone, fingerprint it, close it again.

    Touches:
        Its openness, for as long as this takes; a record of its contents in the stack's folder.
    """
    pg = Postgres(do.stack.database, do.run_id)

    def look() -> Fingerprint:
        with pg.admin() as conn:
            side.reopen(conn, name)
            found = fingerprint.take_now(pg.named(name), jobs=jobs())
            side.close(conn, name)
        save_fingerprint(do.stack.state_dir, oid, found)
        return found

    return do.step("look at replaced database", look, undo=undo.close_database(name), scratch=True)


def save_fingerprint(state_dir: Path, oid: int, found: Fingerprint) -> None:
    """Keep what a database held when it became live."""
    folder = state_dir / "restored"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{oid}.json").write_text(found.model_dump_json())


def load_fingerprint(state_dir: Path, oid: int) -> Fingerprint | None:
    """Return what `save_fingerprint` kept; None where there is nothing."""
    path = state_dir / "restored" / f"{oid}.json"
    return Fingerprint.model_validate(json.loads(path.read_text())) if path.exists() else None


def loss_rows(found: Sequence[TableLoss]) -> list[dict[str, object]]:
    """Write losses as rows of a table for people."""
    words = {True: "equal", False: "differs", None: "unknown"}
    return [
        {
            "table": loss.table,
            "live rows": ("unknown" if loss.same is None else "gone") if loss.live_rows is None else loss.live_rows,
            "backup rows": "not in the backup" if loss.backup_rows is None else loss.backup_rows,
            "rows fewer": loss.net_lost,
            "contents": words[loss.same],
        }
        for loss in found
    ]
