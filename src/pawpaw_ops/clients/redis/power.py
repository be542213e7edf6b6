"""Stopping and starting a Redis, and knowing that it happened."""

import time
from collections.abc import Callable

from pawpaw_ops.clients.redis.connection import connect, gone
from pawpaw_ops.clients.redis.look import layout
from pawpaw_ops.commands import redis as command
from pawpaw_ops.errors import CommandError, OpsError, PreconditionError, Unreachable
from pawpaw_ops.models.redis import Redis
from pawpaw_ops.runner import Runner

POLL_S = 0.05
SILENT_S = 30.0
"""How long a server may be silent after its start, in seconds. One that says that it is loading is not."""
LOAD_S = 3600.0


def stop(server: Redis, runner: Runner) -> None:
    """Stop it, also where it is about to be restarted, and wait until nothing listens any more.

    Raises:
        CommandError: The command failed.
        PreconditionError: Something still listens.

    Touches:
        The server, which writes its data to disk first.
    """
    if up(server):
        _save(server)
    try:
        runner.run(command.stop(server))
    except CommandError:
        if not gone(server):
            raise
    _until(lambda: gone(server), SILENT_S, f"{server.where} still listens {SILENT_S:g} s after it was told to stop.")


def _save(server: Redis) -> None:
    """Let a server without append-only files write its snapshot: it may be configured to lose its data when it ends."""
    with connect(server) as conn:
        if not layout(conn).append_only:
            conn.ask("SAVE")


def start(server: Redis, runner: Runner) -> None:
    """Start it, unless it runs, and wait until it has loaded its data.

    Raises:
        CommandError: The command failed.
        PreconditionError: It did not come up.

    Touches:
        The server.
    """
    if gone(server):
        runner.run(command.start(server))
    wait_loaded(server)


def wait_loaded(server: Redis) -> None:
    """Wait until a server that was started has loaded its data.

    Raises:
        PreconditionError: It did not come up, or loads for more than an hour.
    """
    loading, heard = time.monotonic(), time.monotonic()
    seen = "it did not answer"
    while True:
        try:
            if _loaded(server):
                return
            heard, seen = time.monotonic(), "it is still loading"
        except Unreachable as error:
            seen = error.message
        now = time.monotonic()
        if now - heard > SILENT_S or now - loading > LOAD_S:
            raise PreconditionError(f"{server.where} was started and did not come up: {seen}", hint="Its log says why.")
        time.sleep(POLL_S)


def _loaded(server: Redis) -> bool:
    """Whether all of its data is in memory; INFO is answered while it loads."""
    with connect(server) as conn:
        found = conn.info("persistence")
    return not int(found["loading"]) and not int(found.get("async_loading", 0))


def up(server: Redis) -> bool:
    """Whether it answers and has loaded its data."""
    try:
        return _loaded(server)
    except OpsError:
        return False


def _until(holds: Callable[[], bool], deadline_s: float, error: str) -> None:
    until = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > until:
            raise PreconditionError(error, hint="Look at its log; a snapshot that fails keeps Redis from ending.")
        time.sleep(POLL_S)
