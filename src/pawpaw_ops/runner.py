"""The only module that starts processes.

Every process gets its own process group, a small environment, no terminal and a deadline. Ending one means SIGTERM to
the group, a grace period, then SIGKILL.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Protocol, TypeVar

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.errors import CommandError, CommandNotFound, CommandTimedOut

T = TypeVar("T")
GRACE_S = 5.0
KEPT_STDERR_LINES = 200
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
        self._reader: threading.Thread | None = None
        path = log or command.stdout
        target: IO[bytes] = path.open("ab" if log else "wb") if path else tempfile.TemporaryFile()  # noqa: SIM115 - closed below or by end()
        self._out = None if path else target
        try:
            self.popen = subprocess.Popen(
                command.argv,
                stdin=subprocess.PIPE if command.stdin is not None else subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.STDOUT if log else subprocess.PIPE,
                env=_environment(command.env),
                cwd=command.cwd,
                user=command.user,
                start_new_session=True,
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as seen:
            raise CommandNotFound(
                f"could not start {command.argv[0]!r}: {seen.strerror}.",
                hint="Install it, or set the folder of the client tools in the block.",
            ) from seen
        finally:
            if target is not self._out:
                target.close()
        if self.popen.stderr is not None:
            self._reader = threading.Thread(target=self._read_stderr, args=(self.popen.stderr,), daemon=True)
            self._reader.start()
        if command.stdin is not None:
            self._feed(command.stdin)

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
        return self.popen.poll() is None

    def finish(self, *, while_running: Callable[[], None] | None = None) -> str:
        """Wait for the end and return standard output; errors as in `LocalRunner.run`."""
        while (left := self._left()) > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(timeout=min(1.0, left) if while_running else left)
                break
            if while_running is not None:
                while_running()
        else:
            self.end()
            raise self._error(CommandTimedOut, f"did not end within {self.command.timeout_s:g} s")
        if self._reader is not None:
            self._reader.join(timeout=GRACE_S)
        if self.popen.returncode not in self.command.ok_codes:
            raise self._error(CommandError, f"ended with exit code {self.popen.returncode}")
        return self._output()

    def end(self, *, grace_s: float = GRACE_S, first: signal.Signals = signal.SIGTERM) -> None:
        """End the whole process group: *first*, *grace_s* seconds, SIGKILL. Harmless when it already ended."""
        if self.popen.poll() is None:
            _signal_group(self.pid, first)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(timeout=grace_s)
        _signal_group(self.pid, signal.SIGKILL)
        self.popen.wait()
        for stream in (self._out, self.popen.stderr, self.popen.stdin):
            if stream is not None and not stream.closed:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _left(self) -> float:
        limit = self.command.timeout_s
        return 3600.0 if limit is None else limit - (time.monotonic() - self.began)

    def _output(self) -> str:
        if self._out is None:
            return ""
        self._out.seek(0)
        return self._out.read().decode(errors="replace")

    def _feed(self, text: SecretStr | str) -> None:
        assert self.popen.stdin is not None
        plain = text.get_secret_value() if isinstance(text, SecretStr) else text
        with contextlib.suppress(BrokenPipeError), self.popen.stdin as pipe:
            pipe.write(plain.encode())

    def _read_stderr(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(ValueError):
            for line in stream:
                self._stderr.append(line.decode(errors="replace").rstrip("\n"))

    def _error(self, kind: type[CommandError], seen: str) -> CommandError:
        tail = "\n".join(self._stderr)
        said = f" It said: {tail}" if tail else ""
        error = kind(f"{self.command.argv[0]} {seen}.{said} (command: {self.command})")
        error.exit_code = self.popen.returncode
        error.stderr_tail = tail
        return error


def _environment(extra: Mapping[str, str | SecretStr]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_ENV if name in os.environ}
    return kept | {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in extra.items()}


def _signal_group(pid: int, what: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, what)
