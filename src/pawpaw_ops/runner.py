"""The only module that starts processes.

Every process gets its own process group, a small environment, no terminal and a deadline. Ending one means SIGTERM to
the group, a grace period, then SIGKILL.
"""

import contextlib
import os
import pwd
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.errors import CommandError, CommandNotFound, CommandTimedOut, ConfigError

T = TypeVar("T")
GRACE_S = 5.0
DOCKER_FAILED, NOT_RUNNABLE, NOT_FOUND, BY_SIGNAL = 125, 126, 127, 128
"""What `docker run` adds to the exit codes of the program inside. Source: docs.docker.com/engine/containers/run."""
KEPT_STDERR_LINES = 200
LONGEST_LINE = 8192
KEPT_ENV = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CERT_PATH",
            "DOCKER_TLS_VERIFY", "SSL_CERT_FILE", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR")  # fmt: skip


class Runner(Protocol):
    """Something that runs commands and asks queries."""

    def run(self, command: Command, *, while_running: Callable[[], None] | None = None) -> str:
        """Run *command* to its end and return its standard output."""

    def ask(self, query: Query[T]) -> T:
        """Run the query's command and return what its parser made of the output."""


class LocalRunner:
    """Runs processes on this host."""

    def run(self, command: Command, *, while_running: Callable[[], None] | None = None) -> str:
        """Run *command* to its end.

        Args:
            command: What to run.
            while_running: Called about once a second; what it raises ends the process and is passed on.

        Returns:
            Standard output as text, empty where the command sends it to a file.

        Raises:
            ConfigError: There is no system user `command.user`.
            CommandNotFound: The program is not there.
            CommandTimedOut: It outlived `command.timeout_s`.
            CommandError: It ended with an exit code that is not in `command.ok_codes`.

        Touches:
            Whatever the command touches; no process of its group outlives this call.
        """
        with self.started(command) as process:
            return process.finish(while_running=while_running)

    def ask(self, query: Query[T]) -> T:
        """Run the query's command and return what its parser made of the output."""
        return query.parse(self.run(query.command))

    @contextlib.contextmanager
    def started(self, command: Command) -> Iterator["Process"]:
        """Run *command* while the block lasts; its process group is ended on the way out."""
        process = Process(command)
        try:
            yield process
        finally:
            process.end()

    def spawn(self, command: Command, *, log: Path) -> "Process":
        """Start *command* in the background with its output in the file *log*; the caller ends it."""
        return Process(command, log=log)


class DryRunner:
    """Asks for real and runs nothing; `ran` holds the commands that would have run."""

    def __init__(self, inner: Runner) -> None:
        self.inner = inner
        self.ran: list[Command] = []

    def run(self, command: Command, *, while_running: Callable[[], None] | None = None) -> str:
        """Write *command* down; run nothing."""
        del while_running
        self.ran.append(command)
        return ""

    def ask(self, query: Query[T]) -> T:
        """Ask for real: a query changes nothing."""
        return self.inner.ask(query)


class Process:
    """One started process and its group."""

    def __init__(self, command: Command, *, log: Path | None = None) -> None:
        self.command = command
        self.began = time.monotonic()
        self._stderr: deque[str] = deque(maxlen=KEPT_STDERR_LINES)
        self._helpers: list[threading.Thread] = []
        self._swept = False
        path = log or command.stdout
        target: IO[bytes] = path.open("ab" if log else "wb") if path else tempfile.TemporaryFile()  # noqa: SIM115 - closed below or by end()
        self._out = None if path else target
        try:
            self.popen = self._start(target, stderr=subprocess.STDOUT if log else subprocess.PIPE)
        except BaseException:
            target.close()
            raise
        if path:
            target.close()
        if self.popen.stderr is not None:
            self._help(self._read_stderr, self.popen.stderr)
        if self.popen.stdin is not None:
            self._help(self._feed, self.popen.stdin)

    def _start(self, out: IO[bytes], *, stderr: int) -> "subprocess.Popen[bytes]":
        command = self.command
        try:
            return subprocess.Popen(
                command.argv,
                stdin=subprocess.PIPE if command.stdin is not None else subprocess.DEVNULL,
                stdout=out,
                stderr=stderr,
                env=_environment(command.env),
                cwd=command.cwd,
                start_new_session=True,
                **_identity(command.user),
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as seen:
            raise CommandNotFound(
                f"could not start {command.argv[0]!r}: {seen}.",
                hint="Install it, or set the folder of the client tools in the block.",
            ) from seen

    def _help(self, work: Callable[[IO[bytes]], None], stream: IO[bytes]) -> None:
        self._helpers.append(threading.Thread(target=work, args=(stream,), daemon=True))
        self._helpers[-1].start()

    @property
    def pid(self) -> int:
        """The process id, which is its group's id too."""
        return self.popen.pid

    @property
    def stderr_lines(self) -> tuple[str, ...]:
        """The last lines of standard error, at most 200."""
        return tuple(self._stderr)

    def alive(self) -> bool:
        """Whether the process has not ended."""
        return not self._ended(wait_s=0)

    def finish(self, *, while_running: Callable[[], None] | None = None) -> str:
        """Wait for the end and return standard output; errors as in `LocalRunner.run`."""
        while not self._ended(wait_s=min(1.0, self._left()) if while_running else self._left()):
            if self._left() <= 0:
                self.end()
                said = f"did not end within {self.command.timeout_s:g} s"
                raise self._error(CommandTimedOut, said, self.popen.returncode)
            if while_running is not None:
                while_running()
        self._join()
        if self.popen.returncode not in self.command.ok_codes:
            raise self._failed(self.popen.returncode)
        return self._output()

    def end(self, *, grace_s: float = GRACE_S, first: signal.Signals = signal.SIGTERM) -> None:
        """End the whole process group: *first*, *grace_s* seconds, SIGKILL. Harmless when it already ended.

        SIGKILL takes the children along that left the group, as the sessions of a database server do.
        """
        if not self._ended(wait_s=0):
            _signal_group(self.pid, first)
        if not self._ended(wait_s=grace_s):
            _signal_group(self.pid, signal.SIGSTOP)  # so that it starts no more
            children = [pid for pid, parent in _processes() if parent == self.pid]
            _signal_group(self.pid, signal.SIGKILL)
            self._ended(wait_s=None)
            _kill(children)
        self._join()
        if self._out is not None:
            self._out.close()

    def _ended(self, *, wait_s: float | None) -> bool:
        """Wait for the end; then kill what is left of the group, before its number is given out again."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(timeout=wait_s)
            if not self._swept:
                self._swept = True
                _signal_group(self.pid, signal.SIGKILL)
        return self._swept

    def _join(self) -> None:
        """Wait for the pipes to run dry; a stranger who took one along cannot hold us up for longer than the grace."""
        for helper in self._helpers:
            helper.join(timeout=GRACE_S)
        self._helpers.clear()

    def _left(self) -> float:
        limit = self.command.timeout_s
        return 3600.0 if limit is None else limit - (time.monotonic() - self.began)

    def _output(self) -> str:
        if self._out is None:
            return ""
        self._out.seek(0)
        return self._out.read().decode(errors="replace")

    def _feed(self, stream: IO[bytes]) -> None:
        text = self.command.stdin or ""
        plain = text.get_secret_value() if isinstance(text, SecretStr) else text
        with contextlib.suppress(BrokenPipeError), stream:
            stream.write(plain.encode())

    def _read_stderr(self, stream: IO[bytes]) -> None:
        with stream:
            for line in iter(lambda: stream.readline(LONGEST_LINE), b""):
                text = line.decode(errors="replace").rstrip("\n")
                if not text or text != self.command.prompt:
                    self._stderr.append(text)

    def _failed(self, code: int) -> CommandError:
        """Tell what an exit code means: the program's own, or Docker's where it never ran or a signal ended it."""
        if not self.command.inside or code < DOCKER_FAILED:
            return self._error(CommandError, f"ended with exit code {code}", code)
        if code == DOCKER_FAILED:
            return self._error(CommandError, "was not started or not waited for by the Docker engine", None)
        if code in {NOT_RUNNABLE, NOT_FOUND}:
            missing = self._error(CommandNotFound, "is not in the container's image", None)
            missing.hint = "Name the server's own container in the block, or set the folder of the client tools."
            return missing
        return self._error(CommandError, f"was ended by signal {code - BY_SIGNAL}", BY_SIGNAL - code)

    def _error(self, kind: type[CommandError], seen: str, code: int | None) -> CommandError:
        tail = "\n".join(self._stderr)
        said = f" It said: {tail}" if tail else ""
        error = kind(f"{self.command.program} {seen}.{said} (command: {self.command})")
        error.exit_code = code
        error.stderr_tail = tail
        return error


def _environment(extra: Mapping[str, str | SecretStr]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_ENV if name in os.environ}
    return kept | {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in extra.items()}


def _identity(user: str | None) -> dict[str, Any]:
    """Return Popen's arguments for another system user: its own group, and none of ours."""
    if user is None:
        return {}
    try:
        return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": ()}
    except KeyError as seen:
        raise ConfigError(
            f"there is no system user {user!r}.", hint="Set the user of the client tools in the PostgresDatabase block."
        ) from seen


def _processes() -> Iterator[tuple[int, int]]:
    """Go through all running processes with their parents; none where the system has no `/proc`."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, *_ = path.read_text().rpartition(")")[2].split()
            if state != "Z":
                yield int(path.parent.name), int(parent)


def _kill(pids: Collection[int]) -> None:
    """Kill processes and wait until they are gone."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + GRACE_S
    while time.monotonic() < until and not {pid for pid, _ in _processes()}.isdisjoint(pids):
        time.sleep(0.005)


def _signal_group(pid: int, what: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, what)
