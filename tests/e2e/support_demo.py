"""`pawpaw demo` as a person starts it, in a home of its own."""

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from pawpaw_ops.commands.command import Command
from pawpaw_ops.runner import LocalRunner, Process

LONGEST_S = 600.0
ELSEWHERE = "http://127.0.0.1:9/api"
"""A Prefect server of the user's that a demo must not touch."""


class Place:
    """Folders that a demo may use; whatever it starts can be told by them."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="pawpaw-e2e-"))
        self.root.chmod(0o755)  # the embedded PostgreSQL runs as another user
        for name in ("home", "tmp", "demo"):
            (self.root / name).mkdir(mode=0o755)
        self.log = self.root / "log"

    def command(self, *words: str) -> Command:
        env = {
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "PAWPAW_HOME": str(self.root / "demo"),
            "PREFECT_API_URL": ELSEWHERE,
            "COLUMNS": "160",
        }
        return Command(
            argv=(sys.executable, "-m", "pawpaw_ops.cli", *words), env=env, cwd=self.root, timeout_s=LONGEST_S
        )

    def run(self, *words: str) -> str:
        return LocalRunner().run(self.command(*words))

    def start(self, *words: str) -> Process:
        return LocalRunner().spawn(self.command(*words), log=self.log)

    def wait_for(self, process: Process, text: str) -> None:
        until = time.monotonic() + LONGEST_S
        while text not in self.log.read_text(encoding="utf-8"):
            assert process.alive(), self.log.read_text(encoding="utf-8")
            assert time.monotonic() < until, f"waited for {text!r}"
            time.sleep(0.1)

    def files(self) -> list[Path]:
        """Return all files and folders in the places that a demo used."""
        return [path for name in ("home", "tmp", "demo") for path in (self.root / name).rglob("*")]

    def processes(self) -> list[str]:
        """Return the processes that have one of these folders in their variables or arguments."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                told = path.joinpath("environ").read_bytes() + path.joinpath("cmdline").read_bytes()
            except OSError:
                continue
            if str(self.root).encode() in told and int(path.name) != os.getpid():
                found.append(f"{path.name}: {path.joinpath('cmdline').read_bytes()!r}")
        return found

    def remove(self) -> None:
        for line in self.processes():
            os.kill(int(line.partition(":")[0]), signal.SIGKILL)
        shutil.rmtree(self.root)
