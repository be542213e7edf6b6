import secrets
import time
from collections.abc import Callable, Iterator

import pytest

from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.postgres.outage import OutageProbe
from pawpaw_ops.disposable import DisposableServer

SESSIONS = "FROM pg_stat_activity WHERE application_name = 'shop' AND datname = %s"


@pytest.fixture
def postgres(pg_server: DisposableServer) -> Iterator[Postgres]:
    name = f"probe_{secrets.token_hex(4)}"
    with pg_server.postgres().admin() as conn:
        conn.execute(f"CREATE DATABASE {name}".encode())
        yield pg_server.postgres(name)
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def session(postgres: Postgres) -> int:
    """Return the process of the probe's session; 0 where it has none."""
    with postgres.admin() as conn:
        row = conn.execute(f"SELECT pid {SESSIONS}".encode(), (postgres.database.name,)).fetchone()
    return int(row[0]) if row else 0


def test_a_database_that_answers_all_the_time_was_never_out(postgres: Postgres) -> None:
    with OutageProbe(postgres.database) as probe:
        until(lambda: session(postgres) > 0)
    assert (probe.outages, probe.worst_ms) == (0, 0.0)


def test_an_ended_session_is_an_outage_until_the_next_answer(postgres: Postgres) -> None:
    with OutageProbe(postgres.database) as probe:
        until(lambda: session(postgres) > 0)
        with postgres.admin() as conn:
            conn.execute(f"SELECT pg_terminate_backend(pid) {SESSIONS}".encode(), (postgres.database.name,))
        until(lambda: probe.outages > 0)
    assert probe.outages == 1
    assert probe.worst_ms > 0


def test_a_fenced_database_is_out_as_long_as_the_fence_stands(postgres: Postgres) -> None:
    name = postgres.database.name
    with OutageProbe(postgres.database) as probe:
        until(lambda: session(postgres) > 0)
        with postgres.admin() as conn:
            conn.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
            conn.execute(f"SELECT pg_terminate_backend(pid) {SESSIONS}".encode(), (name,))
            until(lambda: session(postgres) == 0)
            began = time.monotonic()
            time.sleep(0.2)
            fenced_ms = (time.monotonic() - began) * 1000
            conn.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
        until(lambda: probe.outages > 0)
    assert probe.worst_ms >= fenced_ms
