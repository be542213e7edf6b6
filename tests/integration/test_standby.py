"""What a standby shows after a swap on its primary; a real pair of servers."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pawpaw_ops.clients.postgres.catalog import database_row
from pawpaw_ops.clients.postgres.standby import follow
from pawpaw_ops.commands.command import Command
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.errors import Unreachable, VerificationError
from pawpaw_ops.runner import LocalRunner
from tests.integration.support_stack import postgres_15

SLOT = "standby_of_test"


@pytest.fixture(scope="module")
def pair(pg_server: DisposableServer) -> Iterator[tuple[DisposableServer, DisposableServer]]:
    """A primary, and a standby that streams from it."""
    root = Path(tempfile.mkdtemp(prefix="pawpaw-sb-"))
    root.chmod(0o755)
    standby = DisposableServer(
        root, tools=postgres_15(), password=pg_server.password, settings=pg_server.settings | {"hot_standby": "on"}
    )
    standby.socket_folder.mkdir(mode=0o700)
    for path in (root, standby.socket_folder):
        shutil.chown(path, postgres_15().user)
    login = pg_server.database()
    LocalRunner().run(
        Command(
            argv=(
                str(postgres_15().folder / "pg_basebackup"),  # type: ignore[operator]
                *("-h", login.host, "-p", str(login.port), "-U", login.user, "-D", str(standby.data)),
                *("-R", "-C", "-S", SLOT, "-c", "fast"),
            ),
            env={"PGPASSWORD": login.password},
            user=standby.user,
            timeout_s=120,
        )
    )
    try:
        standby.start()
        yield pg_server, standby
    finally:
        standby.remove()
        with pg_server.postgres().admin() as conn:
            conn.execute("SELECT pg_drop_replication_slot(%s)", (SLOT,))


@pytest.fixture
def unswapped(pair: tuple[DisposableServer, DisposableServer]) -> Iterator[int]:
    """Databases `sb_live` and `sb_new` on both servers; the oid of the one that shall become live."""
    primary, standby = pair
    with primary.postgres().admin() as conn:
        for name in ("sb_live", "sb_new"):
            conn.execute(f"CREATE DATABASE {name} TEMPLATE tiny_template".encode())
        row = database_row(conn, "sb_new")
        assert row is not None
        follow(primary.postgres("sb_new"), standby.postgres("sb_new"), live_oid=row.oid, retired="")
        yield row.oid
        for name in ("sb_live", "sb_old", "sb_new"):
            conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


@pytest.fixture
def swapped(pair: tuple[DisposableServer, DisposableServer], unswapped: int) -> int:
    """The same after a swap."""
    swap(pair[0])
    return unswapped


def swap(primary: DisposableServer) -> None:
    with primary.postgres().admin() as conn:
        conn.execute("ALTER DATABASE sb_live RENAME TO sb_old")
        conn.execute("ALTER DATABASE sb_new RENAME TO sb_live")


def reader(server: DisposableServer, name: str) -> psycopg.Connection[tuple[object, ...]]:
    login = server.database(name)
    return psycopg.connect(
        host=login.host,
        port=login.port,
        dbname=name,
        user=login.user,
        password=login.password.get_secret_value(),
        autocommit=True,
    )


def test_F4_sessions_that_still_read_the_replaced_database_end_and_no_others(
    pair: tuple[DisposableServer, DisposableServer], unswapped: int
) -> None:
    primary, standby = pair
    with reader(standby, "sb_live") as stale, reader(standby, "shop_template") as other:
        swap(primary)
        found = follow(primary.postgres("sb_live"), standby.postgres("sb_live"), live_oid=unswapped, retired="sb_old")
        assert found.ended == 1
        with pytest.raises(psycopg.OperationalError):
            stale.execute("SELECT 1")
        assert other.execute("SELECT 1").fetchone() == (1,)


def test_a_standby_that_stands_still_is_not_called_good(
    pair: tuple[DisposableServer, DisposableServer], swapped: int
) -> None:
    primary, standby = pair
    with standby.postgres().admin() as conn:
        conn.execute("SELECT pg_wal_replay_pause()")
        try:
            with primary.postgres().admin() as there:
                there.execute("CREATE TABLE sb_more (); DROP TABLE sb_more")
            with pytest.raises(VerificationError, match="had not replayed"):
                follow(
                    primary.postgres("sb_live"),
                    standby.postgres("sb_live"),
                    live_oid=swapped,
                    retired="sb_old",
                    timeout_s=0.3,
                )
        finally:
            conn.execute("SELECT pg_wal_replay_resume()")
    assert (
        follow(primary.postgres("sb_live"), standby.postgres("sb_live"), live_oid=swapped, retired="sb_old").behind_ms
        >= 0
    )


def test_a_primary_is_no_standby(pair: tuple[DisposableServer, DisposableServer], swapped: int) -> None:
    primary, _ = pair
    with pytest.raises(VerificationError, match="is no standby"):
        follow(primary.postgres("sb_live"), primary.postgres("sb_live"), live_oid=swapped, retired="sb_old")


def test_another_database_under_the_live_name_is_told(
    pair: tuple[DisposableServer, DisposableServer], swapped: int
) -> None:
    primary, standby = pair
    with pytest.raises(VerificationError, match=f"not the database {swapped + 1}"):
        follow(primary.postgres("sb_live"), standby.postgres("sb_live"), live_oid=swapped + 1, retired="sb_old")


def test_a_standby_that_is_away_is_unreachable(
    pair: tuple[DisposableServer, DisposableServer], swapped: int, tmp_path: Path
) -> None:
    primary, _ = pair
    away = DisposableServer(tmp_path, tools=postgres_15(), password=primary.password)
    with pytest.raises(Unreachable):
        follow(primary.postgres("sb_live"), away.postgres("sb_live"), live_oid=swapped, retired="sb_old")
