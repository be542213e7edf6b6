"""What a database holds, in one snapshot: rows and an order-independent digest per table, and its structure.

A row's hash mixes the hashes of its columns before the rows are added up. PostgreSQL's own record hash is a weighted
sum of its columns' hashes; summed over rows as it is, exchanging one column's values between two rows would not show.
Types whose binary hash is exact are hashed as they are; all others by their text, under settings that fix that text.
Hashes of floating point, numeric and jsonb values call different spellings equal, so those go by text too.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import MappingProxyType

from psycopg import sql

from pawpaw_ops.clients.postgres import structure
from pawpaw_ops.clients.postgres.connection import Conn, Postgres
from pawpaw_ops.models.database import Fingerprint, SequencePrint, TablePrint

FIXED_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "TimeZone": "UTC",
        "DateStyle": "ISO, YMD",
        "IntervalStyle": "postgres",
        "extra_float_digits": "1",
        "bytea_output": "hex",
        "xmlbinary": "base64",
        "lc_monetary": "C",
        "search_path": "",
        "row_security": "off",
        "jit": "off",
    }
)

EXACT = ("bool", "bytea", "int2", "int4", "int8", "oid", "date", "time", "timestamp", "timestamptz", "uuid")
TEXTUAL = ("text", "varchar")


@dataclass(frozen=True)
class Table:
    """A table to hash."""

    oid: int
    name: str
    size_bytes: int


@dataclass(frozen=True)
class Snapshot:
    """An exported snapshot: its id and the session that keeps it alive."""

    id: str
    conn: Conn


@contextlib.contextmanager
def exported_snapshot(pg: Postgres) -> Iterator[Snapshot]:
    """Hold a read-only snapshot open so that pg_dump and our own sessions see the same rows."""
    with pg.connect(settings=FIXED_SETTINGS) as conn:
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = conn.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        yield Snapshot(id=row[0], conn=conn)
        conn.execute("COMMIT")


def tables(conn: Conn) -> list[Table]:
    """Return the tables with rows of their own, largest first: no extension's, no foreign or partitioned ones."""
    rows = conn.execute(
        "SELECT c.oid::int8, format('%I.%I', n.nspname, c.relname), pg_table_size(c.oid)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'"
        " AND n.nspname <> 'information_schema' AND NOT EXISTS"
        " (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')"
        " ORDER BY 3 DESC, 2"
    ).fetchall()
    return [Table(oid=row[0], name=row[1], size_bytes=row[2]) for row in rows]


def take(
    pg: Postgres, snapshot: Snapshot, *, jobs: int, on_table: Callable[[str, TablePrint], None] | None = None
) -> Fingerprint:
    """Hash every table in *snapshot*, with *jobs* sessions side by side.

    Raises:
        PreconditionError: The role may not read a table; the message names it.
    """
    left: SimpleQueue[Table] = SimpleQueue()
    for table in tables(snapshot.conn):
        left.put(table)
    workers = max(1, min(jobs, left.qsize()))

    def work(_: int) -> dict[str, TablePrint]:
        made: dict[str, TablePrint] = {}
        with _sharing(pg, snapshot) as conn, suppress(Empty):
            while True:
                table = left.get_nowait()
                made[table.name] = table_print(conn, table)
                if on_table is not None:
                    on_table(table.name, made[table.name])
        return made

    with ThreadPoolExecutor(max_workers=workers) as pool:
        prints = {name: made for part in pool.map(work, range(workers)) for name, made in part.items()}
    return describe(snapshot.conn, dict(sorted(prints.items())))


def take_now(pg: Postgres, *, jobs: int, on_table: Callable[[str, TablePrint], None] | None = None) -> Fingerprint:
    """Hash every table in a snapshot of this moment."""
    with exported_snapshot(pg) as snapshot:
        return take(pg, snapshot, jobs=jobs, on_table=on_table)


def describe(conn: Conn, prints: Mapping[str, TablePrint]) -> Fingerprint:
    """Add sequences, large objects, structure, extensions and roles to the tables' prints."""
    return Fingerprint(
        tables=prints,
        sequences=sequences(conn),
        large_objects=_large_objects(conn),
        structure=structure.structure(conn),
        extensions=structure.extensions(conn),
        roles=structure.roles(conn),
    )


@contextlib.contextmanager
def _sharing(pg: Postgres, snapshot: Snapshot) -> Iterator[Conn]:
    with pg.connect(settings=FIXED_SETTINGS) as conn:
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        conn.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot.id)))
        yield conn
        conn.execute("COMMIT")


def table_print(conn: Conn, table: Table) -> TablePrint:
    """Count and hash one table's own rows."""
    columns = conn.execute(
        "SELECT attname, t.typname, t.typnamespace = 'pg_catalog'::regnamespace"
        " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
        ' WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attname COLLATE "C"',
        (table.oid,),
    ).fetchall()
    parts = [_column(row[0], row[1] if row[2] else "") for row in columns]
    row_hash = sql.SQL("hash_record_extended(ROW({}), 0)").format(sql.SQL(", ").join(parts)) if parts else sql.SQL("0")
    query = sql.SQL("SELECT count(*), coalesce(sum(hashint8extended({}, 1)), 0)::text FROM ONLY {} AS t").format(
        row_hash, sql.SQL(table.name)
    )  # quoted by the server's own format('%I')
    row = conn.execute(query).fetchone()
    assert row is not None
    return TablePrint(rows=row[0], digest=row[1])


def _column(name: str, type_name: str) -> sql.Composable:
    column = sql.SQL("t.{}").format(sql.Identifier(name))
    if type_name in EXACT:
        return column
    if type_name in TEXTUAL:
        return sql.SQL('{} COLLATE "C"').format(column)
    return sql.SQL('{}::text COLLATE "C"').format(column)


def sequences(conn: Conn) -> dict[str, SequencePrint]:
    """Read every sequence and the column it feeds."""
    found = conn.execute(
        "SELECT format('%I.%I', n.nspname, c.relname), quote_ident(tn.nspname) || '.' || quote_ident(tc.relname),"
        " a.attname"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')"
        " LEFT JOIN pg_class tc ON tc.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass"
        " LEFT JOIN pg_namespace tn ON tn.oid = tc.relnamespace"
        " LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
        " WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1"
    ).fetchall()
    made = {}
    for name, owner_table, owner_column in found:
        row = conn.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sql.SQL(name))).fetchone()
        assert row is not None
        made[name] = SequencePrint(
            last_value=row[0],
            is_called=row[1],
            owner_table=owner_table if owner_column else "",
            owner_column=owner_column or "",
        )
    return made


def sequences_behind(conn: Conn) -> tuple[str, ...]:
    """Return the sequences that would hand out a number that their column already holds."""
    behind = []
    for name, seq in sequences(conn).items():
        if not seq.owner_column:
            continue
        query = sql.SQL("SELECT max({})::int8 FROM {}").format(
            sql.Identifier(seq.owner_column),
            sql.SQL(seq.owner_table),
        )
        row = conn.execute(query).fetchone()
        highest = row[0] if row else None
        following = seq.last_value + (1 if seq.is_called else 0)
        if highest is not None and following <= highest:
            behind.append(f"{name} gives {following}, {seq.owner_table}.{seq.owner_column} holds {highest}")
    return tuple(behind)


def _large_objects(conn: Conn) -> TablePrint:
    """Hash all large objects; reading their pages needs a superuser, and there are none for anybody else to lose."""
    row = conn.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
    if not row or row[0] == 0:
        return TablePrint(rows=0, digest="0")
    pages = conn.execute(
        "SELECT coalesce(sum(hashint8extended(hash_record_extended(ROW(loid, pageno, data), 0), 1)), 0)::text"
        " FROM pg_largeobject"
    ).fetchone()
    assert pages is not None
    return TablePrint(rows=row[0], digest=pages[0])
