"""The database goes back in time; Redis is kept, flushed, or brought back as near as there is."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks import Stack
from flows.backup import backup_db
from flows.backup_redis import backup_redis
from flows.restore import restore_db
from flows.undo_restore_redis import undo_restore_redis
from pawpaw_ops.clients.redis import power
from pawpaw_ops.errors import BackupMissing, ConfigError, PreconditionError, VerificationError
from pawpaw_ops.models.redis import Redis
from pawpaw_ops.runner import Runner
from pawpaw_ops.session import open_session
from tests.integration.support_child import Child
from tests.integration.support_redis import PASSWORD, RealRedis, RedisKit
from tests.integration.support_stack import Kit

ROWS = "SELECT count(*) FROM dos"


@pytest.fixture
def shop(tiny: Kit, tmp_path: Path) -> Iterator[RedisKit]:
    """A small database with a Redis beside it."""
    server = RealRedis(tmp_path / "redis")
    server.start()
    kit = RedisKit(tmp_path, server)
    kit.name, kit.state_dir, kit.store_folder = tiny.name, tiny.state_dir, tiny.store_folder
    block, stack = kit.block(), Stack.named(tiny.name)
    block.save(tiny.name, overwrite=True)
    Stack(state_dir=stack.state_dir, database=stack.database, store=stack.store, redis=block).save(
        tiny.name, overwrite=True
    )
    yield kit
    server.stop()


def grow(kit: RedisKit, tiny: Kit) -> str:
    """Make a Redis backup, a database backup and a newer Redis backup, then change both; return the first one's id."""
    kit.server.ask("SET", "cart", "before")
    first = backup_redis(stack=kit.name)
    backup_db(stack=kit.name)
    kit.server.ask("SET", "cart", "after")
    backup_redis(stack=kit.name)
    kit.server.ask("SET", "cart", "now")
    tiny.sql("DELETE FROM dos")
    return first


def test_G6_keep(shop: RedisKit, tiny: Kit, caplog: pytest.LogCaptureFixture) -> None:
    """The default: Redis is not touched, and the report says so."""
    grow(shop, tiny)
    before = shop.server.run_id()
    restore_db(stack=shop.name, approve=True)
    assert tiny.sql(ROWS) == [(300,)]
    assert shop.server.ask("GET", "cart") == b"now"
    assert shop.server.run_id() == before
    assert "(redis=keep)" in caplog.text
    tiny.assert_clean()


def test_G6_flush(shop: RedisKit, tiny: Kit) -> None:
    grow(shop, tiny)
    shop.server.ask("SET", "another", "database", db=3)
    restore_db(stack=shop.name, redis="flush", approve=True)
    assert tiny.sql(ROWS) == [(300,)]
    assert shop.server.info("keyspace") == {}
    tiny.assert_clean()


def test_G6_nearest(shop: RedisKit, tiny: Kit) -> None:
    """The newest backup of Redis that is not newer than the database's, and a way back."""
    first = grow(shop, tiny)
    restore_db(stack=shop.name, redis="nearest", approve=True)
    assert tiny.sql(ROWS) == [(300,)]
    assert shop.server.ask("GET", "cart") == b"before"
    assert first in (shop.state_dir / "audit.jsonl").read_text()
    shop.assert_clean()
    undo_restore_redis(stack=shop.name, approve=True)
    assert shop.server.ask("GET", "cart") == b"now"
    assert tiny.sql(ROWS) == [(300,)]


def test_G6_nothing_is_near_enough(shop: RedisKit, tiny: Kit) -> None:
    """Told before the names are swapped."""
    backup_db(stack=shop.name)
    backup_redis(stack=shop.name)
    tiny.sql("DELETE FROM dos")
    with pytest.raises(BackupMissing, match="up to"):
        restore_db(stack=shop.name, redis="nearest", approve=True)
    assert tiny.sql(ROWS) == [(0,)]
    tiny.assert_clean()


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("-flushall", "may not FLUSHALL"),
        ("-acl|dryrun", "does not say whether"),
        ("-acl|whoami", "does not say whether"),
    ],
)
def test_G6_we_may_not_flush(shop: RedisKit, tiny: Kit, lacks: str, said: str) -> None:
    """Told before the names are swapped; where the server does not let us ask, that is a no too."""
    backup_db(stack=shop.name)
    shop.server.ask("SET", "cart", "now")
    shop.server.ask("ACL", "SETUSER", "ops", "reset", "on", f">{PASSWORD}", "~*", "&*", "+@all", lacks)
    tiny.sql("DELETE FROM dos")
    with pytest.raises(PreconditionError, match=f"{said}.*nothing was changed.*ACL rules"):
        restore_db(stack=shop.name, redis="flush", approve=True)
    assert tiny.sql(ROWS) == [(0,)]
    assert shop.server.ask("GET", "cart") == b"now"
    tiny.assert_clean()


def test_G6_a_file_has_no_time(shop: RedisKit, tiny: Kit) -> None:
    """So nothing is the nearest to it."""
    backup_db(stack=shop.name, export_sql=True)
    (file,) = shop.store_folder.glob("*.sql.gz")
    with pytest.raises(ConfigError, match="does not say when it was made"):
        restore_db(stack=shop.name, backup=str(file), redis="nearest", approve=True)


def test_G6_a_stack_without_redis(tiny: Kit) -> None:
    backup_db(stack=tiny.name)
    with pytest.raises(ConfigError, match="has no Redis"):
        restore_db(stack=tiny.name, redis="flush", approve=True)


def test_G6_redis_does_not_come_up(shop: RedisKit, tiny: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database stays restored, Redis is put back, and the error says both."""
    grow(shop, tiny)
    start, calls = power.start, iter(range(9))

    def fail_once(server: Redis, runner: Runner) -> None:
        if next(calls) == 0:
            raise PreconditionError("it did not come up.")
        start(server, runner)

    monkeypatch.setattr(power, "start", fail_once)
    with pytest.raises(VerificationError, match="the change is in place, but what follows it failed: it did not come"):
        restore_db(stack=shop.name, redis="nearest", approve=True)
    assert tiny.sql(ROWS) == [(300,)]
    assert shop.server.ask("GET", "cart") == b"now"
    shop.assert_clean()


def test_G6_killed_between_the_two(shop: RedisKit, tiny: Kit) -> None:
    """The database is restored, Redis is as it was, and up."""
    grow(shop, tiny)
    log = tiny.folder / "child.log"
    entry = ("done", "stop Redis")
    code = Child("restore-db", str(log), kill=entry, stack=shop.name, redis="nearest", approve=True).wait()
    assert code == -signal.SIGKILL, log.read_text()[-3000:]
    with open_session(shop.settings(), verb="test", purpose="recover", run_id="recover"):
        pass
    assert tiny.sql(ROWS) == [(300,)]
    assert shop.server.ask("GET", "cart") == b"now"
    shop.assert_clean()
    tiny.assert_clean()
