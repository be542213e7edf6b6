"""A15: what databases are made of goes through backup and restore unchanged, or is left out and said so."""

from pathlib import Path

import pytest
from psycopg import sql
from psycopg.errors import UniqueViolation

from flows.backup import backup_db
from flows.restore import restore_db
from tests.integration.support_stack import Kit
from tests.waiting import SOAK

ZOO = Path(__file__).parent / "zoo.sql"
TABLES = 5000 if SOAK else 1500
"""More than a process may have files open at once; `make soak` takes five thousand."""
WIDE_MB = 1024 if SOAK else 16
"""What one table has in rows of a megabyte each; `make soak` takes a gigabyte."""


def test_A15_round_trip(tiny: Kit) -> None:
    """Every kind of object, type and name of this list comes back; derived and foreign data are left out by design."""
    tiny.sql(ZOO.read_text())
    before = tiny.prints()
    backup_db(stack=tiny.name)

    restore_db(stack=tiny.name, approve=True)

    after = tiny.prints()
    assert after.tables == before.tables
    assert after.large_objects == before.large_objects
    assert after.large_objects.rows == 2
    assert after.structure.keys() == before.structure.keys()
    assert after.extensions == before.extensions
    assert {name for name in before.structure if after.structure[name] != before.structure[name]} == set()
    assert not any("foreign_one" in name or "stale" in name for name in after.tables)
    assert tiny.sql("SELECT n FROM stale") == [(2,)]
    tiny.assert_clean()


def test_A15_what_is_not_valid_live_stands_in_no_restores_way(tiny: Kit) -> None:
    """A constraint that was never validated comes back as that; what a failed build of an index left is left out."""
    tiny.sql('ALTER TABLE dos ADD CONSTRAINT "más" CHECK (f > 1) NOT VALID')
    with pytest.raises(UniqueViolation):
        tiny.sql("CREATE UNIQUE INDEX CONCURRENTLY left_over ON dos ((id / 2))")
    assert tiny.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'left_over'::regclass") == [(False,)]
    before = tiny.prints()
    backup_db(stack=tiny.name)

    restore_db(stack=tiny.name, approve=True)

    assert tiny.prints() == before
    assert tiny.sql("SELECT conname FROM pg_constraint WHERE NOT convalidated") == [("más",)]
    assert tiny.sql("SELECT to_regclass('left_over')") == [(None,)]
    tiny.assert_clean()


@pytest.mark.parametrize("name", ['la "tienda"; DROP DATABASE postgres --', "50% ñandú 'x'", "-rf", "host=evil port=1"])
def test_A15_database_of_any_name(tiny: Kit, name: str) -> None:
    """A name with quotes, spaces, `;`, `%`, a leading dash or an equals sign is a name and nothing else."""
    odd = f"{name} {tiny.name}"
    with tiny.server.postgres().admin() as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE tiny_template").format(sql.Identifier(odd)))
        conn.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(tiny.database)))
    tiny.database = odd
    tiny.save_blocks()
    backup_db(stack=tiny.name)
    tiny.sql("TRUNCATE dos")

    restore_db(stack=tiny.name, approve=True)

    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]
    tiny.assert_clean()


def test_A15_no_table_at_all(tiny: Kit) -> None:
    """An empty database is a backup too."""
    tiny.sql('DROP VIEW v; DROP TABLE dos; DROP TABLE "un o"')
    backup_db(stack=tiny.name)
    tiny.sql("CREATE TABLE late (a int)")
    restore_db(stack=tiny.name, approve=True)
    assert tiny.prints().tables == {}


def test_A15_thousands_of_tables(tiny: Kit) -> None:
    """They are as good as five."""
    create = "EXECUTE format('CREATE TABLE t%s (a int)', n)"
    tiny.sql(f"DO $$ BEGIN FOR n IN 1..{TABLES} LOOP {create}; COMMIT; END LOOP; END $$")
    tiny.sql("INSERT INTO t77 VALUES (1)")
    before = tiny.prints().tables
    backup_db(stack=tiny.name)
    restore_db(stack=tiny.name, approve=True)
    assert tiny.prints().tables == before
    assert len(before) == TABLES + 2


def test_A15_one_set_of_large_rows(tiny: Kit) -> None:
    """Rows that do not shrink, each of them larger than any buffer on the way."""
    tiny.sql("CREATE TABLE wide (n int PRIMARY KEY, body bytea); ALTER TABLE wide ALTER body SET STORAGE EXTERNAL")
    noise = "SELECT string_agg(sha256((n || '.' || i)::text::bytea), '') FROM generate_series(1, 32768) i"
    tiny.sql(f"INSERT INTO wide SELECT n, ({noise}) FROM generate_series(1, {WIDE_MB}) n")
    before = tiny.prints().tables
    backup_db(stack=tiny.name)
    tiny.sql("UPDATE wide SET body = '' WHERE n = 7")

    restore_db(stack=tiny.name, approve=True)

    assert tiny.prints().tables == before
    assert tiny.sql("SELECT count(*), sum(length(body)) FROM wide") == [(WIDE_MB, WIDE_MB << 20)]
    tiny.assert_clean()
