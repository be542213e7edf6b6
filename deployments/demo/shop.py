"""The demo's shop: its rows, its writes, its disaster, and what it holds, asked with SQL of our own."""

from pathlib import Path

from pawpaw_ops.clients.postgres.connection import Postgres, identifier

SCHEMA = Path(__file__).with_name("shop.sql")
MORE_ORDERS = 1200
Contents = dict[str, tuple[int, str]]
"""Table -> rows, and a sum over all of them that no order of rows changes."""

_MORE = """
INSERT INTO orders (user_id, status, total_cents, note)
SELECT 1 + n * 7, 'pagado', 19900, 'después del respaldo n.º ' || n FROM generate_series(1, %s) n;
"""
_DISASTER = """
UPDATE users SET email = 'cliente' || id || '@error.mx', active = false;
DROP TABLE order_items CASCADE;
"""
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm') ORDER BY 1
"""
_SUM = "count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text"


def load(pg: Postgres, *, scale: int = 1) -> None:
    """Make the database and fill it."""
    name = pg.database.name
    with pg.admin() as conn:
        conn.execute(f"CREATE DATABASE {_quoted(name)}".encode())
    with pg.connect(settings={"shop.scale": str(scale), "synchronous_commit": "off"}) as conn:
        conn.execute(SCHEMA.read_bytes())


def size_bytes(pg: Postgres) -> int:
    """Return the database's size."""
    with pg.connect() as conn:
        row = conn.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


def write_more(pg: Postgres) -> int:
    """Take new orders, after the backup; returns how many."""
    with pg.connect() as conn:
        return conn.execute(_MORE, (MORE_ORDERS,)).rowcount


def wreck(pg: Postgres) -> None:
    """Forget a WHERE, drop the wrong table.

    Touches:
        The shop; only a backup brings it back.
    """
    with pg.connect() as conn:
        conn.execute(_DISASTER)


def contents(pg: Postgres) -> Contents:
    """Return what every table and materialised view holds."""
    with pg.connect(settings={"TimeZone": "UTC"}) as conn:
        held: Contents = {}
        for (name,) in conn.execute(_TABLES).fetchall():
            row = conn.execute(f"SELECT {_SUM} FROM {_quoted(name)} t".encode()).fetchone()
            assert row is not None
            held[name] = (int(row[0]), str(row[1]))
    return held


def rows(held: Contents) -> int:
    """Return the rows of all tables together."""
    return sum(count for count, _ in held.values())


def _quoted(name: str) -> str:
    return identifier(name).as_string()
