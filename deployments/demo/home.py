"""The demo's folder, and what it has running; enough is written there to end exactly that, whoever asks."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import LockHeld
from pawpaw_ops.runner import LocalRunner, Process

MARK = "PAWPAW_DEMO"
"""Variable that every process of one demo inherits; its value is that demo's own."""
STATE = "running.json"
PROC = Path("/proc")


@dataclass(frozen=True)
class Running:
    """A process of the demo's; with its time of birth, for a number alone may be another's by now."""

    name: str
    pid: int
    born: str
    first_signal: int
    grace_s: float


@dataclass
class Home:
    """The demo's folder.

    Args:
        root: Where; made by `begin`.
        token: Of this demo.
        ending: Set when whoever still starts something shall give up.
    """

    root: Path
    token: str
    running: list[Running] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)
    _writing: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def log_folder(self) -> Path:
        """Where its processes log."""
        return self.root / "logs"

    @property
    def scratch(self) -> Path:
        """A folder below the system's own for temporary files: short enough for sockets, open to other users."""
        return Path(self.folders[0])

    def begin(self) -> None:
        """Make the folders."""
        self.log_folder.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        scratch = Path(tempfile.mkdtemp(prefix="pawpaw-demo-"))
        (scratch / "tmp").mkdir()
        for folder in (scratch, scratch / "tmp"):
            folder.chmod(0o755)
        self.folders.insert(0, str(scratch))
        self._write()

    def log(self, name: str) -> Path:
        """Return the log of one of its processes."""
        return self.log_folder / f"{name}.log"

    def note_folder(self, path: Path) -> None:
        """Remember a folder elsewhere that goes when the demo goes."""
        with self._writing:
            self.folders.append(str(path))
            self._write()

    def note(
        self, name: str, process: Process, *, first: signal.Signals = signal.SIGTERM, grace_s: float = 10.0
    ) -> None:
        """Remember a process that we started and how it is ended."""
        with self._writing:
            self.running.append(Running(name, process.pid, born(process.pid), int(first), grace_s))
            self._write()

    def forget(self, process: Process) -> None:
        """Forget a process that ended."""
        with self._writing:
            self.running = [known for known in self.running if known.pid != process.pid]
            self._write()

    def end(self) -> None:
        """End what runs, the last started first, and remove every folder.

        Touches:
            Processes that were noted and those that inherited this demo's token; the demo's folders.
        """
        for process in reversed(self.running):
            _end(process)
        for pid in _inheritors(self.token):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for folder in (*self.folders, str(self.root)):
            shutil.rmtree(folder, ignore_errors=True)

    def _write(self) -> None:
        partial = self.root / f".{STATE}"
        said = {"token": self.token, "folders": self.folders, "running": [asdict(process) for process in self.running]}
        partial.write_text(json.dumps(said, indent=1), encoding="utf-8")
        partial.replace(self.root / STATE)


def place() -> Path:
    """Return the demo's folder: below `PAWPAW_HOME`, or `.pawpaw` in the current folder."""
    return Path(os.environ.get("PAWPAW_HOME") or ".pawpaw").resolve() / "demo"


def found() -> Home | None:
    """Return the demo that is up, or was left behind by one that died."""
    path = place() / STATE
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    running = [Running(**process) for process in said["running"]]
    return Home(place(), said["token"], running, said["folders"])


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the demo's lock: one demo at a time works in one folder.

    Raises:
        LockHeld: Another one does.
    """
    path = place().with_name("demo.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as seen:
            raise LockHeld(
                f"a demo is at work in {path.parent}.", hint="Wait for its end, or set PAWPAW_HOME to another folder."
            ) from seen
        try:
            yield
        finally:
            path.unlink()
            with contextlib.suppress(OSError):
                path.parent.rmdir()


def stop() -> bool:
    """End the demo that is up and remove what it left.

    Returns:
        Whether there was one.

    Raises:
        LockHeld: It is still at work.
    """
    with alone():
        home = found()
        if home is not None:
            home.end()
    return home is not None


def born(pid: int) -> str:
    """Return when a process was born, in the system's own words; empty when it is no more."""
    if PROC.joinpath("self").exists():
        try:
            after_name = (
                PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
            )
        except (FileNotFoundError, ProcessLookupError):
            return ""
        state, *rest = after_name.split()
        return "" if state in {"Z", "X"} else rest[18]
    return LocalRunner().run(Command(argv=("ps", "-o", "lstart=", "-p", str(pid)), ok_codes=(0, 1))).strip()


def _end(process: Running) -> None:
    """Signal its group, wait, kill; nothing when the number belongs to another by now."""
    for signal_number, patience_s in ((process.first_signal, process.grace_s), (int(signal.SIGKILL), 5.0)):
        if born(process.pid) != process.born:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        until = time.monotonic() + patience_s
        while born(process.pid) == process.born and time.monotonic() < until:
            time.sleep(0.05)


def _inheritors(token: str) -> list[int]:
    """Return the processes that carry the token, where the system shows it: runs that outlived the worker."""
    wanted = f"{MARK}={token}".encode()
    pids: list[int] = []
    for path in PROC.glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted in path.read_bytes().split(b"\0"):
                pids.append(int(path.parent.name))
    return [pid for pid in pids if pid != os.getpid()]
