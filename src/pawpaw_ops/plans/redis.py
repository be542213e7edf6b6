"""What must hold of a Redis, its files and its keys; decided without touching any."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from pawpaw_ops.errors import BackupCorrupt, ConfigError, PreconditionError, VersionMismatch
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.redis import KeyPrint, Keyspace, Redis, RedisContents, RedisFacts, release

OLDEST = (7, 0)
"""The first release whose append-only file has several parts."""
FLAPPING = 0.1
"""Keys that were the same before and after a backup and yet are another in it: locks, for example. More are odd."""
FEW = 2
DATABASES = 16
"""How many numbered databases a Redis has unless it is told otherwise."""
ACL = (
    "docs/manual-operaciones.md, «Respaldar Redis», has the ACL rules that the user needs; mend them, or the user and"
    " password in the RedisServer block."
)
RESTART = "Set container, or stop_command and start_command, in the RedisServer block."
_LINE = re.compile(r"^file (?P<name>\".*\"|\S+) seq (?P<seq>\d+) type (?P<kind>[bhi])")


class AofFile(Noun):
    """One line of the list of append-only files.

    Attributes:
        kind: `b` is the base, `i` an increment, `h` history that is about to go.
    """

    name: str
    seq: int
    kind: str


def parse_aof_manifest(text: str) -> tuple[AofFile, ...]:
    """Parse the list of append-only files, without history.

    Raises:
        BackupCorrupt: It is none, or names a file outside its folder.

    Source: `aofLoadManifestFromFile` in redis 7.0, src/aof.c.
    """
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.match(line)
        name = "".join(shlex.split(match["name"])) if match else ""
        if match is None or not name or "/" in name or name in {".", ".."}:
            raise BackupCorrupt(f"the list of append-only files has the line {line!r}.")
        found.append(AofFile(name=name, seq=int(match["seq"]), kind=match["kind"]))
    kept = tuple(file for file in found if file.kind != "h")
    if not kept:
        raise BackupCorrupt("the list of append-only files names none.")
    return kept


def base_only(name: str) -> str:
    """Return the list of a set that is one snapshot and nothing since."""
    return f"file {json.dumps(name) if ' ' in name else name} seq 1 type b\n"


def last_size(counted_bytes: int, sizes: Sequence[int], *, at_least: int) -> int:
    """Return how many bytes of the last append-only file are whole commands.

    Redis counts what it has written, always up to the end of a command; the file's size may be seen in the middle of
    a write. Where its count does not fit the files (it forgets what it cut off while loading) the size stands.

    Args:
        counted_bytes: `aof_current_size`, asked for after the files were linked.
        sizes: Sizes of the files, the last one last, looked at after that.
        at_least: Size of the last one before.
    """
    counted = counted_bytes - sum(sizes[:-1])
    return counted if at_least <= counted <= sizes[-1] else sizes[-1]


def check_server(facts: RedisFacts, *, changes: bool) -> None:
    """Refuse a server that cannot be backed up, or restored, the way this is done.

    Args:
        facts: What it says of itself.
        changes: Whether its data is to be replaced.

    Raises:
        VersionMismatch: It is older than 7.0.
        PreconditionError: It is part of a cluster, or a replica whose data is to be replaced.
    """
    if facts.release < OLDEST:
        raise VersionMismatch(f"the server is Redis {facts.version}; 7.0 is the oldest that is supported.")
    if facts.mode != "standalone":
        raise PreconditionError(f"the server runs in {facts.mode} mode; only a standalone one is supported.")
    if changes and facts.role != "master":
        raise PreconditionError(
            "the server is a replica; what is restored into it would be replaced by its master's data.",
            hint="Restore into its master.",
        )


def check_tools(tools_version: str, server_version: str) -> None:
    """Refuse programs of another release than the server's.

    Raises:
        VersionMismatch: Names both.
    """
    if release(tools_version) != release(server_version):
        raise VersionMismatch(
            f"the tools are Redis {tools_version}, the server is {server_version}.",
            hint="Set the tools in the RedisServer block to the server's own release.",
        )


def check_readable(contents: RedisContents, server_version: str) -> None:
    """Refuse a backup that a server cannot read.

    Raises:
        VersionMismatch: The backup is of a newer release.
    """
    if contents.server.release > release(server_version):
        raise VersionMismatch(
            f"the backup is from Redis {contents.server.version}, the server is {server_version}.",
            hint=f"Restore it into Redis {'.'.join(map(str, contents.server.release))} or newer.",
        )


def check_restart(redis: Redis) -> None:
    """Refuse a server that we could not stop and start, or whose files are not here.

    Raises:
        ConfigError: Says which field is missing.
    """
    if redis.data_folder is None:
        raise ConfigError(
            f"restoring needs the data folder of {redis.where}.", hint="Set data_folder in the RedisServer block."
        )
    if not redis.container and not (redis.stop and redis.start):
        raise ConfigError(f"restoring needs to stop and start {redis.where}.", hint=RESTART)


def check_memory(used_bytes: int, available_bytes: int | None) -> None:
    """Refuse to start a second server on the same data where there is no room for it in memory.

    Raises:
        PreconditionError: With both numbers.
    """
    if available_bytes is not None and available_bytes < used_bytes:
        raise PreconditionError(
            f"a server that loads the backup needs about {used_bytes:,} bytes of memory, {available_bytes:,} are free.",
            hint="Run it when there is more, or give this host more memory.",
        )


def differences(recorded: Keyspace, found: Keyspace) -> tuple[str, ...]:
    """Return every way in which keys are not those that were recorded; keys that expire may be gone by now."""
    made = []
    for db in sorted(set(recorded.databases) | set(found.databases)):
        was, now = recorded.databases.get(db), found.databases.get(db)
        lasting = (was.lasting if was else 0, now.lasting if now else 0)
        keys = (was.total if was else 0, now.total if now else 0)
        if lasting[0] != lasting[1]:
            made.append(f"database {db} has {lasting[1]} keys that do not expire, recorded were {lasting[0]}")
        elif keys[1] > keys[0]:
            made.append(f"database {db} has {keys[1]} keys, recorded were {keys[0]}")
    return tuple(made)


def changed(recorded: Iterable[KeyPrint], found: Mapping[tuple[int, str], KeyPrint], *, now_ms: int) -> int:
    """Count the keys that are not what was recorded; one whose time is over may be gone."""
    return sum(_differs(was, found.get((was.db, was.key)), now_ms) for was in recorded)


def _differs(was: KeyPrint, now: KeyPrint | None, now_ms: int) -> bool:
    if now is None:
        return was.expires_at_ms < 0 or was.expires_at_ms > now_ms
    return now != was


def resting(before: Mapping[tuple[int, str], KeyPrint], after: Mapping[tuple[int, str], KeyPrint]) -> list[KeyPrint]:
    """Return the keys that were the same before and after."""
    return [seen for name, seen in before.items() if after.get(name) == seen]


def check_resting(compared: int, differed: int) -> None:
    """Refuse a backup in which too many resting keys are another: it is not of this server, or not of this hour.

    Raises:
        BackupCorrupt: With both numbers.
    """
    if differed > max(FEW, compared * FLAPPING):
        raise BackupCorrupt(
            f"{differed} of {compared} keys that rested while the backup was made are another in it.",
            hint="Check that data_folder in the RedisServer block is the folder of the server that is asked.",
        )


def too_different(recorded: Keyspace, found: Keyspace, *, compared: int, differed: int) -> bool:
    """Whether more differs than clients could have changed in the moments since the server came up."""
    if differed > max(FEW, compared * FLAPPING):
        return True
    for db, was in recorded.databases.items():
        now = found.databases.get(db)
        if abs((now.lasting if now else 0) - was.lasting) > max(FEW, was.lasting * FLAPPING):
            return True
    return False


def alarms(contents: RedisContents, previous: RedisContents | None) -> tuple[str, ...]:
    """Return one sentence for each oddity of a backup whose proof held."""
    made = [f"the server says {text}." for text in contents.server.ill]
    if contents.differed > FEW:
        made.append(f"{contents.differed} of {contents.compared} keys that rested while it was made are another in it.")
    if previous is not None and contents.count * 2 < previous.count:
        made.append(f"it has {contents.count} keys; {previous.backup_id} had {previous.count}.")
    return tuple(made)
