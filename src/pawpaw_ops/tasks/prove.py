"""Proof that a loaded database is what was backed up."""

from dataclasses import dataclass

from pawpaw_ops.clients.postgres import fingerprint, side, structure
from pawpaw_ops.clients.postgres.catalog import database_row
from pawpaw_ops.clients.postgres.connection import Conn, Postgres
from pawpaw_ops.errors import VerificationError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.database import DatabaseRow, Fingerprint
from pawpaw_ops.plans.equality import Difference, compare, verdict
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.artefact import Ready
from pawpaw_ops.tasks.backup import jobs
from pawpaw_ops.tasks.operation import operation

SHOWN = 8


@dataclass(frozen=True)
class Proof:
    """What a loaded database turned out to hold."""

    found: Fingerprint
    verdict: Verdict
    notes: tuple[Difference, ...]


@operation("prove equal")
def prove_equal(do: Session, ready: Ready, database: str, *, like: DatabaseRow | None = None) -> Proof:
    """Hold a loaded database against the record: rows, contents, structure, sequences, properties, one write.

    Args:
        do: The session.
        ready: The backup that was loaded.
        database: Name of the loaded database.
        like: Properties that it must have; None asks for none.

    Returns:
        What was found. A plain SQL file has no fingerprint: its row counts are compared and it stays *not verified*.

    Raises:
        VerificationError: Something differs; the first eight differences are named.

    Touches:
        One write in a transaction that is rolled back.
    """
    pg = Postgres(do.stack.database, do.run_id).named(database)
    found, differences = differences_of(pg, ready, like=like)
    with pg.connect() as conn:
        check_write(conn)
    wrong = [difference for difference in differences if not difference.note]
    if wrong:
        shown = "; ".join(difference.text for difference in wrong[:SHOWN])
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise VerificationError(
            f"{database!r} is not equal to {ready.source}: {shown}{more}.",
            hint="Nothing was swapped. Try another backup, and look at why this one differs.",
        )
    notes = tuple(difference for difference in differences if difference.note)
    for note in notes:
        report.logger().info("%s", note.text)
    return Proof(found, verdict(differences) if ready.contents else Verdict.NOT_VERIFIED, notes)


def differences_of(
    pg: Postgres, ready: Ready, *, like: DatabaseRow | None
) -> tuple[Fingerprint, tuple[Difference, ...]]:
    """Look at a loaded database and return what it holds, and every way in which that is not what was backed up.

    Touches:
        Nothing; reads every row once.
    """
    found = fingerprint.take_now(pg, jobs=jobs())
    differences = list(_against(ready, found))
    wanted = ready.contents.fingerprint.structure if ready.contents else found.structure
    with pg.connect() as conn:
        differences += [
            Difference(kind="invalid", name=name, text=f"{name} is not valid")
            for name in structure.invalid_objects(conn)
            if wanted.get(name) != found.structure.get(name)  # a constraint's NOT VALID is part of its definition
        ]
        behind = fingerprint.sequences_behind(conn)
        differences += [Difference(kind="sequence", name=text.split(" ")[0], text=text) for text in behind]
        if like is not None:
            differences += _properties(conn, pg.database.name, like)
    return found, tuple(differences)


def _against(ready: Ready, found: Fingerprint) -> tuple[Difference, ...]:
    if ready.contents is not None:
        return compare(ready.contents.fingerprint, found)
    assert ready.sql is not None
    return tuple(
        Difference(kind="rows", name=name, text=f"{name} has {_rows(found, name)} rows, the file has {rows}")
        for name, rows in ready.sql.tables.items()
        if _rows(found, name) != rows
    )


def _rows(found: Fingerprint, name: str) -> int | None:
    return found.tables[name].rows if name in found.tables else None


def _properties(conn: Conn, database: str, like: DatabaseRow) -> list[Difference]:
    made = database_row(conn, database)
    assert made is not None
    differ = side.properties_differ(like, made)
    return [
        Difference(kind="property", name=name, text=f"the database's {name} is {now!r}, wanted is {wanted!r}")
        for name, (wanted, now) in differ.items()
        if name not in ("comment", "connection_limit")
    ]


def check_write(conn: Conn) -> None:
    """Write one row into a table made for it, and roll back: the database takes writes."""
    with conn.transaction(force_rollback=True):
        conn.execute("CREATE SCHEMA pawpaw_write_test CREATE TABLE n (n int)")
        conn.execute("INSERT INTO pawpaw_write_test.n VALUES (1)")
