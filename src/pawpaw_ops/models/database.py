"""The database and how it is reached; what it looks like from outside and inside."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from pawpaw_ops.models.base import Noun

MARK = "pawpaw-ops"


class ToolImage(Noun):
    """The image of the server's own container; its programs run in containers of their own.

    Attributes:
        id: Id of the image that the container runs, never a tag.
        container: Id of the server's container, whose network its clients join.
        name: How people call that container.
        engine: Address of the Docker engine, as `DOCKER_HOST` has it.
        owner: `uid:gid` of this process, so that what the programs write is ours.
        run_id: Run on whose behalf they work; by this label the next run finds what a dead one left.
    """

    id: str
    container: str
    name: str
    engine: str
    owner: str
    run_id: str = ""


class ClientTools(Noun):
    """Where the server's own major version of pg_dump and its kin runs.

    Attributes:
        folder: Folder of the programs on this host; empty means the `PATH`.
        image: Image that has them; none means this host.
        user: System user to run server programs as when this process is root.
    """

    folder: Path | None = None
    image: ToolImage | None = None
    user: str = "nobody"

    def for_run(self, run_id: str) -> "ClientTools":
        """Return the same tools on behalf of a run; of those that already work for one, that one stays."""
        if self.image is None or self.image.run_id:
            return self
        return self.model_copy(update={"image": self.image.model_copy(update={"run_id": run_id})})


class Database(Noun):
    """One database and its server.

    Attributes:
        name: Name of the database that lives.
        host: Host name, address, or folder of the Unix socket.
        port: TCP port, or the number in the socket's name.
        user: Role that administers; restoring needs a superuser.
        password: Its password.
        tools: Where the client tools run.
        system_identifier: The server's own 64-bit number (`pg_controldata`); empty accepts any server.
        keep_old_days: How long a replaced database is kept after a restore, in days.
        smoke_queries: Name -> SQL that answers true on a healthy database.
        freshness_query: SQL that answers the time of the newest row that matters; empty asks nothing.
        freshness_h: How old that may be when a backup is taken, in hours.
        schema_query: SQL that answers the version of the schema; empty asks nothing.
    """

    name: str = Field(min_length=1)
    host: str = "127.0.0.1"
    port: int = Field(default=5432, ge=1, le=65535)
    user: str = "postgres"
    password: SecretStr = SecretStr("")
    tools: ClientTools = ClientTools()
    system_identifier: str = ""
    keep_old_days: int = Field(default=7, ge=0, le=365)
    smoke_queries: Mapping[str, str] = Field(default_factory=dict)
    freshness_query: str = ""
    freshness_h: float = 26.0
    schema_query: str = ""


class ServerFacts(Noun):
    """What a server says of itself.

    Attributes:
        system_identifier: 64-bit number, fixed when the cluster was made.
        version_num: As in `server_version_num`: 150018.
        in_recovery: Whether it is a standby.
        is_superuser: Whether the role we came as is one.
        timeline: Current timeline.
        lsn: Current write position, or the replayed one on a standby.
    """

    system_identifier: str
    version_num: int
    in_recovery: bool
    is_superuser: bool
    timeline: int
    lsn: str

    @property
    def major(self) -> int:
        """The major version: 15."""
        return self.version_num // 10000


class DatabaseRow(Noun):
    """One row of `pg_database` with what else hangs on it.

    Attributes:
        oid: Object id; survives a rename.
        acl: `grantee=privilege` words, sorted; None is the default of PostgreSQL.
        settings: Role name ("" for all) -> `name=value` words.
        size_bytes: Disk use.
    """

    oid: int
    name: str
    owner: str
    encoding: str
    collate: str
    ctype: str
    locale_provider: str = "c"
    icu_locale: str = ""
    collation_version: str = ""
    connection_limit: int
    allow_connections: bool
    acl: tuple[str, ...] | None
    settings: Mapping[str, tuple[str, ...]]
    comment: str = ""
    size_bytes: int = 0


class Marker(Noun):
    """Our note on a database that is not live, kept as its comment.

    Attributes:
        role: `side` while being prepared, `old` after it was swapped out.
        of: Name of the live database that it belongs to.
        run_id: Run that made it.
        backup_id: Backup that it was loaded from; empty for a replaced live database.
        state: `loading` or `proven` for a side database; `kept` for an old one.
        at: When it was marked.
        keep_until: When an old one may be dropped.
        comment: The comment that the database had, or will have when live.
        connection_limit: The limit that it had, or will have when live.
    """

    role: Literal["side", "old"]
    of: str
    run_id: str
    backup_id: str = ""
    state: Literal["loading", "proven", "kept"] = "loading"
    at: datetime
    keep_until: datetime | None = None
    comment: str = ""
    connection_limit: int = -1

    def to_comment(self) -> str:
        """Return the text to put on the database."""
        return json.dumps({MARK: self.model_dump(mode="json")}, ensure_ascii=False)

    @classmethod
    def from_comment(cls, comment: str) -> "Marker | None":
        """Return the marker in a database's comment; None for every other text."""
        try:
            return cls.model_validate(json.loads(comment)[MARK])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


class TablePrint(Noun):
    """The content of one table: rows, and the order-independent sum of their hashes."""

    rows: int
    digest: str


class SequencePrint(Noun):
    """A sequence and the column that it feeds, if any."""

    last_value: int
    is_called: bool
    owner_table: str = ""
    owner_column: str = ""


class Fingerprint(Noun):
    """What a database held in one snapshot.

    Attributes:
        tables: Quoted `schema.table` -> content. Partitions count by themselves; foreign tables, tables of
            extensions and materialised views (their content is derived) are left out.
        sequences: Quoted name -> state; read outside the snapshot, as sequences always are.
        large_objects: Count and digest of all large objects.
        structure: `kind identity` -> digest of its definition.
        extensions: Name -> version.
        roles: Roles that own or may use something in it -> their attributes, as `CREATE ROLE` spells them.
        algorithm: Name of the recipe; only equal ones compare.
    """

    tables: Mapping[str, TablePrint]
    sequences: Mapping[str, SequencePrint] = Field(default_factory=dict)
    large_objects: TablePrint = TablePrint(rows=0, digest="0")
    structure: Mapping[str, str] = Field(default_factory=dict)
    extensions: Mapping[str, str] = Field(default_factory=dict)
    roles: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    algorithm: str = "rowhash-1"

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())
