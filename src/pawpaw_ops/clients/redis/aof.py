"""The append-only files of a running Redis, held still by hard links for as long as it takes to copy them."""

import os
import shutil
import time
from pathlib import Path

from pawpaw_ops.clients.files import fsync
from pawpaw_ops.clients.redis import look
from pawpaw_ops.clients.redis.connection import Conn, connect, gone
from pawpaw_ops.clients.redis.folders import disk_error
from pawpaw_ops.errors import Blocked, ConfigError, Unreachable
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.redis import Layout, Redis
from pawpaw_ops.plans.redis import last_size, parse_aof_manifest

PERCENTAGE = "auto-aof-rewrite-percentage"
POLL_S = 0.02
TRIES = 100
"""How often the files may be rewritten under our hands before we give up."""
CHUNK = 1 << 20


class Linked(Noun):
    """Append-only files under names of our own.

    Attributes:
        folder: Where the links are.
        sizes_bytes: Name -> how much of it belongs to the set.
    """

    folder: Path
    manifest: str
    sizes_bytes: dict[str, int]

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole set."""
        return sum(self.sizes_bytes.values())


def rewrite_percentage(server: Redis) -> tuple[int, str]:
    """Return by how much the append-only file may grow before Redis rewrites it, and which process says so."""
    with connect(server) as conn:
        return int(conn.setting(PERCENTAGE) or 0), look.facts(conn).run_id


def set_rewrite_percentage(server: Redis, percentage: int) -> None:
    """Set it; 0 never rewrites. It holds until the process ends.

    Touches:
        One setting of the running server.
    """
    with connect(server) as conn:
        conn.ask("CONFIG", "SET", PERCENTAGE, percentage)


def heal_rewrites(server: Redis, *, percentage: int, redis_run_id: str) -> None:
    """Let the append-only file be rewritten again, unless somebody set it otherwise or the process is another.

    A process that is gone took the setting with it: the next one reads its configuration.

    Touches:
        One setting of the running server.
    """
    try:
        now, run_id = rewrite_percentage(server)
    except Unreachable:
        if gone(server):
            return
        raise
    if now == 0 and run_id == redis_run_id:
        set_rewrite_percentage(server, percentage)


def link(server: Redis, layout: Layout, *, to: Path, deadline_s: float) -> Linked:
    """Give every append-only file a second name while none is being rewritten.

    Whether it was so is seen on the list of files: when it is the same before and after, the files belong together.

    Args:
        server: Rewrites by itself are off.
        layout: Where its files are.
        to: Folder on the same file system; made here.
        deadline_s: How long to wait for a rewrite to end, in seconds.

    Raises:
        Blocked: Rewrites did not end, or began again and again.
        ConfigError: The files are not there, or cannot be linked.

    Touches:
        Makes *to*.
    """
    assert server.data_folder is not None
    source = server.data_folder / layout.folder
    until = time.monotonic() + deadline_s
    with connect(server) as conn:
        for _ in range(TRIES):
            _wait_idle(conn, until, deadline_s)
            try:
                return _link_once(conn, source, layout, to)
            except FileNotFoundError:  # rewritten meanwhile
                shutil.rmtree(to, ignore_errors=True)
                _check_there(source / layout.manifest)
            except OSError as seen:
                raise disk_error(to, seen) from seen
    raise Blocked(
        f"the append-only files in {source} were rewritten, or lacked one that is listed, {TRIES} times in a row.",
        hint="See whether somebody runs BGREWRITEAOF without a pause, and Redis' log.",
    )


def _check_there(manifest: Path) -> None:
    if not manifest.exists():
        raise ConfigError(
            f"there is no {manifest}.",
            hint="Mend data_folder in the RedisServer block: it is the server's `dir` as this host sees it.",
        )


def wait_idle(server: Redis, *, deadline_s: float) -> None:
    """Wait until no rewrite runs or is due, so that rewrites are off for no longer than linking takes.

    Raises:
        Blocked: One still runs after that many seconds.
    """
    with connect(server) as conn:
        _wait_idle(conn, time.monotonic() + deadline_s, deadline_s)


def _wait_idle(conn: Conn, until: float, deadline_s: float) -> None:
    """Wait until no rewrite runs or is due."""
    while True:
        found = conn.info("persistence")
        if not found["aof_rewrite_in_progress"] and not found["aof_rewrite_scheduled"]:
            return
        if time.monotonic() > until:
            raise Blocked(
                f"the append-only file is still being rewritten after {deadline_s:g} s.",
                hint="Run again when it is done, or back up with exact=false.",
            )
        time.sleep(POLL_S)


def _link_once(conn: Conn, source: Path, layout: Layout, to: Path) -> Linked:
    """Link the files; FileNotFoundError says that Redis rewrote them meanwhile."""
    to.mkdir()
    listed = (source / layout.manifest).read_bytes()
    names = [file.name for file in parse_aof_manifest(listed.decode())]
    for name in names:
        os.link(source / name, to / name)
    at_least = (to / names[-1]).stat().st_size
    counted = int(conn.info("persistence")["aof_current_size"])
    sizes = [(to / name).stat().st_size for name in names]
    if (source / layout.manifest).read_bytes() != listed:
        raise FileNotFoundError
    sizes[-1] = last_size(counted, sizes, at_least=at_least)
    (to / layout.manifest).write_bytes(listed)
    return Linked(
        folder=to,
        manifest=layout.manifest,
        sizes_bytes=dict(zip(names, sizes, strict=True)) | {layout.manifest: len(listed)},
    )


def copy(linked: Linked, to: Path) -> None:
    """Copy what belongs to the set: of the file that grows, no more than it had.

    Raises:
        DiskTooSmall: The disk filled up.
        PreconditionError: It could not be read or written.

    Touches:
        Makes *to*.
    """
    try:
        to.mkdir(parents=True)
        for name, size in linked.sizes_bytes.items():
            _copy_part(linked.folder / name, to / name, size)
    except OSError as seen:
        raise disk_error(to, seen) from seen


def _copy_part(source: Path, target: Path, size: int) -> None:
    with source.open("rb") as stream, target.open("wb") as out:
        left = size
        while left and (chunk := stream.read(min(CHUNK, left))):
            out.write(chunk)
            left -= len(chunk)
    fsync(target)
