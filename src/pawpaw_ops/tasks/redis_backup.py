"""The steps of a Redis backup: look, take the data, start a server on it, prove what is stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from pawpaw_ops import sealing
from pawpaw_ops.clients.redis import aof, folders, look
from pawpaw_ops.clients.redis.folders import SNAPSHOT
from pawpaw_ops.commands import redis as command
from pawpaw_ops.errors import (
    CommandError,
    CommandNotFound,
    ConfigError,
    PreconditionError,
)
from pawpaw_ops.models.backup import new_backup_id
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.redis import KeyPrint, Redis, RedisContents, RedisFacts, RedisManifest
from pawpaw_ops.plans import backup as backup_plan
from pawpaw_ops.plans import redis as plan
from pawpaw_ops.session import Session, undo_redis
from pawpaw_ops.tasks import publish, report
from pawpaw_ops.tasks.artefact import of_kind
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.places import Dumped, Places, answering, check_recipients
from pawpaw_ops.tasks.redis_server import (
    PLAIN,
    SAMPLE,
    Lying,
    ask,
    check_files,
    check_its_folder,
    check_room_to_load,
    load,
    now_ms,
    server_of,
    tools_version,
)

IDLE_S = 600.0
"""How long a rewrite of the append-only file is waited for, in seconds."""
SAMPLES = "samples.json"


@dataclass(frozen=True)
class RedisBefore(Places[RedisManifest]):
    """What was found before a backup."""

    server: Redis
    facts: RedisFacts
    tools_version: str


@dataclass(frozen=True)
class Taken:
    """The data in the scratch folder, and the keys of the live server that rested while it was taken."""

    lying: Lying
    taken_at: datetime
    resting: list[KeyPrint]


@operation("look before Redis backup")
def look_before_backup(do: Session, *, exact: bool) -> RedisBefore:
    """Ask server, tools, disk, memory and store, and refuse before anything is begun.

    Raises:
        PreconditionError: Of the class that says what is wrong.

    Touches:
        A probe object in each location.
    """
    server = server_of(do)
    check_recipients(do)
    facts = ask(server)
    plan.check_server(facts, changes=False)
    version = tools_version(do, server)
    plan.check_tools(version, facts.version)
    size = _append_only_bytes(server, facts) if exact else facts.used_bytes
    where = f"the scratch folder in {do.stack.state_dir}"
    backup_plan.check_room(size * 2, report.free_bytes(do.stack.state_dir), where=where)
    check_room_to_load(facts.used_bytes, size)
    places = answering(do, RedisManifest, server.name)
    return RedisBefore(places.catalogs, places.pending, server, facts, version)


def _append_only_bytes(server: Redis, facts: RedisFacts) -> int:
    """Return the size of the append-only files; refuse where there are none."""
    if not facts.layout.append_only:
        raise PreconditionError(
            "an exact backup needs append-only files, and the server has appendonly off.", hint="Pass exact=false."
        )
    if server.data_folder is None:
        raise ConfigError(
            "an exact backup needs the server's data folder.",
            hint="Set data_folder in the RedisServer block, or pass exact=false.",
        )
    check_its_folder(server, facts)
    folder = server.data_folder / facts.layout.folder
    try:
        return folders.size_bytes(folder)
    except OSError as seen:
        raise folders.disk_error(folder, seen) from seen


@operation("take the data")
def take(do: Session, before: RedisBefore, *, exact: bool) -> Taken:
    """Let the server send a snapshot, or copy its append-only files; look at some keys before and after.

    Raises:
        CommandError: redis-cli failed; its words are quoted.
        PreconditionError: The server could not make a snapshot, or does not let us.
        Blocked: The append-only files were rewritten all the time.

    Touches:
        The scratch folder. The server forks once; or does not rewrite its append-only files for some milliseconds.
    """
    was = look.sample(before.server, most=SAMPLE)
    folder = do.scratch_folder() / "plain" / sealing.DUMP
    folder.parent.mkdir()
    lying = _copy_append_only(do, before, folder) if exact else _snapshot(do, before, folder)
    taken_at = utc_now()
    now = look.look_up(before.server, list(was))
    return Taken(lying, taken_at, plan.resting(was, now))


def _snapshot(do: Session, before: RedisBefore, folder: Path) -> Lying:
    folder.mkdir()
    line = command.snapshot(before.server, to=folder / SNAPSHOT)

    def fetch() -> None:
        try:
            do.runner.run(line)
        except CommandNotFound:
            raise
        except CommandError as seen:
            raise _no_snapshot(before.server, seen) from seen

    do.step("fetch a snapshot", fetch, scratch=True)
    return Lying(folder, "rdb")


def _no_snapshot(server: Redis, seen: CommandError) -> Exception:
    """Tell what redis-cli's failure means: the server refused, could not, or the way to it broke."""
    code = command.refusal(seen.stderr_tail)
    said = seen.stderr_tail.strip().splitlines()[-1:] or [seen.message]
    if code in {"NOPERM", "NOAUTH", "WRONGPASS"}:
        return PreconditionError(f"{server.where} does not send a snapshot: {said[0]}.", hint=plan.ACL)
    return PreconditionError(
        f"{server.where} did not send a whole snapshot: {said[0]}.",
        hint="Its log says why: `Can't save in background: fork` is too little memory or overcommit; see its disk too.",
    )


def _copy_append_only(do: Session, before: RedisBefore, folder: Path) -> Lying:
    """Hold the append-only files still by hard links while they are copied."""
    server, layout = before.server, before.facts.layout
    assert server.data_folder is not None
    links = folders.beside(server.data_folder, do.run_id)
    aof.wait_idle(server, deadline_s=IDLE_S)
    percentage, redis_run_id = aof.rewrite_percentage(server)
    do.step(
        "switch rewrites off",
        lambda: aof.set_rewrite_percentage(server, 0),
        undo=undo_redis.heal_rewrites(percentage, redis_run_id),
        scratch=True,
    )
    try:
        linked = do.step(
            "link append-only files",
            lambda: aof.link(server, layout, to=links, deadline_s=IDLE_S),
            undo=undo_redis.remove_beside(links),
            scratch=True,
        )
    finally:
        aof.heal_rewrites(server, percentage=percentage, redis_run_id=redis_run_id)
    do.step("copy append-only files", lambda: aof.copy(linked, folder), scratch=True)
    folders.remove(links)
    return Lying(folder, "aof", layout.manifest)


@operation("describe the data")
def describe(do: Session, before: RedisBefore, taken: Taken) -> Dumped:
    """Check the files, start a server of our own on a copy of them, and write down what it holds.

    Raises:
        BackupCorrupt: The files are not whole, or not those of the server that was asked.

    Touches:
        A server and a folder of its own.
    """
    check_files(do, before.server, taken.lying)
    held = load(do, before.server, taken.lying, databases=before.facts.databases, layout=PLAIN, asked=taken.resting)
    found = {(seen.db, seen.key): seen for seen in held.asked}
    differed = plan.changed(taken.resting, found, now_ms=now_ms())
    plan.check_resting(len(taken.resting), differed)
    folder = taken.lying.folder.parent
    (folder / SAMPLES).write_text(held.samples.model_dump_json())
    contents = RedisContents(
        backup_id=new_backup_id(utc_now()),
        taken_at=taken.taken_at,
        stack=do.stack.name,
        redis=before.server.name,
        form=taken.lying.form,
        server=before.facts,
        tools_version=before.tools_version,
        keyspace=held.keyspace,
        compared=len(taken.resting),
        differed=differed,
        files=sealing.list_files(folder),
    )
    return Dumped(contents, folder)


@operation("prove stored bytes")
def prove_stored_bytes(do: Session, before: RedisBefore, stored: publish.Stored[RedisManifest]) -> None:
    """Read back what is stored, open it, and read every file in it with Redis' own programs.

    Raises:
        BackupCorrupt: What is stored is not what was sealed.

    Touches:
        The scratch folder.
    """
    opened = of_kind(publish.read_back(do, stored), RedisContents)
    manifest = before.facts.layout.manifest
    check_files(do, before.server, Lying(opened.folder / sealing.DUMP, opened.contents.form, manifest))


@operation("publish backup")
def publish_backup(do: Session, stored: publish.Stored[RedisManifest], previous: RedisManifest | None) -> RedisManifest:
    """Store the proof, then the manifest: from here on the backup exists.

    Touches:
        Two small objects per location.
    """
    assert isinstance(stored.contents, RedisContents)
    odd = plan.alarms(stored.contents, previous.contents if previous else None)
    return publish.publish_manifest(do, stored, odd)


@operation("drop replaced data")
def drop_replaced(do: Session, before: RedisBefore) -> list[str]:
    """Remove the data that a restore replaced, once its time is over; the backup that was just made is newer.

    Touches:
        Folders with the names that a restore gives them, and no other.
    """
    folder = before.server.data_folder
    if folder is None or not folder.is_dir():
        return []
    kept = folders.retired(folder, before.facts.layout.entry, strays=True)
    over = [name for name, at in kept.items() if at + timedelta(days=before.server.keep_old_days) < utc_now()]
    for name in over:
        do.step(f"remove {name}", partial(folders.remove, folder / name))
    return over


@operation("report backup")
def report_backup(
    do: Session, manifest: RedisManifest, stored: publish.Stored[RedisManifest], pending: tuple[str, ...]
) -> None:
    """Show what was backed up, database by database, and where its manifest is.

    Touches:
        Artifacts in Prefect.
    """
    contents = manifest.contents
    rows: list[dict[str, object]] = [
        {"database": db, "keys": count.total, "that expire": count.expires}
        for db, count in contents.keyspace.databases.items()
    ]
    size, same = report.human_bytes(manifest.size_bytes), contents.compared - contents.differed
    gist = (
        f"**{manifest.backup_id}**: {contents.count:,} keys, {size} sealed, verified;"
        f" of {contents.compared} keys that rested in the live server, {same} are the same in it."
    )
    for text in (*manifest.alarms, *stored.pending, *pending):
        gist += f"\n- ⚠ {text}"
    name = f"backup-{do.stack.name}-redis-{contents.name}"
    report.table(name, rows, gist=gist)
    publish.show_manifests(name, stored)
