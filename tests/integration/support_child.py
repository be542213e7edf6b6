"""A flow in a process of its own, which a test may kill; forked from a server that has imported Prefect already."""

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from typing import Any

from prefect.settings import PREFECT_API_URL

PRELOAD = ["flows.backup", "flows.drill_restore", "flows.restore", "flows.undo_restore", "pawpaw_ops.testing"]
LIMIT_S = 120.0


def _run(verb: str, parameters: dict[str, Any], at: int | tuple[str, str], places: dict[str, str]) -> None:
    os.setsid()
    api = os.environ["PREFECT_API_URL"] = places["api"]
    tempfile.tempdir = places["temporary"]  # the server that we are forked from has the one of its own beginning
    number = os.open(places["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(number, 1)
    os.dup2(number, 2)
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.backup import backup_db
    from flows.drill_restore import drill_restore
    from flows.restore import restore_db
    from flows.undo_restore import undo_restore
    from pawpaw_ops import testing

    flows: dict[str, Callable[..., Any]] = {
        "backup-db": backup_db,
        "drill-restore": drill_restore,
        "restore-db": restore_db,
        "undo-restore": undo_restore,
    }
    if isinstance(at, tuple):
        testing.cancel_at(*at)
    elif at:
        testing.kill_at(at)
    with temporary_settings({PREFECT_API_URL: api, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        flows[verb](**parameters)


def forked(target: Callable[..., None], *args: object) -> ForkServerProcess:
    """Run a function in a process of its own."""
    process = multiprocessing.get_context("forkserver").Process(target=target, args=args, daemon=True)
    process.start()
    return process


class Child:
    """One such process; killed at the journal's n-th entry, or cancelled after one, if a test wants that."""

    def __init__(
        self, verb: str, log: str, *, kill_entry: int = 0, cancel: tuple[str, str] | None = None, **parameters: Any
    ) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOAD)
        places = {"api": PREFECT_API_URL.value(), "log": log, "temporary": tempfile.gettempdir()}
        words = (verb, parameters, cancel or kill_entry, places)
        self.process: ForkServerProcess = context.Process(target=_run, args=words)
        self.process.start()

    def wait(self) -> int:
        """Wait for its end and return its exit code: negative is the signal that killed it."""
        self.process.join(LIMIT_S)
        code = self.process.exitcode
        if code is None:
            self.kill()
            raise AssertionError(f"the child did not end within {LIMIT_S:g} s")
        return code

    def kill(self) -> None:
        """Kill it without a word."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()
