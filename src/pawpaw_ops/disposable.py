"""A PostgreSQL server of our own: made, started, ended, removed; for drills, the demo and the tests alone.

It listens on a Unix socket in a folder that only we can enter, unless a TCP port on loopback is asked for. Where its
programs come from an image, it is a container without a network: nothing that is loaded into it reaches anything.
"""

import contextlib
import logging
import os
import pwd
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from pydantic import SecretStr

from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.commands.contained import SERVER_LABEL
from pawpaw_ops.containers import end_containers
from pawpaw_ops.errors import CommandError, ConfigError, OpsError, PreconditionError
from pawpaw_ops.models.database import ClientTools, Database
from pawpaw_ops.runner import LocalRunner, Process

log = logging.getLogger(__name__)
SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
    "shared_buffers": "128MB",
}
"""For servers whose loss costs nothing."""
PREFIX = "pawpaw-"
START_S = 60.0
LOG_S = 10.0
OTHERS_MAY_READ_AND_ENTER = 0o005
LONGEST_SOCKET = 100


class DisposableServer:
    """A server whose whole life is one folder.

    Args:
        root: Folder that holds the data, the log and the socket; made by `initialise`.
        tools: Where its programs are.
        port: Port on loopback; 0 listens on the socket alone.
        password: The administrator's; made up where none is given.
        settings: Server settings over the defaults.
    """

    def __init__(
        self,
        root: Path,
        *,
        tools: ClientTools,
        port: int = 0,
        password: SecretStr | None = None,
        settings: Mapping[str, str] = SETTINGS,
    ) -> None:
        self.root, self.tools, self.port = root, tools, port
        self.password = password or SecretStr(secrets.token_urlsafe(24))
        self.settings = dict(settings) | ({"listen_addresses": "127.0.0.1"} if port else {})
        self.user = tools.user if os.geteuid() == 0 else None
        self.process: Process | None = None
        self.socket_folder = root / "s"

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.root / "server.log"

    def database(self, name: str = "postgres") -> Database:
        """Return how one of its databases is reached."""
        host = "127.0.0.1" if self.port else str(self.socket_folder)
        return Database(
            name=name, host=host, port=self.port or 5432, user="postgres", password=self.password, tools=self.tools
        )

    def initialise(self) -> None:
        """Make the cluster.

        Raises:
            ConfigError: A port is asked for in a container, or there is no system user `tools.user`.
            PreconditionError: The path is too long for a socket.

        Touches:
            Makes *root* with everything below.
        """
        if len(str(self.socket_folder)) > LONGEST_SOCKET:
            raise PreconditionError(
                f"{self.socket_folder} is too long for a Unix socket.", hint="Use a shorter folder."
            )
        self.root.mkdir(parents=True, exist_ok=True)
        self.socket_folder.mkdir(mode=0o700, exist_ok=True)
        self._reachable_tools()
        self._settle_in()
        if self.user:
            for path in (self.root, self.socket_folder):
                shutil.chown(path, self.user)
        secret = self.root / "pw"
        secret.touch(mode=0o600)
        secret.write_text(self.password.get_secret_value())
        try:
            if self.user:
                shutil.chown(secret, self.user)
            LocalRunner().run(
                command.initdb(self.tools, data=self.data, user="postgres", password_file=secret, run_as=self._run_as())
            )
        finally:
            secret.unlink()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            CommandError: It ended, or did not answer within a minute; its log is quoted.
        """
        line = command.server(
            self.tools,
            data=self.data,
            socket_folder=self.socket_folder,
            port=self.port or 5432,
            settings=self.settings,
            run_as=self._run_as(),
        )
        self.process = LocalRunner().spawn(line, log=self.log)
        until = time.monotonic() + START_S
        while not self.answers():
            if not self.process.alive() or time.monotonic() > until:
                self.stop()
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
                raise CommandError(f"the server in {self.root} did not come up. Its log ends: {tail}")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it lets us in."""
        database = self.database()
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(
                host=database.host,
                port=database.port,
                user=database.user,
                dbname="postgres",
                password=self.password.get_secret_value(),
                connect_timeout=5,
            ).close()
            return True
        return False

    def log_text(self) -> str:
        """Return what it has logged so far; out of a container that comes a moment later, so a mark is waited for."""
        mark, until = secrets.token_hex(8), time.monotonic() + LOG_S
        if self.tools.image is not None:
            with contextlib.suppress(OpsError, psycopg.Error), self.postgres().admin() as conn:
                conn.execute(f"DO $$ BEGIN RAISE LOG '{mark}'; END $$".encode())
                while mark not in self.log.read_text(errors="replace") and time.monotonic() < until:
                    time.sleep(0.01)
        return self.log.read_text(errors="replace")

    def stop(self, *, grace_s: float = 30.0) -> None:
        """End it: PostgreSQL's fast shutdown (SIGINT), then SIGKILL after *grace_s* seconds."""
        if self.process is not None:
            self.process.end(grace_s=grace_s, first=signal.SIGINT)
            self.process = None
        self._end_container()

    def crash(self) -> None:
        """Kill it with its sessions without a word, as a power cut would."""
        self._end_container()
        if self.process is not None:
            self.process.end(grace_s=0.0, first=signal.SIGSTOP)
            self.process = None

    def remove(self) -> None:
        """Stop it and remove its folder. What an engine that is away keeps is ended by the journal's undo."""
        try:
            self.stop(grace_s=2.0)
        except OpsError:
            log.exception("the container of the disposable server in %s may be left", self.root)
        shutil.rmtree(self.root, ignore_errors=True)

    def postgres(self, name: str = "postgres", *, run_id: str = "disposable") -> Postgres:
        """Return a way in to one of its databases."""
        return Postgres(self.database(name), run_id)

    def _run_as(self) -> str | None:
        """Return the user that it runs as: a name, or two numbers for a container, which knows no names of ours."""
        if self.tools.image is None or self.user is None:
            return self.user
        try:
            found = pwd.getpwnam(self.user)
        except KeyError as seen:
            raise ConfigError(f"there is no system user {self.user!r}.") from seen
        return f"{found.pw_uid}:{found.pw_gid}"

    def _settle_in(self) -> None:
        """Make what a container needs: a name for its user, and a socket that our group reaches without privileges."""
        if self.tools.image is None:
            return
        if self.port:
            raise ConfigError("a disposable server in a container has no network, so no port.", hint="Leave it out.")
        owner = self._run_as() or self.tools.image.owner
        (self.root / "passwd").write_text(f"postgres:x:{owner}::/tmp:/bin/sh\n")
        if self.user:
            self.socket_folder.chmod(0o770)

    def _end_container(self) -> None:
        if self.tools.image is not None:
            end_containers(self.tools.image.engine, f"{SERVER_LABEL}={self.root.name}")

    def _reachable_tools(self) -> None:
        """Copy the programs beside the data where the server's user cannot reach them."""
        folder = self.tools.folder
        if not self.user or folder is None or not (folder / "postgres").exists():
            return
        if _others_can_reach(folder / "postgres"):
            return
        shutil.copytree(folder.parent, self.root / "pg", symlinks=True, dirs_exist_ok=True)
        self.tools = self.tools.model_copy(update={"folder": self.root / "pg" / folder.name})


def _others_can_reach(path: Path) -> bool:
    real = path.resolve()
    return all(
        part.stat().st_mode & OTHERS_MAY_READ_AND_ENTER == OTHERS_MAY_READ_AND_ENTER for part in (real, *real.parents)
    )


def new_root(what: str) -> Path:
    """Name a folder for a server of our own below the folder for temporary files (`TMPDIR`); nothing is made yet."""
    return Path(tempfile.gettempdir()) / f"{PREFIX}{what}-{secrets.token_hex(6)}"


def reap(root: Path, *, deadline_s: float = 20.0) -> None:
    """End a server whose owner died, and remove its folder. Harmless when there is none.

    Args:
        root: The server's folder; named by `new_root`.
        deadline_s: How long its processes may take to end, in seconds.

    Raises:
        PreconditionError: *root* is no folder of ours, or a process does not end.

    Touches:
        The processes whose command line names the folder, and the folder.
    """
    if not root.name.startswith(PREFIX) or root.parent == root:
        raise PreconditionError(f"{root} is not the folder of a disposable server; it is left alone.")
    until = time.monotonic() + deadline_s
    what = signal.SIGQUIT  # PostgreSQL's immediate shutdown, which leaves no shared memory behind
    while pids := _processes_of(root):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, what)
        if time.monotonic() > until:
            raise PreconditionError(f"the processes {pids} of the disposable server in {root} do not end.")
        what = signal.SIGKILL if time.monotonic() > until - deadline_s / 2 else what
        time.sleep(0.05)
    shutil.rmtree(root, ignore_errors=True)


def _processes_of(root: Path) -> list[int]:
    """Return the processes that were started for a folder: those whose command line names it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if any(os.fsencode(root) + b"/" in word + b"/" for word in words):
                found.append(int(path.parent.name))
    return [pid for pid in found if pid != os.getpid()]


@contextlib.contextmanager
def disposable_server(*, tools: ClientTools, prefix: str = PREFIX) -> Iterator[DisposableServer]:
    """Run a server in a temporary folder while the block lasts."""
    root = Path(tempfile.mkdtemp(prefix=prefix))
    root.chmod(0o755)
    server = DisposableServer(root, tools=tools)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.remove()
