"""Scenarios A of the backup: whatever goes wrong, nothing half-made is visible and the next run works."""

import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from flows.backup import backup_db
from flows.restore import restore_db
from pawpaw_ops.errors import (
    Blocked,
    CommandError,
    ConfigError,
    DiskTooSmall,
    IdentityMismatch,
    LockHeld,
    OpsError,
    PreconditionError,
    Undone,
    Unreachable,
    VersionMismatch,
)
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.testing import at_entry
from tests.integration.support_child import Child
from tests.integration.support_mounts import small_disk
from tests.integration.support_stack import Kit, locked_dump, try_connect, waiting_dump
from tests.waiting import wait_until


def pg_dumps() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.name() == "pg_dump"]


def when_dumping(kit: Kit, act: Callable[[], None]) -> Callable[[], None]:
    """Return an action that waits, beside the run, until pg_dump waits for a held table, and then acts."""

    def work() -> None:
        wait_until(lambda: bool(pg_dumps()), "pg_dump runs")
        act()

    return lambda: threading.Thread(target=work, daemon=True).start()


def kill_pg_dump() -> None:
    pg_dumps()[0].kill()


def assert_nothing_published(kit: Kit) -> None:
    kit.assert_clean()
    assert_nothing_stored(kit)


def assert_nothing_stored(kit: Kit) -> None:
    if kit.store_folder.exists():
        assert kit.catalog().entries() == []
        assert kit.catalog().unpublished() == []


def test_A1_pg_dump_killed(kit: Kit) -> None:
    """A killed pg_dump fails the run, leaves nothing, and the retry succeeds from scratch."""
    with (
        at_entry("step", "dump", when_dumping(kit, kill_pg_dump)),
        pytest.raises(CommandError, match="exit code -9"),
    ):
        backup_db(stack=kit.name)

    assert_nothing_published(kit)
    assert backup_db(stack=kit.name) == kit.catalog().entries()[0].backup_id


def test_A4_server_crash_during_dump(kit: Kit) -> None:
    """A server that dies under the dump fails the run with its message; nothing that looks like a backup is left."""

    try:
        with (
            at_entry("step", "dump", when_dumping(kit, kit.server.crash)),
            pytest.raises(OpsError, match=r"closed the connection|terminat|connection to server"),
        ):
            backup_db(stack=kit.name)
    finally:
        kit.server.start()
    assert_nothing_stored(kit)  # its journal is the next run's, as nobody could ask the server to end what ran
    backup_db(stack=kit.name)

    assert len(kit.catalog().entries()) == 1
    kit.assert_clean()


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99, 1.3])
def test_A5_scratch_disk_full(kit: Kit, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scratch disk that fills up in the dump (below 1) or the seal fails with the bytes, and is empty afterwards."""
    dump_bytes = 14_000_000
    monkeypatch.setattr("pawpaw_ops.plans.backup.check_room", lambda *_, **__: None)
    with small_disk(kit.state_dir, int(dump_bytes * share) + 1_000_000):
        with pytest.raises((DiskTooSmall, Undone), match="No space left"):
            backup_db(stack=kit.name)
        assert_nothing_published(kit)
        assert shutil.disk_usage(kit.state_dir).used < 500_000


def test_A5_scratch_disk_too_small_is_refused_first(kit: Kit) -> None:
    """A disk that cannot hold the dump is refused before anything begins, with both numbers."""
    with (
        small_disk(kit.state_dir, 8_000_000),
        pytest.raises(DiskTooSmall, match=r"needs [\d,]+ bytes and has [\d,]+ free"),
    ):
        backup_db(stack=kit.name)
    assert not (kit.store_folder / kit.name).exists()


def test_A6_destination_full(tiny: Kit) -> None:
    """A destination without room fails the run and keeps nothing half-stored."""
    tiny.store_folder.mkdir()
    with small_disk(tiny.store_folder, 16_384):
        with pytest.raises(OpsError, match="No space left"):
            backup_db(stack=tiny.name)
        assert [path for path in tiny.store_folder.rglob("*") if path.is_file()] == []
    tiny.assert_clean()


@pytest.fixture
def talkative(tiny: Kit) -> Kit:
    """Client tools whose pg_dump says something before it works."""
    folder = tiny.folder / "tools"
    folder.mkdir()
    real = tiny.server.tools.folder
    assert real is not None
    for name in ("pg_dump", "pg_dumpall", "pg_restore", "psql"):
        (folder / name).symlink_to(real / name)
    (folder / "pg_dump").unlink()
    wrapper = folder / "pg_dump"
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] || echo "pg_dump: warning: something" >&2\nexec {real}/pg_dump "$@"\n'
    )
    wrapper.chmod(0o755)
    tiny.save_blocks(database={"tools_folder": folder})
    return tiny


def test_A7_unexpected_stderr_is_never_green(talkative: Kit) -> None:
    """pg_dump that ends well and yet complains makes no backup."""
    with pytest.raises(PreconditionError, match="something"):
        backup_db(stack=talkative.name)
    assert_nothing_published(talkative)


def test_A12_writes_during_the_dump(kit: Kit) -> None:
    """The restored database equals the snapshot, whatever was written meanwhile and under whatever settings."""
    with kit.server.postgres().admin() as conn:
        conn.execute(f"ALTER DATABASE {kit.database} SET timezone = 'Asia/Kathmandu'".encode())
        conn.execute(f"ALTER DATABASE {kit.database} SET datestyle = 'German'".encode())
        conn.execute(f"ALTER DATABASE {kit.database} SET extra_float_digits = -3".encode())
    before = kit.prints().tables

    def write() -> None:
        kit.sql(
            "UPDATE orders SET total_cents = total_cents + 1 WHERE id % 3 = 0; DELETE FROM order_items WHERE line = 2"
        )

    with at_entry("step", "dump", write):
        backup_db(stack=kit.name)
    assert kit.prints().tables != before

    restore_db(stack=kit.name, approve=True)

    assert kit.prints().tables == before


def test_A13_gives_way_to_a_migration(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that waits behind the dump gets its lock: the backup ends, and says for whom."""
    monkeypatch.setattr("pawpaw_ops.plans.backup.MAX_BLOCK_S", 1.0)
    holder, done = try_connect(kit, kit.database), threading.Event()

    def migrate() -> None:
        wait_until(lambda: dump_waits(kit), "pg_dump holds orders and waits for the last table")
        with try_connect(kit, kit.database) as conn:
            conn.execute("ALTER TABLE orders ADD COLUMN shipped boolean")
        done.set()

    def begin() -> None:
        holder.execute("BEGIN")
        holder.execute('LOCK TABLE "auditoría" IN ACCESS EXCLUSIVE MODE')
        threading.Thread(target=migrate, daemon=True).start()

    with at_entry("step", "dump", begin), pytest.raises(Blocked, match="ALTER TABLE orders"):
        backup_db(stack=kit.name)

    assert done.wait(30)
    holder.close()
    assert_nothing_published(kit)


def dump_waits(kit: Kit) -> bool:
    """Whether pg_dump has locked the orders and waits for another table."""
    rows = kit.sql(
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.granted"
        " AND l.relation = 'public.orders'::regclass AND a.wait_event_type = 'Lock' AND a.query LIKE 'LOCK %'"
    )
    return bool(rows[0][0])


def test_a_table_locked_by_somebody_else(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that somebody holds for long is an error that says so, not a run that hangs."""
    monkeypatch.setattr("pawpaw_ops.clients.postgres.connection.LOCK_TIMEOUT_S", 1)
    with try_connect(kit, kit.database) as holder:
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Blocked, match="waited 1 s for a lock"):
            backup_db(stack=kit.name)
    assert_nothing_published(kit)


def test_A16_client_of_another_major_version(tiny: Kit, embedded_tools: Path) -> None:
    """Tools of another major version are refused by name of both versions."""
    tiny.save_blocks(database={"tools_folder": embedded_tools})
    with pytest.raises(VersionMismatch, match=r"client tools are PostgreSQL 16.*server is 15"):
        backup_db(stack=tiny.name)
    assert_nothing_published(tiny)


def test_A17_two_runs_at_once(tiny: Kit) -> None:
    """The second run is refused and told who works on the stack."""
    started, seen = threading.Event(), []

    def second() -> None:
        child = Child("backup-db", str(tiny.folder / "second.log"), stack=tiny.name)
        seen.append(child.wait())
        started.set()

    with at_entry("step", "seal", second):
        backup_db(stack=tiny.name)

    assert seen == [1]
    assert LockHeld.__name__ in (tiny.folder / "second.log").read_text()
    assert "backup-db (respaldo)" in (tiny.folder / "second.log").read_text()
    assert len(tiny.catalog().entries()) == 1


def test_A18_two_runs_in_one_second(tiny: Kit) -> None:
    """Runs that follow each other get ids of their own that sort by time."""
    ids = [backup_db(stack=tiny.name) for _ in range(2)]
    assert [entry.backup_id for entry in tiny.catalog().entries()] == sorted(set(ids))
    assert len(set(ids)) == 2


def test_A19_role_without_rights_on_one_table(tiny: Kit) -> None:
    """A table that the role may not read fails the run by name; it is not an empty table in the dump."""
    role = f"weak_{tiny.name}"
    tiny.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'weak'; GRANT SELECT ON dos TO {role}; GRANT pg_monitor TO {role}")
    tiny.save_blocks(database={"user": role, "password": SecretStr("weak")})
    try:
        with pytest.raises(OpsError, match="un o"):
            backup_db(stack=tiny.name)
    finally:
        tiny.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")
    assert_nothing_published(tiny)


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"name": 'no "such"; DROP DATABASE x --%s'}, PreconditionError, "no database"),
        ({"system_identifier": "1234567890"}, IdentityMismatch, "the block says 1234567890"),
        ({"port": 1, "host": "127.0.0.1"}, Unreachable, "127.0.0.1:1"),
        ({"password": SecretStr("canary-wrong-password")}, Unreachable, "password"),
    ],
)
def test_A20_wrong_place(tiny: Kit, wrong: dict[str, object], error: type[OpsError], says: str) -> None:
    """Another server, database or login is refused before anything begins, and no password is shown."""
    tiny.save_blocks(database=wrong)
    with pytest.raises(error, match=says) as caught:
        backup_db(stack=tiny.name)
    assert "canary" not in str(caught.value)
    tiny.save_blocks()
    assert_nothing_published(tiny)


def test_A21_shrunken_table_raises_an_alarm(kit: Kit) -> None:
    """A backup in which a table lost most of its rows is verified, says so, and nothing expires meanwhile."""
    backup_db(stack=kit.name)
    kit.sql("TRUNCATE order_items")
    backup_db(stack=kit.name)

    newest = kit.catalog().entries()[-1]
    assert newest.verdict is Verdict.VERIFIED
    assert newest.manifest is not None
    assert any("order_items" in alarm for alarm in newest.manifest.alarms)


@pytest.mark.parametrize("recipients", [[], ["age1" + "q" * 58]])
def test_no_usable_recipient(tiny: Kit, recipients: list[str]) -> None:
    """Without a key to seal for there is no backup in clear, only an error."""
    tiny.save_blocks(recipients=recipients)
    with pytest.raises(ConfigError, match=r"recipient|public key"):
        backup_db(stack=tiny.name)
    assert_nothing_published(tiny)


def test_A2_worker_killed_while_pg_dump_runs(kit: Kit) -> None:
    """pg_dump outlives a killed worker; the next run ends its sessions and clears its scratch."""
    with locked_dump(kit):
        child = Child("backup-db", str(kit.folder / "child.log"), stack=kit.name)
        waiting_dump(kit)
        [dump] = [one for one in psutil.Process(child.process.pid).children() if one.name() == "pg_dump"]
        dump.suspend()
        child.kill()
    assert child.process.exitcode == -signal.SIGKILL
    assert dump.is_running()

    backup_db(stack=kit.name)

    assert len(kit.catalog().entries()) == 1
    kit.assert_clean()
    dump.resume()
    wait_until(lambda: not dump.is_running() or dump.status() == psutil.STATUS_ZOMBIE, "the orphan ended by itself")


def test_A21_stale_rows_raise_an_alarm(tiny: Kit) -> None:
    """The newest row is found under the database's own search path; an old one is an alarm, a bad query an error."""
    tiny.save_blocks(database={"freshness_query": "SELECT max(t) FROM dos", "freshness_h": 1})
    backup_db(stack=tiny.name)
    [entry] = tiny.catalog().entries()
    assert entry.manifest is not None
    assert any("newest row is" in alarm for alarm in entry.manifest.alarms)

    tiny.save_blocks(database={"freshness_query": "SELECT max(t) FROM no_such_table"})
    with pytest.raises(ConfigError, match="no_such_table"):
        backup_db(stack=tiny.name)
    tiny.assert_clean()
