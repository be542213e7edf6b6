"""The verbs of Redis on the stack's own image: in a container that no port leads to, none of Redis on the host."""

import json
import shutil
import signal
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr
from pyrage import x25519

from blocks import BackupIdentity, BackupStore, PostgresDatabase, RedisServer, Stack
from flows.backup_redis import backup_redis
from flows.restore_redis import restore_redis
from flows.undo_restore_redis import undo_restore_redis
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.commands.contained import RUN_LABEL, SERVER_LABEL
from pawpaw_ops.models.redis import RedisManifest
from pawpaw_ops.session import open_session
from pawpaw_ops.tasks import redis_policy
from tests.contract.support_project import ROOT
from tests.integration.stack.support_docker import Container, World, docker
from tests.integration.support_child import Child
from tests.integration.support_containers import assert_left_none
from tests.integration.support_limits import make_limit
from tests.waiting import wait_until

SECRETS = {f"REDIS_{name}_PASSWORD": f"canary-{name.lower()}-51c" for name in ("APP", "BACKUP", "EXPORTER", "ADMIN")}

USER = "pawpaw_backup"
"""Whom `blocks.example.toml` names."""


class Carts:
    """A stack whose Redis runs in a container."""

    def __init__(self, folder: Path, container: Container) -> None:
        self.folder, self.container, self.name = folder, container, container.name
        self.identity = x25519.Identity.generate()

    def save_blocks(self) -> None:
        database = PostgresDatabase(name="shop", port=1)
        database.save(self.name, overwrite=True)
        recipients = [str(self.identity.to_public())]
        store = BackupStore(folder=self.folder / "store", recipients=recipients)
        store.save(self.name, overwrite=True)
        password = SecretStr(SECRETS["REDIS_BACKUP_PASSWORD"])
        server = RedisServer(name="carts", container=self.name, user=USER, password=password)
        server.save(self.name, overwrite=True)
        BackupIdentity(identities=[SecretStr(str(self.identity))]).save(self.name, overwrite=True)
        Stack(state_dir=self.folder / "state", database=database, store=store, redis=server).save(
            self.name, overwrite=True
        )
        make_limit(self.name)

    def ask(self, *words: str) -> str:
        env = {"REDISCLI_AUTH": SECRETS["REDIS_ADMIN_PASSWORD"]}
        return self.container.exec("redis-cli", "--user", "pawpaw_admin", "--no-auth-warning", *words, env=env).strip()

    def wait_up(self) -> None:
        wait_until(lambda: self.container.state["Status"] == "running" and self._pong(), "Redis answers")

    def _pong(self) -> bool:
        env = {"REDISCLI_AUTH": SECRETS["REDIS_ADMIN_PASSWORD"]}
        words = ("redis-cli", "--user", "pawpaw_admin", "--no-auth-warning", "ping")
        return "PONG" in self.container.attempt(*words, env=env).stdout

    def manifests(self) -> list[RedisManifest]:
        settings = Stack.named(self.name).settings()
        catalog = Catalog(locations(settings.store)[0], self.name, "carts", RedisManifest)
        return [entry.manifest for entry in catalog.entries() if entry.manifest is not None]

    def assert_clean(self) -> None:
        """No container of ours is left, nothing beside the data, no journal."""
        for label in (RUN_LABEL, SERVER_LABEL):
            assert_left_none(label)
        assert ".pawpaw-" not in self.container.exec("ls", "-a", "/data")
        assert not list((self.folder / "state" / "journal").glob("*.jsonl"))
        assert self.ask("CONFIG", "GET", "auto-aof-rewrite-percentage").split()[-1] == "100"


@pytest.fixture
def carts(prefect_api: None, world: World, redis_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Carts:
    """The stack's Redis with some carts, and no program of Redis on this host."""
    container = world.run(
        redis_image,
        "redis",
        world.mount("data", "/data"),
        "--tmpfs=/run/redis:size=4m,uid=999,gid=999,mode=700",
        network=world.network(),
        env=SECRETS,
    )
    made = Carts(tmp_path, container)
    made.wait_up()
    for number in range(50):
        made.ask("SET", f"pawpaw:cart:{number}", f"{number} treats")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "docker").symlink_to(shutil.which("docker") or "")
    monkeypatch.setenv("PATH", str(tools))
    made.save_blocks()
    return made


@pytest.mark.parametrize("exact", [False, True], ids=["snapshot", "exact"])
def test_G3_backed_up_lost_restored_and_undone(carts: Carts, *, exact: bool) -> None:
    """Tools, address and data folder are looked up in the container."""
    backup_redis(stack=carts.name, exact=exact)
    (manifest,) = carts.manifests()
    assert manifest.contents.count == 50
    assert manifest.contents.differed == 0
    carts.ask("FLUSHALL")
    carts.ask("SET", "pawpaw:cart:new", "since")
    kept = restore_redis(stack=carts.name, approve=True)
    assert carts.ask("DBSIZE") == "50"
    assert carts.ask("GET", "pawpaw:cart:7") == "7 treats"
    for _ in range(2):
        docker("restart", carts.name)
        carts.wait_up()
        assert carts.ask("DBSIZE") == "50"
    assert kept in carts.container.exec("ls", "/data")
    assert carts.ask("CONFIG", "GET", "dir").split()[-1] == "/data"
    undo_restore_redis(stack=carts.name, approve=True)
    assert carts.ask("GET", "pawpaw:cart:new") == "since"
    carts.assert_clean()


def test_G7_the_user_of_the_example_may_flush_and_its_password_is_in_no_record(carts: Carts) -> None:
    """It is the one with which everything here is done; and it may still not write one key."""
    example = tomllib.loads((ROOT / "deployments" / "blocks.example.toml").read_text())
    assert example["blocks"]["redis-server"]["prod"]["user"] == USER
    with open_session(Stack.named(carts.name).settings(), verb="restore-db", purpose="test", run_id="flush") as do:
        server, keys = redis_policy.count_to_flush.fn(do)
        assert keys == 50
        redis_policy.flush.fn(do, server)
    assert carts.ask("DBSIZE") == "0"
    with connect(server) as conn:
        assert conn.may("SET", "pawpaw:cart:1", "x") is False
    for path in (carts.folder / "state").rglob("*"):
        if path.is_file():
            assert b"canary-" not in path.read_bytes()
    carts.assert_clean()


def test_G2_a_worker_killed_while_redis_is_stopped(carts: Carts) -> None:
    """A container that is stopped is found, its data put back, and it is started."""
    backup_redis(stack=carts.name)
    carts.ask("SET", "pawpaw:cart:new", "since")
    log = carts.folder / "child.log"
    code = Child("restore-redis", str(log), kill=("done", "stop Redis"), stack=carts.name, approve=True).wait()
    assert code == -signal.SIGKILL, log.read_text()[-3000:]
    assert json.loads(docker("inspect", carts.name))[0]["State"]["Status"] == "exited"
    with open_session(Stack.named(carts.name).settings(), verb="test", purpose="recover", run_id="recover"):
        pass
    carts.wait_up()
    assert carts.ask("DBSIZE") == "51"
    carts.assert_clean()
