"""Redis's own programs: one builder each."""

import re
from pathlib import Path

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.commands.contained import SERVER_LABEL, contained
from pawpaw_ops.errors import VersionMismatch
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.models.redis import Layout, Redis

STOP_S = 120
"""How long a server may take to write its data to disk and end, in seconds."""


def snapshot(redis: Redis, *, to: Path) -> Command:
    """Let the server send a snapshot, as it does to a replica, into a file.

    Into a file, not to standard output: from a stream redis-cli cannot take off the 40 bytes that end a transfer
    without a known size, and `redis-check-rdb` does not see them.

    Touches:
        Writes *to*; the server forks once.

    Source: redis.io/docs/latest/develop/tools/cli (`--rdb`, `--askpass`, REDISCLI_AUTH).
    """
    at = ("-s", redis.host) if redis.host.startswith("/") else ("-h", redis.host, "-p", str(redis.port))
    secret = redis.password.get_secret_value()
    login = ("--user", redis.user, "--no-auth-warning") if secret else ()
    image = redis.tools.image
    if image is None:
        env = {"REDISCLI_AUTH": redis.password} if secret else {}
        argv = (_program(redis.tools, "redis-cli"), *at, *login, "--rdb", str(to))
        return Command(argv=argv, env=env, timeout_s=None)
    asked = ("--askpass",) if secret else ()
    return contained(
        image,
        "redis-cli",
        (*at, *login, *asked, "--rdb", str(to)),
        typed=redis.password,
        network=True,
        writes=(to.parent,),
        timeout_s=None,
    )


def check_rdb(tools: ClientTools, *, file: Path) -> Command:
    """Read a snapshot to its end and check its sum.

    Touches:
        Nothing.
    """
    if tools.image is not None:
        return contained(tools.image, "redis-check-rdb", (str(file),), reads=(file.parent,), timeout_s=None)
    return Command(argv=(_program(tools, "redis-check-rdb"), str(file)), timeout_s=None)


def check_aof(tools: ClientTools, *, manifest: Path) -> Command:
    """Read every append-only file of a list to its end. It opens them for writing, although it is not told to mend any.

    Touches:
        Nothing.
    """
    if tools.image is not None:
        return contained(tools.image, "redis-check-aof", (str(manifest),), writes=(manifest.parent,), timeout_s=None)
    return Command(argv=(_program(tools, "redis-check-aof"), str(manifest)), timeout_s=None)


def version(tools: ClientTools) -> Query[str]:
    """Ask redis-server for its version: `7.0.15`."""
    if tools.image is not None:
        return Query(command=contained(tools.image, "redis-server", ("--version",)), parse=parse_version)
    return Query(command=Command(argv=(_program(tools, "redis-server"), "--version")), parse=parse_version)


def parse_version(text: str) -> str:
    """Parse `Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=…` to `7.0.15`."""
    found = re.search(r"\bv=(\d+(?:\.\d+)+)", text)
    if found is None:
        raise VersionMismatch(f"asked redis-server for its version and read {text.strip()!r}.")
    return found[1]


def server(
    tools: ClientTools, *, data: Path, socket: Path, layout: Layout, databases: int, run_as: str | None
) -> Command:
    """Run a server in the foreground on a Unix socket alone, which loads what lies in *data* and saves no snapshot.

    Touches:
        Runs until it is ended; changes *data*.

    Source: redis.conf of 7.0.
    """
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes" if layout.append_only else "no",
        "appenddirname": layout.folder,
        "appendfilename": layout.file,
        "dbfilename": layout.snapshot,
        "aof-load-truncated": "no",
        "save": "",
        "databases": str(databases),
        "daemonize": "no",
    }
    words = tuple(word for name, value in settings.items() for word in (f"--{name}", value))
    if tools.image is not None:
        folders, label = (data, socket.parent), f"--label={SERVER_LABEL}={data.parent.name}"
        return contained(tools.image, "redis-server", words, writes=folders, more=(label,), timeout_s=None)
    return Command(argv=(_program(tools, "redis-server"), *words), user=run_as, cwd=data, timeout_s=None)


def stop(redis: Redis) -> Command:
    """Stop the server in the way its block says.

    Touches:
        The server, which writes its data to disk and ends.
    """
    argv = ("docker", "stop", "-t", str(STOP_S), redis.container) if redis.container else redis.stop
    return Command(argv=argv, timeout_s=STOP_S + 30)


def start(redis: Redis) -> Command:
    """Start the server in the way its block says.

    Touches:
        The server.
    """
    argv = ("docker", "start", redis.container) if redis.container else redis.start
    return Command(argv=argv, timeout_s=STOP_S)


def refusal(stderr: str) -> str:
    """Return the error code with which the server refused redis-cli: `NOPERM`, `WRONGPASS`; empty where it did not."""
    found = re.search(r"(?:failed: -?)(NOPERM|NOAUTH|WRONGPASS|LOADING|MISCONF|ERR)\b", stderr)
    return found[1] if found else ""


def _program(tools: ClientTools, name: str) -> str:
    return str(tools.folder / name) if tools.folder else name
