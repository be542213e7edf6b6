"""The steps of a Redis restore up to the exchange: choose, fetch, prove in a server of our own, build beside."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops import sealing
from pawpaw_ops.clients.redis import folders, look
from pawpaw_ops.clients.redis.connection import connect, gone
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.errors import BackupCorrupt, NotApproved, Unreachable, VerificationError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.redis import Keyspace, Layout, Redis, RedisContents, RedisFacts, RedisManifest, Samples
from pawpaw_ops.plans import backup as backup_plan
from pawpaw_ops.plans import redis as plan
from pawpaw_ops.plans import restore as restore_plan
from pawpaw_ops.session import Session, undo_redis
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.artefact import Chosen, open_artefact
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.redis_backup import SAMPLES
from pawpaw_ops.tasks.redis_server import (
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


@dataclass(frozen=True)
class Live:
    """The server as it is found; nothing of it is known where it is down.

    Attributes:
        facts: What it says of itself.
        held: What it holds now.
        version: Its release, or that of the tools where it is down.
        folder: Its `dir` as this host sees it.
    """

    server: Redis
    facts: RedisFacts | None
    held: Keyspace | None
    version: str
    folder: Path


@dataclass(frozen=True)
class RedisReady:
    """Data that was fetched and proven, and what it holds."""

    source: str
    lying: Lying
    layout: Layout
    keyspace: Keyspace
    samples: Samples
    used_bytes: int
    taken_at: datetime | None = None
    unknown: tuple[str, ...] = field(default=())


@operation("look before Redis restore")
def look_before_restore(do: Session) -> Live:
    """Ask the server, which may be down, and refuse what could not be carried out.

    Raises:
        ConfigError: Its folder is not here, or it could not be stopped and started.
        Unreachable: It is there and does not answer, or refuses us.
        PreconditionError: It is a replica, or part of a cluster.
        VersionMismatch: It is too old, or the tools are of another release.
        IdentityMismatch: Its data is in another folder than the block says.

    Touches:
        Nothing.
    """
    server = server_of(do)
    plan.check_restart(server)
    assert server.data_folder is not None
    folders.check_folder(server.data_folder)
    version = tools_version(do, server)
    try:
        facts = ask(server)
        with connect(server) as conn:
            held = look.keyspace(conn)
    except Unreachable:
        if not gone(server):
            raise
        report.logger().warning("%s is down; what it holds is unknown", server.where)
        return Live(server, None, None, version, server.data_folder)
    plan.check_server(facts, changes=True)
    plan.check_tools(version, facts.version)
    check_its_folder(server, facts)
    return Live(server, facts, held, facts.version, server.data_folder)


@operation("choose Redis backup")
def choose_backup(do: Session, live: Live, wanted: str) -> Chosen[RedisManifest]:
    """Find the backup that is meant: `newest`, an id, or a date or time.

    Raises:
        BackupMissing: There is none.
        BackupCorrupt: It is known to be broken.
        VersionMismatch: It is of a newer release than the server.
        ConfigError: *wanted* is none of these.

    Touches:
        Nothing.
    """
    catalogs = {
        location.name: Catalog(location, do.stack.name, live.server.name, RedisManifest)
        for location in locations(do.stack.store)
    }
    entry = restore_plan.choose([entry for target in catalogs.values() for entry in target.entries()], wanted)
    if entry.manifest is not None:
        plan.check_readable(entry.manifest.contents, live.version)
    return Chosen(source=entry.backup_id, manifest=entry.manifest, target=catalogs[entry.location])


@operation("fetch and check")
def fetch_and_check(do: Session, live: Live, chosen: Chosen[RedisManifest], keys: Sequence[SecretStr]) -> RedisReady:
    """Fetch, hash, decrypt, and read every file with Redis' own programs; the server was not touched before this.

    Raises:
        WrongKey: No identity fits.
        BackupCorrupt: The bytes are not a complete backup.
        DiskTooSmall: The scratch folder cannot hold it.

    Touches:
        The scratch folder.
    """

    def fetch() -> sealing.Opened[RedisContents]:
        return open_artefact(do, chosen, keys, RedisContents, name=live.server.name, to="opened-redis")

    opened = do.step("fetch and check", fetch, scratch=True)
    contents = opened.contents
    lying = Lying(opened.folder / sealing.DUMP, contents.form, contents.server.layout.manifest)
    check_files(do, live.server, lying)
    return RedisReady(
        source=chosen.source,
        lying=lying,
        layout=live.facts.layout if live.facts else contents.server.layout,
        keyspace=contents.keyspace,
        samples=_samples(opened),
        used_bytes=contents.server.used_bytes,
        taken_at=contents.taken_at,
        unknown=_unknown(live, contents),
    )


def _samples(opened: sealing.Opened[RedisContents]) -> Samples:
    try:
        return Samples.model_validate_json((opened.folder / SAMPLES).read_bytes())
    except (OSError, ValueError) as seen:
        raise BackupCorrupt(f"the backup's {SAMPLES} cannot be read: {seen}", hint=restore_plan.LIST) from seen


def _unknown(live: Live, contents: RedisContents) -> tuple[str, ...]:
    """Return what could not be looked at, or may turn out badly."""
    if live.facts is None:
        return ("what the server holds now, and its settings: it is down",)
    most, took = live.facts.max_bytes, contents.server.used_bytes
    small = f"whether it fits: it took {took:,} bytes, maxmemory is {most:,} with {live.facts.policy}"
    return (small,) if 0 < most < took else ()


@operation("prove in a server of its own")
def prove(do: Session, live: Live, ready: RedisReady) -> None:
    """Start a server of our own on a copy and hold its keys against the record.

    Raises:
        BackupCorrupt: It does not start on them.
        VerificationError: Keys are not those that were recorded.
        PreconditionError: There is no memory for a second server.

    Touches:
        A server and a folder of its own.
    """
    check_room_to_load(ready.used_bytes, folders.size_bytes(ready.lying.folder))
    databases = max(
        [live.facts.databases if live.facts else plan.DATABASES, *(db + 1 for db in ready.keyspace.databases)]
    )
    held = load(do, live.server, ready.lying, databases=databases, layout=ready.layout, asked=list(ready.samples.drawn))
    wrong = list(plan.differences(ready.keyspace, held.keyspace))
    found = {(seen.db, seen.key): seen for seen in held.asked}
    if differed := plan.changed(ready.samples.drawn, found, now_ms=now_ms()):
        wrong.append(f"{differed} of {len(ready.samples.drawn)} sampled keys have another value")
    if wrong:
        raise VerificationError(
            f"what {ready.source} holds is not what was recorded: {'; '.join(wrong)}.",
            hint="Nothing was exchanged. Try another backup.",
        )


@operation("build beside")
def build_beside(do: Session, live: Live, ready: RedisReady) -> folders.Exchange:
    """Lay out the data in the server's own folder, under a name that it does not load.

    Raises:
        DiskTooSmall: The disk filled up.
        PreconditionError: The folder is not ours to write to.

    Touches:
        One folder of ours in the server's folder.
    """
    size = folders.size_bytes(ready.lying.folder)
    backup_plan.check_room(size, report.free_bytes(live.folder), where=f"the server's folder {live.folder}")
    to = folders.beside(live.folder, do.run_id)
    made = do.step(
        "build beside",
        lambda: folders.build(ready.lying.folder, ready.lying.form, ready.layout, to=to, like=live.folder),
        undo=undo_redis.remove_beside(to),
        scratch=True,
    )
    return exchange_of(do, live, ready.layout, made)


def exchange_of(do: Session, live: Live, layout: Layout, incoming: Path) -> folders.Exchange:
    """Name the exchange of what is live and what shall be."""
    incoming_id = folders.number(incoming)
    assert incoming_id is not None
    return folders.Exchange(
        folder=live.folder,
        live=layout.entry,
        incoming=incoming.relative_to(live.folder).as_posix(),
        retired=folders.retired_name(layout.entry, at=utc_now(), run_id=do.run_id),
        live_id=folders.number(live.folder / layout.entry),
        incoming_id=incoming_id,
    )


@operation("ask the world again")
def ask_again(do: Session, live: Live, names: folders.Exchange) -> folders.Exchange:
    """Check that what was approved is still what there is.

    Raises:
        NotApproved: What was built is gone, or the server keeps its data elsewhere now, or is another one.

    Touches:
        Nothing.
    """
    built = folders.number(names.folder / names.incoming) == names.incoming_id
    moved = live.facts is not None and ask(live.server).layout != live.facts.layout
    if moved or not built:
        seen = "the server keeps its data under another name" if moved else "what was built beside is gone"
        raise NotApproved(f"the world changed since it was approved: {seen}.", hint="Start the restore again.")
    return names.model_copy(update={"retired": folders.retired_name(names.live, at=utc_now(), run_id=do.run_id)})
