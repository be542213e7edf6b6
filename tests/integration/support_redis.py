"""A real Redis for a test, stopped and started by commands as systemd's would be, and a stack around it."""

import os
import secrets
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import redis
from pydantic import SecretStr
from pyrage import x25519

from blocks import BackupIdentity, BackupStore, PostgresDatabase, RedisServer, Stack
from pawpaw_ops import sealing
from pawpaw_ops.clients.redis.connection import gone
from pawpaw_ops.clients.store import DATA, Catalog, locations
from pawpaw_ops.commands.command import Command
from pawpaw_ops.models.backup import Proof, new_backup_id
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.redis import Redis as Settings
from pawpaw_ops.models.redis import RedisManifest
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.runner import LocalRunner
from tests.integration.support_limits import make_limit
from tests.threads import Crowd
from tests.waiting import wait_until

PASSWORD = "canary-redis-7f3a"
OPERATOR = "ops"
RULES = "~* &* +@all"


def free_port() -> int:
    """Return a port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RealRedis:
    """A server on loopback whose data lies in `folder/data`.

    Args:
        folder: Where everything of it is.
        settings: Settings over the defaults.
        rules: ACL rules of our user.
    """

    def __init__(self, folder: Path, *, rules: str = RULES, **settings: str) -> None:
        self.folder, self.data, self.port = folder, folder / "data", free_port()
        self.conf = folder / "redis.conf"
        self.prefix = ""  # words before the program, for a server under limits of its own
        self.data.mkdir(parents=True, exist_ok=True)
        wanted = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.data),
            "appendonly": "yes",
            "daemonize": "yes",
            "pidfile": str(folder / "pid"),
            "logfile": str(folder / "log"),
            "repl-diskless-sync-delay": "0",
            "save": '""',
            "auto-aof-rewrite-min-size": "1kb",
            "enable-debug-command": "local",
        } | {name.replace("_", "-"): value for name, value in settings.items()}
        lines = [f"{name} {value}" for name, value in wanted.items()]
        lines += [
            "user default off",
            f"user admin on >{PASSWORD} ~* &* +@all",
            f"user {OPERATOR} on >{PASSWORD} {rules}",
        ]
        self.conf.write_text("\n".join(lines) + "\n")

    @property
    def start_command(self) -> list[str]:
        """Return only when the server has left our process group, whose leftovers the runner ends."""
        pid = self.folder / "pid"
        wait = f"rm -f {pid}; {self.prefix}redis-server {self.conf} || exit; until [ -s {pid} ]; do sleep 0.02; done"
        return ["sh", "-c", wait]

    @property
    def stop_command(self) -> list[str]:
        return ["sh", "-c", f"kill $(cat {self.folder / 'pid'})"]

    def settings(self) -> Settings:
        return Settings(port=self.port, user=OPERATOR, password=SecretStr(PASSWORD))

    def start(self) -> None:
        LocalRunner().run(Command(argv=tuple(self.start_command)))
        self.wait_up()

    def wait_up(self) -> None:
        def answers() -> bool:
            with suppress(redis.RedisError), self.client() as client:
                return not client.info("persistence")["loading"]
            return False

        wait_until(answers, "Redis answers")

    def pid(self) -> int:
        return int((self.folder / "pid").read_text())

    def stop(self) -> None:
        """End it, if it runs, as a power cut would."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self.pid(), signal.SIGKILL)
        wait_until(lambda: gone(self.settings()), "Redis is gone")

    def restart(self) -> None:
        """Stop it in order and start it again."""
        os.kill(self.pid(), signal.SIGTERM)
        wait_until(lambda: gone(self.settings()), "Redis is gone")
        self.start()

    @contextmanager
    def client(self, *, db: int = 0) -> Iterator["redis.Redis"]:
        made = redis.Redis(
            host="127.0.0.1", port=self.port, db=db, username="admin", password=PASSWORD, protocol=2, driver_info=None
        )
        try:
            yield made
        finally:
            made.close()

    def ask(self, *words: object, db: int = 0) -> Any:
        with self.client(db=db) as client:
            return client.execute_command(*words)  # type: ignore[no-untyped-call]

    def info(self, section: str) -> dict[str, Any]:
        with self.client() as client:
            return dict(client.info(section))

    def run_id(self) -> str:
        return str(self.info("server")["run_id"])

    def size(self, *, db: int = 0) -> int:
        return int(self.ask("DBSIZE", db=db))

    def fill(self, keys: int = 2000) -> None:
        """Make keys of every kind, some that expire, in two databases; large ones are hash tables in memory."""
        with self.client() as client:
            pipe = client.pipeline(transaction=False)
            for n in range(keys):
                pipe.set(f"cart:{n}", os.urandom(16).hex())
                if n % 10 == 0:
                    pipe.expire(f"cart:{n}", 86400)
            pipe.hset("hash", mapping={f"f{n}": str(n) for n in range(700)})
            pipe.sadd("set", *(f"m{n}" for n in range(700)))
            pipe.zadd("zset", {f"z{n}": n / 3 for n in range(300)})
            pipe.rpush("list", *(str(n) for n in range(300)))
            pipe.xadd("stream", {"a": "1"})
            pipe.set(b"\xff\x00odd \n name", b"\x00\xff")
            pipe.execute()
        with self.client(db=3) as client:
            client.set("other", "database")


class RedisKit:
    """One test's stack around a Redis; its database is never asked."""

    def __init__(self, folder: Path, server: RealRedis) -> None:
        self.folder, self.server = folder, server
        self.name = f"t{secrets.token_hex(4)}"
        self.identity = x25519.Identity.generate()
        self.state_dir, self.store_folder = folder / "state", folder / "store"

    def block(self, **changed: Any) -> RedisServer:
        """Return the block of the server."""
        fields: dict[str, Any] = {
            "name": "carts",
            "port": self.server.port,
            "user": OPERATOR,
            "password": PASSWORD,
            "data_folder": self.server.data,
            "stop_command": self.server.stop_command,
            "start_command": self.server.start_command,
        }
        return RedisServer(**(fields | changed))

    def save_blocks(self, *, database: PostgresDatabase | None = None, **changed: Any) -> None:
        """Write the blocks, anew where they are there already."""
        self.store_folder.mkdir(exist_ok=True)
        base = database or PostgresDatabase(name="shop", port=1)
        base.save(self.name, overwrite=True)
        store = BackupStore(folder=self.store_folder, recipients=[str(self.identity.to_public())])
        store.save(self.name, overwrite=True)
        server = self.block(**changed)
        server.save(self.name, overwrite=True)
        BackupIdentity(identities=[str(self.identity)]).save(self.name, overwrite=True)
        Stack(state_dir=self.state_dir, database=base, store=store, redis=server).save(self.name, overwrite=True)
        make_limit(self.name)

    def settings(self) -> StackSettings:
        return Stack.named(self.name).settings()

    def catalog(self) -> Catalog[RedisManifest]:
        return Catalog(locations(self.settings().store)[0], self.name, "carts", RedisManifest)

    def republish(self, change: Callable[[Path], None], *, of: str, **contents: object) -> str:
        """Publish a backup again as a new one that was changed before it was sealed; return its id."""
        catalog, work = self.catalog(), self.folder / secrets.token_hex(4)
        manifest = catalog.manifest(of)
        with catalog.location.open(manifest.object_key) as stream:
            opened = sealing.unseal(stream, identities=[SecretStr(str(self.identity))], to=work)
        change(work / sealing.DUMP)
        update = {"backup_id": new_backup_id(utc_now()), "taken_at": utc_now(), "files": sealing.list_files(work)}
        made = opened.contents.model_copy(update=update | contents)
        sealed = sealing.seal(work, made, to=self.folder / "sealed", recipients=manifest.recipients)
        key = catalog.key(made.backup_id, DATA)
        catalog.location.put_file(key, sealed.path, sha256=sealed.sha256)
        sealed.path.unlink()
        proof = Proof(backup_id=made.backup_id, at=utc_now(), verdict=Verdict.VERIFIED, level=1, run_id="test")
        catalog.add_proof(proof)
        fields = {"contents": made, "object_key": key, "size_bytes": sealed.size_bytes, "sha256": sealed.sha256}
        catalog.publish(manifest.model_copy(update=fields))
        return made.backup_id

    def names(self) -> list[str]:
        """Return what lies in the server's folder."""
        return sorted(path.name for path in self.server.data.iterdir())

    def assert_clean(self) -> None:
        """No scratch, lock, unfinished journal, folder beside or server of ours is left; rewrites are on."""
        assert not list((self.state_dir / "staging").glob("*"))
        assert not list((self.state_dir / "journal").glob("*.jsonl"))
        assert (self.state_dir / "lock").read_bytes() == b""
        assert [name for name in self.names() if name.startswith(".pawpaw-")] == []
        assert self.rewrite_percentage() == "100"

    def rewrite_percentage(self) -> str:
        return str(self.server.ask("CONFIG", "GET", "auto-aof-rewrite-percentage")[1].decode())

    def remove(self) -> None:
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Load(Crowd):
    """Writers that never rest, and rewrites of the append-only file one after the other."""

    def __init__(self, server: RealRedis, *, writers: int = 2, rewrites: bool = True) -> None:
        work = [partial(self._write, number) for number in range(writers)]
        super().__init__(*work, *([self._rewrite] if rewrites else []))
        self._server = server
        self.written = [0] * writers
        self.rewrites = 0

    def _write(self, number: int) -> None:
        with self._server.client() as client:
            while not self.over.is_set():
                pipe = client.pipeline(transaction=number % 2 == 1)
                for n in range(200):
                    pipe.set(f"load:{number}:{(self.written[number] + n) % 50_000}", "x" * 100)
                pipe.execute()
                self.written[number] += 200

    def _rewrite(self) -> None:
        with self._server.client() as client:
            while not self.over.is_set():
                with suppress(redis.ResponseError):
                    client.bgrewriteaof()
                    self.rewrites += 1
                self.over.wait(0.02)
