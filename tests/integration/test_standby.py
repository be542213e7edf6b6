"""What a standby shows after a swap on its primary, and what a restore does about it; a real pair of servers."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flows.backup import backup_db
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from pawpaw_ops.clients.postgres.catalog import database_row
from pawpaw_ops.clients.postgres.standby import Followed, follow
from pawpaw_ops.commands.command import Command
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.errors import PreconditionError, Undone, VerificationError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks import standby as steps
from pawpaw_ops.testing import at_entry
from tests.integration.support_stack import Kit, postgres_15
from tests.waiting import wait_until

SLOT = "standby_of_test"
Pair = tuple[DisposableServer, DisposableServer]
ROWS = "SELECT count(*) FROM dos"
DELAYED = 'parameter "recovery_min_apply_delay" changed to "1h"'


@pytest.fixture(scope="module")
def pair(pg_server: DisposableServer) -> Iterator[Pair]:
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
def unswapped(pair: Pair) -> Iterator[int]:
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
def swapped(pair: Pair, unswapped: int) -> int:
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


def followed(pair: Pair, oid: int, **limits: float) -> Followed:
    primary, standby = pair
    return follow(primary.postgres("sb_live"), standby.postgres("sb_live"), live_oid=oid, retired="sb_old", **limits)


def test_F4_sessions_that_still_read_the_replaced_database_end_and_no_others(pair: Pair, unswapped: int) -> None:
    primary, standby = pair
    with reader(standby, "sb_live") as stale, reader(standby, "shop_template") as other:
        swap(primary)
        found = followed(pair, unswapped)
        assert (found.verdict, found.ended) == (Verdict.VERIFIED, 1)
        with pytest.raises(psycopg.OperationalError):
            stale.execute("SELECT 1")
        assert other.execute("SELECT 1").fetchone() == (1,)


@contextlib.contextmanager
def paused(standby: DisposableServer) -> Iterator[None]:
    """Hold the standby still while the block lasts."""
    with standby.postgres().admin() as conn:
        conn.execute("SELECT pg_wal_replay_pause()")
        try:
            yield
        finally:
            conn.execute("SELECT pg_wal_replay_resume()")


def test_a_standby_that_stands_still_is_not_called_good(pair: Pair, swapped: int) -> None:
    primary, standby = pair
    with paused(standby):
        with primary.postgres().admin() as there:
            there.execute("CREATE TABLE sb_more (); DROP TABLE sb_more")
        found = followed(pair, swapped, timeout_s=0.3)
        assert found.verdict is Verdict.NOT_VERIFIED
        assert "had not replayed" in found.says
    assert followed(pair, swapped).verdict is Verdict.VERIFIED


def test_a_primary_is_no_standby(pair: Pair, swapped: int) -> None:
    found = followed((pair[0], pair[0]), swapped)
    assert found.verdict is Verdict.FAILED
    assert "is no standby" in found.says


def test_another_database_under_the_live_name_is_told(pair: Pair, swapped: int) -> None:
    found = followed(pair, swapped + 1)
    assert found.verdict is Verdict.FAILED
    assert f"not the database {swapped + 1}" in found.says


def test_a_standby_that_is_away_is_not_verified(pair: Pair, swapped: int, tmp_path: Path) -> None:
    away = DisposableServer(tmp_path, tools=postgres_15(), password=pair[0].password)
    found = followed((pair[0], away), swapped)
    assert found.verdict is Verdict.NOT_VERIFIED
    assert "does not answer" in found.says


@pytest.fixture
def wrecked(prefect_api: None, pair: Pair, tmp_path: Path) -> Iterator[Kit]:
    """A stack with that standby, backed up and then wrecked."""
    made = Kit(pair[0], tmp_path)
    made.create(template="tiny_template", standby=pair[1])
    backup_db(stack=made.name)
    made.sql("DELETE FROM dos WHERE id > 100")
    yield made
    made.remove()


def told(kit: Kit) -> dict[str, Any]:
    """What the last run's record says of the standby."""
    record = json.loads((kit.state_dir / "audit.jsonl").read_text().splitlines()[-1])
    return dict(record["standby"])


def rows(server: DisposableServer, kit: Kit) -> int:
    """How many there are; -1 where the server does not let us into that database yet."""
    try:
        with reader(server, kit.database) as conn:
            row = conn.execute(ROWS).fetchone()
    except psycopg.OperationalError:
        return -1
    assert row is not None
    return int(str(row[0]))


def assert_refused(kit: Kit) -> None:
    """Nothing was made, and live is what it was."""
    assert kit.databases() == [kit.database]
    assert kit.sql(ROWS) == [(100,)]
    kit.assert_clean()


def test_F7_a_paused_standby_refuses_a_restore_before_anything_is_made_and_is_done_without_when_told(
    pair: Pair, wrecked: Kit
) -> None:
    with paused(pair[1]):
        with pytest.raises(PreconditionError, match=r"replay is paused, .* MiB behind.*standby=go-on"):
            restore_db(stack=wrecked.name, approve=True)
        assert_refused(wrecked)
        restore_db(stack=wrecked.name, approve=True, standby="go-on")
        assert wrecked.sql(ROWS) == [(300,)]
        assert told(wrecked)["verdict"] == "not verified"
        assert "replay is paused" in told(wrecked)["before"]
        with pytest.raises(PreconditionError, match="replay is paused"):
            undo_restore(stack=wrecked.name, approve=True)
    undo_restore(stack=wrecked.name, approve=True)
    assert told(wrecked)["verdict"] == "verified"
    assert rows(pair[1], wrecked) == 100


def test_F7_a_stopped_standby_refuses_a_restore_and_is_done_without_when_told(pair: Pair, wrecked: Kit) -> None:
    pair[1].stop()
    try:
        with pytest.raises(PreconditionError, match="standby not verified: it does not answer"):
            restore_db(stack=wrecked.name, approve=True)
        assert_refused(wrecked)
        restore_db(stack=wrecked.name, approve=True, standby="go-on")
        assert wrecked.sql(ROWS) == [(300,)]
        assert told(wrecked)["verdict"] == "not verified"
    finally:
        pair[1].start()
    wait_until(lambda: rows(pair[1], wrecked) == 300, "the standby has followed by itself")


@contextlib.contextmanager
def delayed(pair: Pair) -> Iterator[None]:
    """Let the standby receive everything and replay nothing more, and be more than 16 MiB behind already."""
    primary, standby = pair
    with standby.postgres().admin() as conn:
        before = standby.log_text().count(DELAYED)
        conn.execute("ALTER SYSTEM SET recovery_min_apply_delay = '1h'")
        conn.execute("SELECT pg_reload_conf()")
        wait_until(lambda: standby.log_text().count(DELAYED) > before, "the standby knows of its delay")
        try:
            with primary.postgres().admin() as there:
                for _ in range(30):
                    there.execute("CREATE TABLE sb_more (); DROP TABLE sb_more")
                    there.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 1 << 20))")
            yield
        finally:
            catch_up(standby)


def catch_up(standby: DisposableServer) -> None:
    with standby.postgres().admin() as conn:
        conn.execute("ALTER SYSTEM RESET recovery_min_apply_delay")
        conn.execute("SELECT pg_reload_conf()")


def test_F7_a_lagging_standby_is_waited_for_with_the_shop_open_and_then_refuses_the_swap(
    pair: Pair, wrecked: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    with delayed(pair):
        with monkeypatch.context() as patch, pytest.raises(Undone, match=r"MiB behind.*16\.0 MiB are allowed"):
            patch.setattr(steps, "CATCH_UP_S", 0.5)
            restore_db(stack=wrecked.name, approve=True)
        assert_refused(wrecked)
        with at_entry("done", "mark as proven", lambda: catch_up(pair[1])):
            restore_db(stack=wrecked.name, approve=True)
    assert told(wrecked)["verdict"] == "verified"
    assert (rows(pair[0], wrecked), rows(pair[1], wrecked)) == (300, 300)


def test_F7_a_lagging_standby_does_not_hold_up_a_restore_that_goes_on(
    pair: Pair, wrecked: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given its time when customers are back, and what became of it is told."""
    with delayed(pair):
        monkeypatch.setattr("flows.restore.resume_services", lambda _: catch_up(pair[1]))
        restore_db(stack=wrecked.name, approve=True, standby="go-on")
    assert told(wrecked)["verdict"] == "verified"
    assert "are allowed" in told(wrecked)["before"]
    assert rows(pair[1], wrecked) == 300


def test_C1_sessions_of_the_replica_end_before_customers_come_back(
    pair: Pair, wrecked: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: rows(pair[1], wrecked) == 100, "the standby has what was wrecked")
    stale, looked = reader(pair[1], wrecked.database), []

    def come_back(_: object) -> None:
        with pytest.raises(psycopg.OperationalError):
            stale.execute(ROWS)
        looked.append(rows(pair[1], wrecked))

    monkeypatch.setattr("flows.restore.resume_services", come_back)
    with stale:
        assert stale.execute(ROWS).fetchone() == (100,)
        restore_db(stack=wrecked.name, approve=True)
    assert looked == [300]


def test_C1_a_standby_that_stops_at_the_swap_keeps_no_customer_away(
    pair: Pair, wrecked: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Customers come back though it stands still; when it goes on, the run sees that it followed."""
    monkeypatch.setattr(steps, "BRIEFLY_S", 0.2)
    with contextlib.ExitStack() as still:
        monkeypatch.setattr("flows.restore.resume_services", lambda _: still.close())
        with at_entry("step", "swap names", lambda: still.enter_context(paused(pair[1]))):
            restore_db(stack=wrecked.name, approve=True)
    assert told(wrecked)["verdict"] == "verified"


def test_F7_a_standby_that_does_not_go_on_after_the_swap_fails_the_run_and_not_the_restore(
    pair: Pair, wrecked: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BRIEFLY_S", 0.2)
    monkeypatch.setattr(steps, "CATCH_UP_S", 0.5)
    with contextlib.ExitStack() as still:
        with (
            at_entry("step", "swap names", lambda: still.enter_context(paused(pair[1]))),
            pytest.raises(VerificationError, match="the swap holds, and the standby not verified"),
        ):
            restore_db(stack=wrecked.name, approve=True)
        assert wrecked.sql(ROWS) == [(300,)]
        assert told(wrecked)["verdict"] == "not verified"


def test_a_standby_that_the_block_does_not_name_is_told_and_never_called_good(pair: Pair, wrecked: Kit) -> None:
    wrecked.save_blocks()
    restore_db(stack=wrecked.name, approve=True)
    assert told(wrecked)["verdict"] == "not verified"
    assert "the stack's block names no replica" in told(wrecked)["says"]
    assert "- standby not verified: walreceiver" in wrecked.preview()
