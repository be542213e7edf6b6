"""Redis restores: every key there after two restarts, undone by one run, and nothing stopped for what is broken."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.backup_redis import backup_redis
from flows.restore_redis import restore_redis
from flows.undo_restore_redis import undo_restore_redis
from pawpaw_ops.clients.redis import look, power
from pawpaw_ops.errors import (
    BackupCorrupt,
    BackupMissing,
    ConfigError,
    NotApproved,
    PreconditionError,
    Undone,
    VerificationError,
    VersionMismatch,
)
from pawpaw_ops.session import open_session
from pawpaw_ops.testing import at_entry
from tests.integration.support_child import Child
from tests.integration.support_redis import RealRedis, RedisKit
from tests.waiting import SOAK, wait_until

MOST_ENTRIES = 60


def held(kit: RedisKit) -> dict[Any, Any]:
    """Return what the server holds, key by key."""
    return look.sample(kit.server.settings(), most=10_000)


@pytest.mark.parametrize("exact", [False, True], ids=["snapshot", "exact"])
def test_G3_all_keys_are_there_after_two_restarts(carts: RedisKit, *, exact: bool) -> None:
    """Where `dump.rdb` put into place would leave none. What was replaced is kept; undo brings it back."""
    good = held(carts)
    backup_redis(stack=carts.name, exact=exact)
    carts.server.ask("FLUSHALL")
    carts.server.ask("SET", "since", "then")
    wrecked = held(carts)

    kept = restore_redis(stack=carts.name, approve=True)

    assert held(carts) == good
    for _ in range(2):
        carts.server.restart()
        assert held(carts) == good
    carts.server.ask("BGREWRITEAOF")
    wait_until(lambda: not carts.server.info("persistence")["aof_rewrite_in_progress"], "it was rewritten")
    carts.server.restart()
    assert held(carts) == good
    assert carts.names() == ["appendonlydir", kept]
    carts.assert_clean()

    again = undo_restore_redis(stack=carts.name, approve=True)
    assert held(carts) == wrecked
    carts.server.restart()
    assert held(carts) == wrecked
    assert carts.names() == ["appendonlydir", again]
    carts.assert_clean()

    undo_restore_redis(stack=carts.name, approve=True)
    assert held(carts) == good


def test_G3_a_server_without_append_only_files(carts: RedisKit) -> None:
    """It loads `dump.rdb`, and writes it anew when it ends."""
    good = held(carts)
    backup_redis(stack=carts.name)
    carts.server.conf.write_text(carts.server.conf.read_text().replace("appendonly yes", "appendonly no"))
    carts.server.restart()
    carts.server.ask("SET", "since", "then")
    wrecked = held(carts)
    kept = restore_redis(stack=carts.name, approve=True)
    assert held(carts) == good
    carts.server.restart()
    assert held(carts) == good
    assert kept.startswith("dump.rdb.old-")
    undo_restore_redis(stack=carts.name, approve=True)
    assert held(carts) == wrecked


def test_G3_an_exact_backup_does_not_fit_a_server_without_append_only_files(carts: RedisKit) -> None:
    backup_redis(stack=carts.name, exact=True)
    carts.server.conf.write_text(carts.server.conf.read_text().replace("appendonly yes", "appendonly no"))
    carts.server.restart()
    with pytest.raises(PreconditionError, match="appendonly off"):
        restore_redis(stack=carts.name, approve=True)


def test_G3_a_server_that_does_not_come_up_is_restored(carts: RedisKit) -> None:
    """Which is when a backup is wanted most. What it could not load is kept, and undo refuses to bring it back."""
    good = held(carts)
    backup_redis(stack=carts.name)
    carts.server.stop()
    base = next((carts.server.data / "appendonlydir").glob("*.manifest"))
    base.write_text("file nothing seq 1 type b\n")
    kept = restore_redis(stack=carts.name, approve=True)
    assert held(carts) == good
    assert carts.names() == ["appendonlydir", kept]
    with pytest.raises(BackupCorrupt):
        undo_restore_redis(stack=carts.name, approve=True)
    assert held(carts) == good


def truncate(pattern: str, *, by: int) -> Callable[[Path], None]:
    def change(dump: Path) -> None:
        (path,) = dump.glob(pattern)
        data = path.read_bytes()
        assert len(data) > by
        path.write_bytes(data[:-by])

    return change


def remove(pattern: str) -> Callable[[Path], None]:
    def change(dump: Path) -> None:
        (path,) = dump.glob(pattern)
        path.unlink()

    return change


def newer_format(pattern: str) -> Callable[[Path], None]:
    def change(dump: Path) -> None:
        (path,) = dump.glob(pattern)
        path.write_bytes(b"REDIS0099" + path.read_bytes()[9:])

    return change


SNAPSHOT = {
    "cut": truncate("dump.rdb", by=20),
    "missing": remove("dump.rdb"),
    "of a newer format": newer_format("dump.rdb"),
}
FILES = {
    "base cut": truncate("*.base.rdb", by=20),
    "increment cut": truncate("*.incr.aof", by=3),
    "list cut": truncate("*.manifest", by=12),
    "list missing": remove("*.manifest"),
    "increment missing": remove("*.incr.aof"),
    "base missing": remove("*.base.rdb"),
    "base of a newer format": newer_format("*.base.rdb"),
}


@pytest.fixture
def untouched(carts: RedisKit) -> Callable[[], None]:
    """Return a check that the server was not stopped, and that nothing lies beside its data."""
    before = carts.server.run_id()

    def check() -> None:
        assert carts.server.run_id() == before
        assert carts.names() == ["appendonlydir"]
        carts.assert_clean()

    return check


@pytest.mark.parametrize(("exact", "broken"), [(False, SNAPSHOT), (True, FILES)], ids=["snapshot", "exact"])
def test_G4_what_is_broken_is_refused_before_redis_is_stopped(
    carts: RedisKit, untouched: Callable[[], None], broken: dict[str, Callable[[Path], None]], *, exact: bool
) -> None:
    """Although its seal, its sums and its proof are in order."""
    wait_until(lambda: not carts.server.info("persistence")["aof_rewrite_in_progress"], "it was rewritten")
    carts.server.ask("SET", "appended", "since")
    good = backup_redis(stack=carts.name, exact=exact)
    for change in broken.values():
        bad = carts.republish(change, of=good)
        with pytest.raises(BackupCorrupt):
            restore_redis(stack=carts.name, backup=bad, approve=True)
        untouched()


def test_G4_a_backup_of_a_newer_release_is_refused(carts: RedisKit, untouched: Callable[[], None]) -> None:
    backup_redis(stack=carts.name)
    manifest = carts.catalog().entries()[-1].manifest
    assert manifest is not None
    newer = manifest.contents.server.model_copy(update={"version": "99.1.0"})
    carts.republish(lambda _: None, of=manifest.backup_id, server=newer)
    with pytest.raises(VersionMismatch, match=r"from Redis 99\.1\.0.*99\.1 or newer"):
        restore_redis(stack=carts.name, approve=True)
    untouched()


def test_G4_other_keys_than_recorded_are_refused(carts: RedisKit, untouched: Callable[[], None]) -> None:
    """Whole files of something else."""
    backup_redis(stack=carts.name)
    first = carts.catalog().entries()[0].manifest
    assert first is not None
    carts.server.ask("DEL", "hash", "cart:1", "cart:2")
    fewer = backup_redis(stack=carts.name)
    carts.republish(lambda _: None, of=fewer, keyspace=first.contents.keyspace)
    with pytest.raises(VerificationError, match="keys that do not expire, recorded were"):
        restore_redis(stack=carts.name, approve=True)
    untouched()


def test_G4_a_server_that_is_another_afterwards_is_put_back(carts: RedisKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is proven is proven again where it counts."""
    backup_redis(stack=carts.name)
    carts.server.ask("FLUSHALL")
    carts.server.ask("SET", "since", "then")
    start = power.start

    def start_and_lose(*args: Any) -> None:
        start(*args)
        if carts.server.size() > 1:
            carts.server.ask("FLUSHALL")

    monkeypatch.setattr(power, "start", start_and_lose)
    with pytest.raises(Undone, match="after the exchange") as caught:
        restore_redis(stack=carts.name, approve=True)
    assert caught.value.cause_code == "verification"
    assert carts.server.ask("GET", "since") == b"then"
    carts.assert_clean()


def test_G3_a_restore_killed(carts: RedisKit) -> None:
    """The next run finds the old keys or the new ones, the server up, and nothing half."""
    good = held(carts)
    backup_id = backup_redis(stack=carts.name)
    carts.server.ask("FLUSHALL")
    carts.server.ask("SET", "since", "then")
    wrecked = held(carts)
    points = [("done", "build beside"), ("done", "stop Redis"), *EXCHANGE, ("commit", f"carts is {backup_id}")]
    seen, code = [], -signal.SIGKILL
    for point in range(1, MOST_ENTRIES) if SOAK else points:
        code = killed(carts, "restore-redis", point)
        now = held(carts)
        assert now in (good, wrecked), point
        seen.append(now == good)
        if code == 0:
            break
        if now == good:
            undo_restore_redis(stack=carts.name, approve=True)
            assert held(carts) == wrecked
    assert (code == 0) == SOAK, "the restore has more entries than expected"
    assert seen == sorted(seen), "once the exchange is committed no later death takes it back"
    assert (seen[0], seen[-1]) == (False, True)


EXCHANGE = [("step", "exchange data"), ("done", "exchange data")]


def killed(kit: RedisKit, verb: str, point: int | tuple[str, str]) -> int:
    """Run a verb in a process that is killed there, let the next run clear up, and return how the process ended."""
    log = kit.folder / "child.log"
    at: dict[str, Any] = {"kill_entry": point} if isinstance(point, int) else {"kill": point}
    code = Child(verb, str(log), **at, stack=kit.name, approve=True).wait()
    with open_session(kit.settings(), verb="test", purpose="recover", run_id=f"recover-{kit.name}"):
        pass
    assert code in (0, -signal.SIGKILL), log.read_text()[-3000:]
    kit.assert_clean()
    return code


def test_G3_an_undo_killed(carts: RedisKit) -> None:
    """The next run finds what was restored or what was replaced, the server up, and the other one to go back to."""
    good = held(carts)
    backup_redis(stack=carts.name)
    carts.server.ask("FLUSHALL")
    carts.server.ask("SET", "since", "then")
    wrecked = held(carts)
    restore_redis(stack=carts.name, approve=True)
    points = [("step", "stop Redis"), *EXCHANGE, ("commit", f"carts is what {kept(carts)[0]} holds")]
    seen, code = [], -signal.SIGKILL
    for point in range(1, MOST_ENTRIES) if SOAK else points:
        code = killed(carts, "undo-restore-redis", point)
        now = held(carts)
        assert now in (good, wrecked), point
        assert len(kept(carts)) == 1, point
        seen.append(now == wrecked)
        if code == 0:
            break
        if now == wrecked:
            undo_restore_redis(stack=carts.name, approve=True)
    assert (code == 0) == SOAK, "the undo has more entries than expected"
    assert seen == sorted(seen), "once the exchange is committed no later death takes it back"
    assert (seen[0], seen[-1]) == (False, True)


def kept(kit: RedisKit) -> list[str]:
    """Return what restores and their undoing replaced."""
    return [name for name in kit.names() if name.startswith("appendonlydir.old")]


def test_a_restore_is_not_begun_without_a_way_to_restart(carts: RedisKit) -> None:
    backup_redis(stack=carts.name)
    carts.save_blocks(stop_command=[])
    with pytest.raises(ConfigError, match="stop and start"):
        restore_redis(stack=carts.name, approve=True)
    carts.save_blocks(data_folder=None)
    with pytest.raises(ConfigError, match="data folder"):
        restore_redis(stack=carts.name, approve=True)


def test_a_replica_is_not_restored(carts: RedisKit, tmp_path: Path) -> None:
    """Its master would replace what was restored."""
    backup_redis(stack=carts.name)
    other = RealRedis(tmp_path / "other")
    other.start()
    try:
        carts.server.ask("REPLICAOF", "127.0.0.1", other.port)
        with pytest.raises(PreconditionError, match="replica"):
            restore_redis(stack=carts.name, approve=True)
    finally:
        other.stop()


def test_nobody_approves(carts: RedisKit, untouched: Callable[[], None]) -> None:
    """Nothing is stopped, and what was built is gone."""
    backup_redis(stack=carts.name)
    with (
        at_entry("unlock", "waiting for approval", lambda: None),
        pytest.raises(NotApproved, match="nobody answered"),
    ):
        restore_redis(stack=carts.name, approval_timeout_h=0.0005)
    untouched()


def test_there_is_nothing_to_undo(carts: RedisKit) -> None:
    with pytest.raises(BackupMissing, match="restore-redis"):
        undo_restore_redis(stack=carts.name, approve=True)
