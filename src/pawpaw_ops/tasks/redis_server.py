"""What every verb that works on a Redis does first, and what proves its data."""

from dataclasses import dataclass, replace
from pathlib import Path

from pawpaw_ops.clients.redis import look
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.clients.redis.folders import SNAPSHOT
from pawpaw_ops.clients.redis.tools import folder_of, with_tools
from pawpaw_ops.commands import redis as command
from pawpaw_ops.disposable import new_root
from pawpaw_ops.disposable_redis import loaded
from pawpaw_ops.errors import BackupCorrupt, CommandError, CommandNotFound, CommandTimedOut, IdentityMismatch
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.redis import Form, KeyPrint, Keyspace, Layout, Redis, RedisFacts, Samples
from pawpaw_ops.plans import backup as backup_plan
from pawpaw_ops.plans import redis as plan
from pawpaw_ops.plans.restore import LIST
from pawpaw_ops.session import Session, undo
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.client_tools import check_image

SAMPLE = 500
"""Keys of each numbered database whose values are looked at."""
QUOTED = 400
PLAIN = Layout(append_only=True)


@dataclass(frozen=True)
class Lying:
    """Data of a Redis in a folder: a snapshot, or append-only files with their list."""

    folder: Path
    form: Form
    manifest: str = PLAIN.manifest


def server_of(do: Session) -> Redis:
    """Return the stack's Redis with its tools found; containers of theirs are ended with the run.

    Raises:
        ConfigError: The stack has no Redis, or the engine not its container.

    Touches:
        The run's journal.
    """
    server = with_tools(do.stack.its_redis(), run_id=do.run_id)
    image = server.tools.image
    if image is not None:
        do.step(f"use the image of {image.name}", lambda: None, undo=undo.end_tools(image), scratch=True)
        check_image(do, image, block="RedisServer")
    return server


def ask(server: Redis) -> RedisFacts:
    """Ask a server what it is."""
    with connect(server) as conn:
        return look.facts(conn)


def check_its_folder(server: Redis, facts: RedisFacts) -> None:
    """Refuse a data folder that is not the server's. A folder that was mounted otherwise cannot be told.

    Raises:
        IdentityMismatch: Names both.
    """
    assert server.data_folder is not None
    its = folder_of(server, facts.folder)
    if its is not None and its.resolve() != server.data_folder.resolve():
        raise IdentityMismatch(
            f"{server.where} keeps its data in {its}, the RedisServer block says {server.data_folder}.",
            hint="Mend data_folder in the RedisServer block.",
        )


def tools_version(do: Session, server: Redis) -> str:
    """Return the version of the programs at hand."""
    return do.runner.ask(command.version(server.tools))


def check_room_to_load(used_bytes: int, files_bytes: int) -> None:
    """Refuse where a second server on the same data has no room, on disk or in memory.

    Raises:
        DiskTooSmall: The folder for temporary files cannot hold its files.
        PreconditionError: There is too little memory.
    """
    where = new_root("redis").parent
    backup_plan.check_room(files_bytes, report.free_bytes(where), where=f"the folder for temporary files {where}")
    plan.check_memory(used_bytes, available_memory_bytes())


def available_memory_bytes() -> int | None:
    """Return how much memory new processes may take without swapping; None where nobody can know."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), "")
    return int(found.split()[1]) * 1024 if found else None


def check_files(do: Session, server: Redis, lying: Lying) -> None:
    """Read every file to its end with Redis' own programs.

    Raises:
        BackupCorrupt: One is not whole, or missing, or of a newer format; the program's last words are quoted.
    """
    file = lying.folder / (SNAPSHOT if lying.form == "rdb" else lying.manifest)
    make = command.check_rdb(server.tools, file=file)
    if lying.form == "aof":
        make = command.check_aof(server.tools, manifest=file)
    if not file.is_file():
        raise BackupCorrupt(f"the backup has no {file.name}.")
    said = do.scratch_folder() / "checked.txt"
    try:
        do.runner.run(replace(make, stdout=said))
    except (CommandNotFound, CommandTimedOut, IdentityMismatch):
        raise
    except CommandError as seen:
        last = " | ".join(line for line in said.read_text(errors="replace").splitlines() if line.strip())[-QUOTED:]
        raise BackupCorrupt(f"{make.program} does not accept the files; it said: …{last}", hint=LIST) from seen


@dataclass(frozen=True)
class Held:
    """What a server that was started on some files turned out to hold."""

    keyspace: Keyspace
    samples: Samples
    asked: tuple[KeyPrint, ...]


def load(do: Session, server: Redis, lying: Lying, *, databases: int, layout: Layout, asked: list[KeyPrint]) -> Held:
    """Start a server of our own on a copy of some files, and look at its keys.

    Args:
        do: The session.
        server: Whose tools are used.
        lying: The files.
        databases: How many numbered databases it gets.
        layout: How the server that is to have them lays them out.
        asked: Keys to look up beside those that are drawn.

    Raises:
        BackupCorrupt: It does not start on them.

    Touches:
        A server and a folder of its own.
    """
    root = new_root("redis")

    def run() -> Held:
        with loaded(root, lying.folder, lying.form, layout, tools=server.tools, databases=databases) as own:
            names = [(seen.db, seen.key) for seen in asked]
            found = look.look_up(own, names)
            drawn = look.sample(own, most=SAMPLE)
            with connect(own) as conn:
                return Held(look.keyspace(conn), Samples(drawn=tuple(drawn.values())), tuple(found.values()))

    return do.step("start a Redis on it", run, undo=undo.reap_server(root), scratch=True)


def now_ms() -> int:
    """Return the time in milliseconds since 1970, as Redis counts it."""
    return int(utc_now().timestamp() * 1000)
