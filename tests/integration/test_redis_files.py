"""The append-only files of a running Redis held still, and servers of our own started on copies."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawpaw_ops.clients.redis import aof, folders, look
from pawpaw_ops.clients.redis.connection import connect, gone
from pawpaw_ops.commands import redis as command
from pawpaw_ops.disposable import new_root, reap
from pawpaw_ops.disposable_redis import DisposableRedis, loaded
from pawpaw_ops.errors import Blocked, ConfigError, PreconditionError, Unreachable
from pawpaw_ops.models.database import ClientTools, Database
from pawpaw_ops.models.redis import Layout, Redis
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.models.store import StoreSettings
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session import undo
from pawpaw_ops.session.undo_redis import remove_beside
from tests.integration.support_redis import Load, RealRedis
from tests.waiting import SOAK, wait_until

ROUNDS = 50 if SOAK else 10
"""`make soak` takes fifty copies."""
ON = Layout(append_only=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RealRedis]:
    made = RealRedis(tmp_path / "redis")
    made.start()
    made.fill()
    yield made
    made.stop()


def here(server: RealRedis) -> Redis:
    return server.settings().model_copy(update={"data_folder": server.data})


def test_G1_copies_under_writes_and_rewrites(server: RealRedis, tmp_path: Path) -> None:
    """Every one is whole to its last command, although somebody else asks for rewrites all the time."""
    copy = tmp_path / "copy"
    with Load(server) as load:
        for _ in range(ROUNDS):
            folders.remove(copy)
            linked = aof.link(here(server), ON, to=server.data / ".pawpaw-r1", deadline_s=60)
            aof.copy(linked, copy)
            folders.remove(linked.folder)
            LocalRunner().run(command.check_aof(ClientTools(), manifest=copy / ON.manifest))
        assert load.rewrites > 10
    with loaded(new_root("redis"), copy, "aof", ON, tools=ClientTools(), databases=16) as own, connect(own) as conn:
        assert look.keyspace(conn).databases[0].total > 2000


def test_a_rewrite_that_does_not_end_is_not_waited_for_for_ever(server: RealRedis) -> None:
    server.ask("CONFIG", "SET", "rdb-key-save-delay", "5000")
    wait_until(lambda: not server.info("persistence")["aof_rewrite_in_progress"], "the server is at rest")
    server.ask("BGREWRITEAOF")
    with pytest.raises(Blocked, match="still being rewritten"):
        aof.link(here(server), ON, to=server.data / ".pawpaw-r1", deadline_s=0.1)
    assert not (server.data / ".pawpaw-r1").exists()


def test_a_list_that_names_what_is_not_there(server: RealRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    """As while it is rewritten; but it stays so."""
    monkeypatch.setattr(aof, "TRIES", 3)
    wait_until(lambda: not server.info("persistence")["aof_rewrite_in_progress"], "the server is at rest")
    for path in (server.data / ON.folder).glob("*.base.rdb"):
        path.unlink()
    with pytest.raises(Blocked, match="3 times in a row"):
        aof.link(here(server), ON, to=server.data / ".pawpaw-r1", deadline_s=60)


def test_a_folder_without_append_only_files(server: RealRedis, tmp_path: Path) -> None:
    elsewhere = server.settings().model_copy(update={"data_folder": tmp_path})
    with pytest.raises(ConfigError, match="data_folder"):
        aof.link(elsewhere, ON, to=tmp_path / ".pawpaw-r1", deadline_s=60)


def test_a_server_whose_owner_died_is_ended(server: RealRedis, tmp_path: Path) -> None:
    """Its folder is in the name that it gives itself."""
    linked = aof.link(here(server), ON, to=server.data / ".pawpaw-r1", deadline_s=60)
    aof.copy(linked, tmp_path / "copy")
    made = DisposableRedis(new_root("redis"), tools=ClientTools())
    made.start(tmp_path / "copy", "aof", ON)
    own = made.server
    assert not gone(own)
    reap(made.root)
    assert gone(own)
    assert not made.root.exists()
    made.remove()


def test_gone_is_not_silent(server: RealRedis) -> None:
    """A server that is stopped in its tracks has not ended."""
    os.kill(server.pid(), signal.SIGSTOP)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pawpaw_ops.clients.redis.connection.ANSWER_TIMEOUT_S", 0.2)
            assert not gone(server.settings())
            with pytest.raises(Unreachable), connect(server.settings()) as conn:
                conn.ask("PING")
    finally:
        os.kill(server.pid(), signal.SIGCONT)
    server.stop()
    assert gone(server.settings())
    assert gone(Redis(host="/nowhere/redis.sock"))


def test_only_our_own_folders_beside_are_removed(tmp_path: Path) -> None:
    stack = StackSettings(
        name="t",
        state_dir=tmp_path,
        database=Database(name="x"),
        store=StoreSettings(),
        identity_block="t",
        redis=Redis(data_folder=tmp_path),
    )
    (tmp_path / "appendonlydir").mkdir()
    (tmp_path / ".pawpaw-r1").mkdir()
    undo.run(remove_beside(tmp_path / ".pawpaw-r1"), stack, run_id="r2")
    with pytest.raises(ConfigError, match="not a folder of ours"):
        undo.run(remove_beside(tmp_path / "appendonlydir"), stack, run_id="r2")
    assert [path.name for path in tmp_path.iterdir()] == ["appendonlydir"]


def test_a_socket_needs_a_short_path(tmp_path: Path) -> None:
    made = DisposableRedis(tmp_path / ("x" * 120), tools=ClientTools())
    with pytest.raises(PreconditionError, match="too long"):
        made.start(tmp_path, "rdb", ON)
