"""The whole command line of every Redis program we call, and what we read of their answers."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from pawpaw_ops.commands import redis as command
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import VersionMismatch
from pawpaw_ops.models.database import ClientTools, ToolImage
from pawpaw_ops.models.redis import Layout, Redis

TOOLS = ClientTools(folder=Path("/redis/bin"))
IMAGE = ToolImage(id="sha256:1f", container="4fa6", name="cache", engine="tcp://e:2376", owner="7:8", run_id="r1")
CARTS = Redis(host="cache", port=6390, user="backup", password=SecretStr("canary"), tools=TOOLS)
INSIDE = Redis(container="cache", user="backup", password=SecretStr("canary"), tools=ClientTools(image=IMAGE))
FILE = Path("/s/dump/dump.rdb")


def test_a_snapshot_goes_into_a_file_and_the_password_into_the_environment() -> None:
    assert command.snapshot(CARTS, to=FILE) == Command(
        argv=(
            *("/redis/bin/redis-cli", "-h", "cache", "-p", "6390"),
            *("--user", "backup", "--no-auth-warning", "--rdb", "/s/dump/dump.rdb"),
        ),
        env={"REDISCLI_AUTH": SecretStr("canary")},
        timeout_s=None,
    )
    assert "canary" not in str(command.snapshot(CARTS, to=FILE))


def test_a_snapshot_over_a_socket_without_a_password() -> None:
    line = command.snapshot(Redis(host="/run/redis.sock"), to=FILE)
    assert line.argv == ("redis-cli", "-s", "/run/redis.sock", "--rdb", "/s/dump/dump.rdb")
    assert line.env == {}


def test_a_snapshot_from_a_container_types_the_password() -> None:
    """So that `docker inspect` does not show it."""
    line = command.snapshot(INSIDE, to=FILE)
    assert line.stdin is not None
    assert line.stdin.get_secret_value() == "canary\n"  # type: ignore[union-attr]
    assert "--network=container:4fa6" in line.argv
    assert "--mount=type=bind,source=/s/dump,target=/s/dump" in line.argv
    assert "canary" not in repr(line.argv)
    at = line.argv.index("sha256:1f")
    assert line.argv[at:] == (
        *("sha256:1f", "-h", "127.0.0.1", "-p", "6379", "--user", "backup", "--no-auth-warning", "--askpass"),
        *("--rdb", "/s/dump/dump.rdb"),
    )


def test_checks_read_one_file() -> None:
    assert command.check_rdb(TOOLS, file=FILE) == Command(
        argv=("/redis/bin/redis-check-rdb", "/s/dump/dump.rdb"), timeout_s=None
    )
    manifest = Path("/s/dump/appendonly.aof.manifest")
    assert command.check_aof(TOOLS, manifest=manifest).argv == ("/redis/bin/redis-check-aof", str(manifest))
    inside = command.check_aof(ClientTools(image=IMAGE), manifest=manifest)
    assert inside.program == "redis-check-aof"
    assert "--network=none" in inside.argv
    assert "--mount=type=bind,source=/s/dump,target=/s/dump" in inside.argv
    snapshot = command.check_rdb(ClientTools(image=IMAGE), file=FILE)
    assert "--mount=type=bind,source=/s/dump,target=/s/dump,readonly" in snapshot.argv


def test_a_server_of_our_own_listens_on_a_socket_alone_and_forgives_nothing() -> None:
    line = command.server(
        TOOLS, data=Path("/t/x/data"), socket=Path("/t/x/s/r"), layout=Layout(append_only=True), databases=4, run_as="u"
    )
    words = dict(zip(line.argv[1::2], line.argv[2::2], strict=True))
    assert line.argv[0] == "/redis/bin/redis-server"
    assert words == {
        "--port": "0",
        "--unixsocket": "/t/x/s/r",
        "--unixsocketperm": "700",
        "--dir": "/t/x/data",
        "--appendonly": "yes",
        "--appenddirname": "appendonlydir",
        "--appendfilename": "appendonly.aof",
        "--dbfilename": "dump.rdb",
        "--aof-load-truncated": "no",
        "--save": "",
        "--databases": "4",
        "--daemonize": "no",
    }
    assert (line.user, line.cwd, line.timeout_s) == ("u", Path("/t/x/data"), None)


def test_a_server_in_a_container_has_no_network_and_a_name_to_be_ended_by() -> None:
    tools = ClientTools(image=IMAGE)
    layout = Layout(append_only=False)
    line = command.server(
        tools, data=Path("/t/x/data"), socket=Path("/t/x/s/r"), layout=layout, databases=4, run_as=None
    )
    assert {"--network=none", "--label=pawpaw.server=x", "--label=pawpaw.run=r1"} <= set(line.argv)


def test_a_container_is_stopped_and_started_by_name_and_another_by_its_own_commands() -> None:
    assert command.stop(INSIDE).argv == ("docker", "stop", "-t", "120", "cache")
    assert command.start(INSIDE).argv == ("docker", "start", "cache")
    unit = Redis(stop=("systemctl", "stop", "redis"), start=("systemctl", "start", "redis"))
    assert command.stop(unit).argv == ("systemctl", "stop", "redis")
    assert command.start(unit).argv == ("systemctl", "start", "redis")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0\n", "7.0.15"),
        ("Redis server v=8.2.1 sha=00000000:1 malloc=jemalloc-5.3.0 bits=64 build=x", "8.2.1"),
    ],
)
def test_version(text: str, version: str) -> None:
    assert command.version(TOOLS).parse(text) == version


def test_a_version_that_is_none() -> None:
    with pytest.raises(VersionMismatch, match="command not found"):
        command.parse_version("command not found")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("SYNC with master failed: -NOPERM this user has no permissions to run the 'sync' command", "NOPERM"),
        ("AUTH failed: WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS"),
        ("SYNC with master failed: -ERR BGSAVE failed, replication can't continue", "ERR"),
        ("Error reading bulk length while SYNCing", ""),
    ],
)
def test_what_redis_cli_was_refused_with(said: str, code: str) -> None:
    assert command.refusal(f"sending REPLCONF capa eof\n{said}") == code
