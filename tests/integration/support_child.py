"""A flow in a process of its own, which a test may kill; forked from a server that has imported Prefect already."""

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable
from importlib import import_module
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES

from pawpaw_ops.models.lifecycle import VERBS

FLOWS = {verb.name: f"flows.{verb.flow}" for verb in VERBS}
PRELOAD = [*(entrypoint.partition(":")[0] for entrypoint in FLOWS.values()), "pawpaw_ops.testing"]
LIMIT_S = 120.0
At = int | tuple[str, str, signal.Signals]


def _run(verb: str, parameters: dict[str, Any], at: At, places: dict[str, str]) -> None:
    os.setsid()
    api = os.environ["PREFECT_API_URL"] = places["api"]
    number = os.open(places["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(number, 1)
    os.dup2(number, 2)
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from pawpaw_ops import testing

    module, _, function = FLOWS[verb].partition(":")
    flow: Callable[..., Any] = getattr(import_module(module), function)
    if isinstance(at, tuple):
        testing.signal_at(*at)
    elif at:
        testing.kill_at(at)
    retries = int(places["retries"])
    with temporary_settings(
        {PREFECT_API_URL: api, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_CLIENT_MAX_RETRIES: retries}
    ):
        flow(**parameters)


def _as_here(
    environment: dict[str, str], temporary: str, target: Callable[..., None], args: tuple[object, ...]
) -> None:
    """Give the function what this process has now; the server it is forked from has what was there at its own start."""
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = temporary
    target(*args)


def forked(target: Callable[..., None], *args: object) -> ForkServerProcess:
    """Run a function in a process of its own, which ends with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    here = (dict(os.environ), tempfile.gettempdir(), target, args)
    process = context.Process(target=_as_here, args=here, daemon=True)
    process.start()
    return process


class Child:
    """One such process; killed at the journal's n-th entry, or killed, cancelled or stopped after one, if wanted."""

    def __init__(
        self,
        verb: str,
        log: str,
        *,
        kill_entry: int = 0,
        kill: tuple[str, str] | None = None,
        cancel: tuple[str, str] | None = None,
        stop: tuple[str, str] | None = None,
        api: str = "",
        **parameters: Any,
    ) -> None:
        places = {"api": api or PREFECT_API_URL.value(), "log": log, "retries": str(PREFECT_CLIENT_MAX_RETRIES.value())}
        at: At = kill_entry
        if kill or cancel:
            at = (*kill, signal.SIGKILL) if kill else (*(cancel or ("", "")), signal.SIGTERM)
        if stop:
            at = (*stop, signal.SIGSTOP)
        self.process = forked(_run, verb, parameters, at, places)

    def wait(self) -> int:
        """Wait for its end and return its exit code: negative is the signal that killed it."""
        self.process.join(LIMIT_S)
        code = self.process.exitcode
        if code is None:
            self.kill()
            raise AssertionError(f"the child did not end within {LIMIT_S:g} s")
        return code

    def stopped(self) -> bool:
        """Whether it has stopped where the test wants it to, until `go_on`."""
        assert self.process.is_alive(), "it ended before it came there"
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def go_on(self) -> None:
        """Let it go on."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill it without a word."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()
