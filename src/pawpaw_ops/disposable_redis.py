"""A Redis of our own, on a Unix socket alone: started on a copy of a backup, looked at, ended, removed."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from pawpaw_ops.clients.redis import folders, power
from pawpaw_ops.commands import redis as command
from pawpaw_ops.commands.contained import SERVER_LABEL
from pawpaw_ops.containers import end_containers
from pawpaw_ops.errors import BackupCorrupt, PreconditionError
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.models.redis import Form, Layout, Redis
from pawpaw_ops.runner import LocalRunner, Process

START_S = 3600.0
LONGEST_SOCKET = 100
POLL_S = 0.02


class DisposableRedis:
    """A server whose whole life is one folder.

    Args:
        root: Folder that holds the data, the log and the socket; named by `pawpaw_ops.disposable.new_root`.
        tools: Where its programs are.
        databases: How many numbered databases it has.
    """

    def __init__(self, root: Path, *, tools: ClientTools, databases: int = 16) -> None:
        self.root, self.tools, self.databases = root, tools, databases
        self.user = tools.user if os.geteuid() == 0 and tools.image is None else None
        self.process: Process | None = None

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.root / "server.log"

    @property
    def server(self) -> Redis:
        """How it is reached."""
        return Redis(host=str(self.root / "s" / "redis.sock"), tools=self.tools)

    def start(self, source: Path, form: Form, layout: Layout) -> None:
        """Start it on a copy of a backup's files and wait until it has loaded them.

        Raises:
            BackupCorrupt: It ended while it loaded them; its log is quoted.
            PreconditionError: The path is too long for a socket, or it does not come up.

        Touches:
            Makes *root*.
        """
        if len(self.server.host) > LONGEST_SOCKET:
            raise PreconditionError(f"{self.server.host} is too long for a Unix socket.", hint="Use a shorter TMPDIR.")
        self.root.mkdir(parents=True, mode=0o711)
        for name in ("s", "data"):
            (self.root / name).mkdir(mode=0o700)
        folders.build(source, form, layout, to=self.root / "data")
        self._hand_over()
        line = command.server(
            self.tools,
            data=self.root / "data",
            socket=Path(self.server.host),
            layout=layout,
            databases=self.databases,
            run_as=self.user,
        )
        self.process = LocalRunner().spawn(line, log=self.log)
        self._wait()

    def _hand_over(self) -> None:
        """Give the folders to the user that it runs as."""
        if self.user:
            for path in (self.root / "s", self.root / "data", *(self.root / "data").rglob("*")):
                shutil.chown(path, self.user)

    def _wait(self) -> None:
        assert self.process is not None
        until = time.monotonic() + START_S
        while not power.up(self.server):
            if not self.process.alive():
                raise BackupCorrupt(f"a Redis that was started on the backup ended. Its log ends: {self._tail()}")
            if time.monotonic() > until:
                raise PreconditionError(f"a Redis that was started on the backup still loads after {START_S:g} s.")
            time.sleep(POLL_S)

    def _tail(self) -> str:
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-5:])

    def remove(self) -> None:
        """End it and remove its folder."""
        if self.process is not None:
            self.process.end(grace_s=2.0)
            self.process = None
        if self.tools.image is not None:
            end_containers(self.tools.image.engine, f"{SERVER_LABEL}={self.root.name}")
        shutil.rmtree(self.root, ignore_errors=True)


@contextlib.contextmanager
def loaded(
    root: Path, source: Path, form: Form, layout: Layout, *, tools: ClientTools, databases: int
) -> Iterator[Redis]:
    """Run a server on a copy of a backup's files while the block lasts; errors as in `DisposableRedis.start`."""
    made = DisposableRedis(root, tools=tools, databases=databases)
    try:
        made.start(source, form, layout)
        yield made.server
    finally:
        made.remove()
