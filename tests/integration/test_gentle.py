"""Statements that need a lock for an instant, on a table that others hold and read."""

import secrets
import threading
from collections.abc import Iterator

import pytest

from pawpaw_ops.clients.postgres import gentle
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.errors import Blocked
from tests.waiting import wait_until


@pytest.fixture
def table(pg_server: DisposableServer) -> Iterator[str]:
    """A table, and a role of the same name that may own it."""
    name = f"gentle_{secrets.token_hex(4)}"
    with pg_server.postgres().admin() as conn:
        conn.execute(f"CREATE TABLE {name} (a int); CREATE ROLE {name}".encode())
    yield name
    with pg_server.postgres().admin() as conn:
        conn.execute(f"DROP TABLE IF EXISTS {name}; DROP ROLE {name}".encode())


def owner(server: DisposableServer, table: str) -> str:
    with server.postgres().admin() as conn:
        row = conn.execute("SELECT relowner::regrole::text FROM pg_class WHERE relname = %s", (table,)).fetchone()
    assert row is not None
    return str(row[0])


def test_others_get_through_while_it_waits(pg_server: DisposableServer, table: str) -> None:
    """The holder keeps its lock, a reader reads, and only when the holder is done the statement is carried out."""

    def change() -> None:
        with pg_server.postgres(run_id="gentle").admin() as conn:
            gentle.say(conn, f"ALTER TABLE {table} OWNER TO {table}")

    def waits() -> bool:
        query = "SELECT FROM pg_stat_activity WHERE application_name = 'pawpaw-ops/gentle' AND wait_event_type = 'Lock'"
        with pg_server.postgres().admin() as conn:
            return conn.execute(query.encode()).fetchone() is not None

    working = threading.Thread(target=change)
    with pg_server.postgres().admin() as holder, holder.transaction():
        holder.execute(f"SELECT FROM {table}".encode())
        working.start()
        wait_until(waits, "the statement queues for its lock")
        with pg_server.postgres().admin(settings={"lock_timeout": "10s"}) as reader:
            reader.execute(f"SELECT FROM {table}".encode())
        assert working.is_alive()
        assert owner(pg_server, table) == "postgres"
    working.join()
    assert owner(pg_server, table) == table


def test_who_never_lets_go_is_named(pg_server: DisposableServer, table: str) -> None:
    with pg_server.postgres(run_id="the holder").admin() as holder, holder.transaction():
        holder.execute(f"SELECT FROM {table}".encode())
        with pg_server.postgres().admin() as conn, pytest.raises(Blocked, match="pawpaw-ops/the holder"):
            gentle.say(conn, f"ALTER TABLE {table} OWNER TO {table}", patience_s=1)
    assert owner(pg_server, table) == "postgres"


def test_nothing_to_take_back_waits_for_nobody(pg_server: DisposableServer, table: str) -> None:
    """The table is locked throughout; what was not done is left alone, and what is gone too."""
    done = f"SELECT relowner = '{table}'::regrole FROM pg_class WHERE oid = '{table}'::regclass"
    back = f"ALTER TABLE {table} OWNER TO postgres"
    with pg_server.postgres().admin() as holder:
        with holder.transaction(), pg_server.postgres().admin() as conn:
            holder.execute(f"SELECT FROM {table}".encode())
            gentle.take_back(conn, back, done=done)
        with pg_server.postgres().admin() as conn:
            gentle.say(conn, f"ALTER TABLE {table} OWNER TO {table}")
            gentle.take_back(conn, back, done=done)
            assert owner(pg_server, table) == "postgres"
            conn.execute(f"DROP TABLE {table}".encode())
            gentle.take_back(conn, back, done=done)
            gentle.take_back(conn, back, done="")
