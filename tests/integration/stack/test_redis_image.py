"""Redis' image as it runs in production: what survives, who may do what, and where passwords are not."""

import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from tests.integration.stack import support_docker
from tests.integration.stack.support_docker import Container, World, attempt, docker
from tests.waiting import wait_until

TMPFS = ("--tmpfs=/tmp:mode=1777", "--tmpfs=/run/redis:uid=999,gid=999,mode=700")
USERS = {
    "pawpaw_app": "REDIS_APP_PASSWORD",
    "pawpaw_backup": "REDIS_BACKUP_PASSWORD",
    "pawpaw_exporter": "REDIS_EXPORTER_PASSWORD",
    "pawpaw_admin": "REDIS_ADMIN_PASSWORD",
}


@dataclass(frozen=True)
class Server:
    """A Redis, its volume and its passwords."""

    world: World
    image: str
    network: str
    passwords: dict[str, str] = field(
        default_factory=lambda: {name: f"canary-{secrets.token_hex(8)}" for name in USERS.values()}
    )

    @property
    def container(self) -> Container:
        """The container, once it is started."""
        return Container(f"{self.world.id}-redis")

    def start(self, *options: str, **env: str) -> Container:
        """Start it and wait until it is healthy."""
        container = self.launch(*options, **env)
        container.wait_healthy()
        return container

    def launch(self, *options: str, **env: str) -> Container:
        """Start it."""
        volume = self.world.mount("data", "/data")
        return self.world.run(
            self.image, "redis", *TMPFS, volume, *options, network=self.network, env=self.passwords | env
        )

    def cli(
        self, user: str, *words: str, password: str | None = None, host: str = "127.0.0.1"
    ) -> subprocess.CompletedProcess[str]:
        """Run redis-cli as a user."""
        given = self.passwords[USERS[user]] if password is None else password
        return self.container.attempt(
            *("redis-cli", "-h", host, "--no-auth-warning", "--user", user, *words), env={"REDISCLI_AUTH": given}
        )

    def ask(self, user: str, *words: str) -> str:
        """Run one command as a user and return the answer, refusals too."""
        return self.cli(user, *words).stdout.strip()


@pytest.fixture
def server(world: World, redis_image: str) -> Server:
    """Nothing runs yet."""
    return Server(world, redis_image, world.network())


@pytest.fixture(scope="module")
def running(docker_engine: None, redis_image: str) -> Iterator[Server]:
    """A Redis for tests that change nothing of it."""
    with support_docker.world() as world:
        made = Server(world, redis_image, world.network())
        made.start()
        yield made


def refused(answer: str) -> bool:
    return answer.startswith("NOPERM")


def test_what_the_app_may_do(running: Server) -> None:
    """Its own keys, its scripts, its connection; no key outside its prefix, nobody else's data, no administration."""
    app = "pawpaw_app"
    assert running.ask(app, "HSET", "pawpaw:cart:1", "7", "2") == "1"
    assert running.ask(app, "HGETALL", "pawpaw:cart:1").split() == ["7", "2"]
    assert running.ask(app, "EXPIRE", "pawpaw:cart:1", "60") == "1"
    script = "return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)"
    assert running.ask(app, "EVAL", script, "1", "pawpaw:cart:1", "7") == "3"
    assert running.ask(app, "MGET", "pawpaw:login:a", "pawpaw:login:b") == ""
    assert running.ask(app, "PING") == "PONG"
    assert "redis_version" in running.ask(app, "INFO", "server")

    for words in (
        ("GET", "other"),
        ("EVAL", "return redis.call('GET', 'other')", "0"),
        ("CONFIG", "GET", "*"),
        ("CONFIG", "SET", "appendonly", "no"),
        ("FLUSHALL",),
        ("FLUSHDB",),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("ACL", "LIST"),
        ("SHUTDOWN", "NOSAVE"),
        ("REPLICAOF", "127.0.0.1", "1"),
        ("BGREWRITEAOF",),
        ("SAVE",),
        ("CLIENT", "KILL", "TYPE", "normal"),
        ("MODULE", "LIST"),
        ("MONITOR",),
        ("FUNCTION", "FLUSH"),
        ("PUBLISH", "any", "x"),
        ("SWAPDB", "0", "1"),
    ):
        answer = running.ask(app, *words)
        assert refused(answer) or "can't access" in answer or "No permissions" in answer, (words, answer)


def test_what_the_backup_may_do(running: Server) -> None:
    """What a backup reads, a snapshot over the network, the two things that the verbs change, and no write of a key."""
    running.ask("pawpaw_admin", "SET", "other", "1")
    backup = "pawpaw_backup"
    assert running.ask(backup, "GET", "other") == "1"
    assert running.ask(backup, "DUMP", "other")
    assert "other" in running.ask(backup, "SCAN", "0", "COUNT", "1000")
    assert running.ask(backup, "CONFIG", "GET", "appendonly").split() == ["appendonly", "yes"]
    assert running.ask(backup, "DBSIZE").isdigit()
    assert running.ask(backup, "LASTSAVE").isdigit()
    assert "aof_enabled:1" in running.ask(backup, "INFO", "persistence")
    assert "user default off" in running.ask(backup, "ACL", "LIST")
    assert running.ask(backup, "BGREWRITEAOF").startswith("Background append only file rewriting")

    assert running.ask(backup, "CONFIG", "SET", "auto-aof-rewrite-percentage", "100") == "OK"
    assert "protected config" in running.ask(backup, "CONFIG", "SET", "dir", "/tmp")  # noqa: S108
    assert running.ask(backup, "ACL", "WHOAMI") == backup
    assert running.ask(backup, "ACL", "DRYRUN", backup, "FLUSHALL") == "OK"

    snapshot = running.cli(backup, "--rdb", "/tmp/dump.rdb")  # noqa: S108 - a tmpfs of the container
    assert snapshot.returncode == 0, snapshot.stderr
    assert "RDB looks OK" in running.container.exec("redis-check-rdb", "/tmp/dump.rdb")  # noqa: S108

    for words in (
        ("SET", "other", "2"),
        ("DEL", "other"),
        ("FLUSHDB",),
        ("ACL", "SETUSER", backup, "+@all"),
        ("SHUTDOWN",),
        ("EVAL", "return 1", "0"),
    ):
        assert refused(running.ask(backup, *words)), words


def test_what_the_exporter_may_do(running: Server) -> None:
    exporter = "pawpaw_exporter"
    assert "used_memory" in running.ask(exporter, "INFO", "ALL")
    assert "maxmemory" in running.ask(exporter, "CONFIG", "GET", "*")
    for line in ("SLOWLOG LEN", "SLOWLOG GET", "LATENCY LATEST", "LATENCY HISTOGRAM"):
        assert not refused(running.ask(exporter, *line.split())), line
    for line in ("GET other", "SCAN 0", "CONFIG SET maxmemory 1", "FLUSHALL"):
        assert refused(running.ask(exporter, *line.split())), line


def test_the_admin_may_do_what_operations_need(running: Server) -> None:
    assert running.ask("pawpaw_admin", "CONFIG", "SET", "auto-aof-rewrite-percentage", "100") == "OK"
    refused_setting = running.ask("pawpaw_admin", "CONFIG", "SET", "dir", "/tmp")  # noqa: S108
    assert "protected config" in refused_setting, "not even the admin may write files where it likes"


@pytest.mark.parametrize("where", ["127.0.0.1", "redis"])
def test_only_the_right_password_is_let_in(running: Server, where: str) -> None:
    for user, name in USERS.items():
        assert running.cli(user, "PING", host=where).stdout == "PONG\n"
        for wrong in (running.passwords[name][:-1], secrets.token_hex(8)):
            seen = running.cli(user, "PING", password=wrong, host=where)
            assert "WRONGPASS" in seen.stdout + seen.stderr, user
            assert "PONG" not in seen.stdout


def test_nobody_is_let_in_without_a_name(running: Server) -> None:
    """The default user is off: no password, and none of the passwords without a name, opens anything."""
    assert "NOAUTH" in running.container.exec("redis-cli", "PING")
    for password in running.passwords.values():
        seen = running.container.attempt("redis-cli", "--no-auth-warning", "PING", env={"REDISCLI_AUTH": password})
        assert "PONG" not in seen.stdout


def test_no_password_is_in_a_file_or_a_log(running: Server) -> None:
    server = running.container
    assert "canary" not in server.logs()
    users = server.exec("cat", "/run/redis/users.acl")
    assert users.count("#") == 4
    assert "canary" not in users
    assert server.exec("stat", "-c", "%a", "/run/redis/users.acl") == "600\n"
    words = ("--rm", "--network=none", f"--volume={running.world.id}-data:/looked:ro", "--entrypoint=grep")
    assert attempt("run", *words, running.image, "-rlaF", "canary", "/looked").returncode == 1


@pytest.mark.parametrize("missing", USERS.values())
def test_a_missing_password_is_refused(server: Server, missing: str) -> None:
    container = server.launch(**{missing: ""})
    assert container.wait_ended() == 78
    assert missing in container.logs()


def test_carts_survive_a_kill(server: Server) -> None:
    """Every write that is older than the fsync interval is there after SIGKILL, also when it comes under writes."""
    container = server.start()
    many = "for i = 1, 5000 do redis.call('HSET', 'pawpaw:cart:' .. i, 'sku', i) end return 5000"
    assert server.ask("pawpaw_admin", "EVAL", many, "0") == "5000"
    server.ask("pawpaw_admin", "BGREWRITEAOF")
    assert server.ask("pawpaw_app", "HSET", "pawpaw:cart:last", "sku", "1") == "1"
    # Written to the kernel before the answer, so that only the machine's own end could lose it.
    container.kill()
    container.start()
    container.wait_healthy()
    assert server.ask("pawpaw_admin", "DBSIZE") == "5001"
    assert server.ask("pawpaw_app", "HGET", "pawpaw:cart:5000", "sku") == "5000"
    assert container.exec("ls", "/data").split() == ["appendonlydir"], "no dump beside it"
    assert "appendonly.aof.manifest" in container.exec("ls", "/data/appendonlydir").split()


def test_a_torn_last_write_is_dropped_and_the_rest_kept(server: Server) -> None:
    container = server.start()
    server.ask("pawpaw_app", "SET", "pawpaw:cart:kept", "1")
    container.kill()
    words = ("--rm", "--network=none", f"--volume={server.world.id}-data:/data", "--entrypoint=sh", server.image)
    docker("run", *words, "-c", "printf '*3\\r\\n$3\\r\\nSET\\r\\n$9\\r\\npaw' >>/data/appendonlydir/*.incr.aof")
    container.start()
    container.wait_healthy()
    assert server.ask("pawpaw_app", "GET", "pawpaw:cart:kept") == "1"


def test_full_memory_refuses_new_carts_and_forgets_none(server: Server) -> None:
    server.start(REDIS_MAXMEMORY="5mb")
    # Bounded scripts: what a script has begun it may finish, however full the memory is.
    fill = "for i = 1, 10 do redis.call('SET', 'pawpaw:cart:' .. ARGV[1] + i, string.rep('x', 100000)) end"
    answers = [server.ask("pawpaw_admin", "EVAL", fill, "0", str(10 * n)) for n in range(8)]
    assert "OOM" in answers[-1]
    count = int(server.ask("pawpaw_admin", "DBSIZE"))
    assert count == 10 * sum("OOM" not in answer for answer in answers)
    assert server.ask("pawpaw_app", "SET", "pawpaw:cart:new", "1").startswith("OOM")
    assert len(server.ask("pawpaw_app", "GET", "pawpaw:cart:1")) == 100000
    assert server.ask("pawpaw_app", "DEL", "pawpaw:cart:1") == "1"
    assert int(server.ask("pawpaw_admin", "DBSIZE")) == count - 1


def test_health_follows_the_append_only_file(server: Server) -> None:
    """Healthy while writes reach the disk; not while they cannot, nor without the append-only file."""
    container = server.start()
    assert container.attempt("redis-healthy").returncode == 0
    server.ask("pawpaw_admin", "CONFIG", "SET", "appendonly", "no")
    sick = container.attempt("redis-healthy")
    assert (sick.returncode, sick.stderr) == (1, "not so: aof_enabled:1\n")
    server.ask("pawpaw_admin", "CONFIG", "SET", "appendonly", "yes")
    wait_until(lambda: container.attempt("redis-healthy").returncode == 0, "it is healthy again")


def test_it_stops_in_order(server: Server) -> None:
    container = server.start()
    server.ask("pawpaw_app", "SET", "pawpaw:cart:1", "1")
    container.stop()
    assert container.state["ExitCode"] == 0
    assert "Redis is now ready to exit" in container.logs()


def test_rotate_ROT_26_what_a_rotation_kept_holds_until_the_environment_says_something_newer(server: Server) -> None:
    old, new = server.passwords["REDIS_APP_PASSWORD"], "canary-newer"
    first = server.start()
    for kept, good, bad in (([old, new], {old, new}, set()), ([new], {new}, {old}), ([], set(), {old, new})):
        first.exec("keep-user", "pawpaw_app", *(sha256(one.encode()).hexdigest() for one in (old, *kept)))
        docker("restart", first.name)
        first.wait_healthy()
        for password, wanted in [(one, True) for one in good] + [(one, False) for one in bad]:
            assert (server.cli("pawpaw_app", "PING", password=password).stdout.strip() == "PONG") is wanted
    assert "canary" not in first.exec("sh", "-c", "cat /data/users.d/*")
    docker("rm", "--force", first.name)
    server.passwords["REDIS_APP_PASSWORD"] = "canary-of-a-later-environment"
    server.start()
    assert server.ask("pawpaw_app", "PING") == "PONG"
    assert server.cli("pawpaw_app", "PING", password=new).stdout.strip() != "PONG"
