"""A Redis server: how it is reached and restarted, what it says of itself, what a backup of it holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from pawpaw_ops.models.backup import AnyContents, AnyManifest
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.database import ClientTools

Form = Literal["rdb", "aof"]
"""A snapshot, or the append-only files as they lay there."""


class Redis(Noun):
    """One Redis server.

    Attributes:
        name: What its backups are called in the store.
        host: Host name, address, or path of the Unix socket; inside the container where one is given.
        port: TCP port; inside the container where one is given.
        container: Name of the container that it runs in, by which it is found, stopped and started; empty: none.
        user: ACL user.
        password: Its password; empty asks for none.
        tools: Where redis-cli, redis-check-rdb, redis-check-aof and redis-server of its version are.
        data_folder: Its `dir` as this host sees it; None where this host does not.
        stop: Command that stops it, where it has no container.
        start: Command that starts it, where it has no container.
        keep_old_days: How long replaced data is kept after a restore, in days.
    """

    name: str = Field(default="redis", pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    host: str = "127.0.0.1"
    port: int = Field(default=6379, ge=1, le=65535)
    container: str = ""
    user: str = "default"
    password: SecretStr = SecretStr("")
    tools: ClientTools = ClientTools()
    data_folder: Path | None = None
    stop: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    keep_old_days: int = Field(default=7, ge=0, le=365)

    @property
    def where(self) -> str:
        """How people are told which one it is."""
        place = f"in the container {self.container!r}" if self.container else f"at {self.host}:{self.port}"
        return f"Redis {place} as {self.user!r}"


class Layout(Noun):
    """Where in its `dir` a server keeps its data.

    Attributes:
        append_only: Whether it loads the append-only files; the snapshot otherwise.
        folder: `appenddirname`.
        file: `appendfilename`.
        snapshot: `dbfilename`.
    """

    append_only: bool
    folder: str = "appendonlydir"
    file: str = "appendonly.aof"
    snapshot: str = "dump.rdb"

    @property
    def entry(self) -> str:
        """The one name in `dir` that holds the data."""
        return self.folder if self.append_only else self.snapshot

    @property
    def manifest(self) -> str:
        """Name of the list of append-only files."""
        return f"{self.file}.manifest"


class RedisFacts(Noun):
    """What a server says of itself.

    Attributes:
        version: `7.0.15`.
        run_id: Changes with every start.
        mode: `standalone`, `cluster` or `sentinel`.
        role: `master` or `slave`.
        folder: Its `dir`, as it sees it.
        used_bytes: Memory that its data takes.
        max_bytes: `maxmemory`; 0 is no limit.
        policy: What it does at that limit.
        databases: How many numbered databases it has.
        ill: What `INFO persistence` says went wrong last: `rdb_last_bgsave_status` and its like.
    """

    version: str
    run_id: str
    mode: str
    role: str
    folder: str
    layout: Layout
    used_bytes: int = 0
    max_bytes: int = 0
    policy: str = "noeviction"
    databases: int = 16
    ill: tuple[str, ...] = ()

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version, which decide what it can read: `(7, 0)`."""
        return release(self.version)


def release(version: str) -> tuple[int, int]:
    """Return major and minor of a version."""
    major, minor, *_ = (int(part) for part in version.split("."))
    return major, minor


# Nothing here is called `keys`: Prefect, like `dict()`, takes what has an attribute of that name for a mapping.


class KeyCount(Noun):
    """How many keys a numbered database has, and how many of them expire."""

    total: int
    expires: int

    @property
    def lasting(self) -> int:
        """Keys that never go by themselves."""
        return self.total - self.expires


class Keyspace(Noun):
    """The keys of all numbered databases that have any."""

    databases: Mapping[int, KeyCount] = Field(default_factory=dict)

    @property
    def total(self) -> int:
        """Keys of all databases."""
        return sum(count.total for count in self.databases.values())


class KeyPrint(Noun):
    """One key and the digest of its value, whatever it is encoded as in memory.

    Attributes:
        key: Its name in hexadecimal digits; names are not text, and may be secrets.
        kind: What TYPE says.
        expires_at_ms: When it expires, in milliseconds since 1970; -1 is never.
    """

    db: int
    key: str
    kind: str
    digest: str
    expires_at_ms: int = -1


class Samples(Noun):
    """Keys drawn from a backup; they lie inside the sealed artefact only, because names of keys may be secrets."""

    drawn: tuple[KeyPrint, ...] = ()


class RedisContents(AnyContents):
    """What the sealed artefact of a Redis holds.

    Attributes:
        redis: The server's name in the store.
        form: What lies in `dump/`.
        server: The server it was taken from.
        tools_version: Version of the programs that checked it.
        keyspace: What a server that was started on it held.
        compared: How many keys rested in the live server while the backup was made.
        differed: How many of them are another in the backup.
    """

    below: ClassVar[str] = "redis/"
    unit: ClassVar[str] = "keys"

    kind: Literal["redis"] = "redis"
    redis: str
    form: Form
    server: RedisFacts
    tools_version: str
    keyspace: Keyspace
    compared: int = 0
    differed: int = 0

    @property
    def name(self) -> str:
        """The server's name in the store."""
        return self.redis

    @property
    def count(self) -> int:
        """Keys of all databases."""
        return self.keyspace.total


class RedisManifest(AnyManifest):
    """The manifest of a Redis backup."""

    holds: ClassVar[type[AnyContents]] = RedisContents

    contents: RedisContents
