"""A backup is its manifest; a backup without one does not exist."""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, Self

from pydantic import Field
from typing_extensions import TypeVar

from pawpaw_ops.errors import BackupCorrupt, ConfigError
from pawpaw_ops.models.base import Noun, Verdict
from pawpaw_ops.models.database import DatabaseRow, Fingerprint, ServerFacts

FORMAT: Final = 1
KEY_TIME = "%Y%m%dT%H%M%SZ"
_ID = re.compile(r"([0-9]{8}T[0-9]{6}Z)-[0-9a-f]{8}")


def new_backup_id(at: datetime) -> str:
    """Return a unique id that sorts by time: `20261124T030000Z-9f86d081`."""
    return f"{at.astimezone(UTC).strftime(KEY_TIME)}-{secrets.token_hex(4)}"


class FileEntry(Noun):
    """One file inside the sealed artefact."""

    size_bytes: int
    sha256: str


class AnyContents(Noun):
    """What a sealed artefact holds, whatever it is a backup of; travels inside it too, so that it can stand alone.

    Attributes:
        below: What stands between stack and name in the store's keys; ends with a slash where it is not empty.
        unit: What `count` counts.
        backup_id: Unique, sorts by time.
        taken_at: When the snapshot was taken.
        files: Path inside the artefact -> size and SHA-256.
    """

    below: ClassVar[str] = ""
    unit: ClassVar[str] = "things"

    format: Literal[1] = FORMAT
    backup_id: str
    taken_at: datetime
    stack: str
    files: Mapping[str, FileEntry]

    @property
    def name(self) -> str:
        """Name of what was backed up, as its block calls it."""
        raise NotImplementedError

    @property
    def count(self) -> int:
        """How much of it there is."""
        raise NotImplementedError

    @property
    def subject(self) -> str:
        """What was backed up, as people say it: `prod/shop`."""
        return f"{self.stack}/{self.below}{self.name}"


class Contents(AnyContents):
    """What the sealed artefact of a database holds.

    Attributes:
        database: The row of `pg_database` and what hangs on it.
        server: The server it was taken from.
        client_version: What pg_dump said of its version.
        fingerprint: Content in the dump's own snapshot.
        table_files: File of the dump -> quoted table whose rows it holds.
        newest_at: The freshness query's answer in the snapshot, where one is set.
        schema_version: The schema query's, where one is set.
    """

    unit: ClassVar[str] = "rows"

    database: DatabaseRow
    server: ServerFacts
    client_version: str
    fingerprint: Fingerprint
    table_files: Mapping[str, str]
    newest_at: datetime | None = None
    schema_version: str = ""

    @property
    def name(self) -> str:
        """The database's name."""
        return self.database.name

    @property
    def count(self) -> int:
        """Rows of all tables."""
        return self.fingerprint.rows


class AnyManifest(Noun):
    """What `manifest.json` says.

    Attributes:
        contents: What the artefact holds.
        object_key: Key of the sealed artefact in its location.
        size_bytes: Its size.
        sha256: Its digest.
        recipients: age public keys that can open it.
        run_id: Run that made it.
        alarms: What was odd though the proof held: a table that shrank, a small dump.
        durations_s: Step -> seconds.
    """

    holds: ClassVar[type[AnyContents]]

    contents: AnyContents
    object_key: str
    size_bytes: int
    sha256: str
    recipients: tuple[str, ...]
    run_id: str
    alarms: tuple[str, ...] = ()
    durations_s: Mapping[str, float] = Field(default_factory=dict)

    @property
    def backup_id(self) -> str:
        """The unique id."""
        return self.contents.backup_id

    def to_json(self) -> bytes:
        """Return the manifest with the SHA-256 of its own body, so that a flipped bit shows."""
        body = self.model_dump(mode="json")
        return _text({"manifest": body, "sha256": _digest(body)})

    @classmethod
    def from_json(cls, raw: bytes, *, where: str) -> Self:
        """Parse what `to_json` made.

        Raises:
            BackupCorrupt: It is no manifest, of another format, or was changed since.
        """
        try:
            outer = json.loads(raw)
            body: dict[str, Any] = outer["manifest"]
            if set(outer) != {"manifest", "sha256"} or _digest(body) != outer["sha256"] or _text(outer) != raw:
                raise BackupCorrupt(f"the manifest {where} was changed since it was written.", hint=_OTHER)
            return cls.model_validate(body)
        except (ValueError, KeyError, TypeError, RecursionError) as seen:
            raise BackupCorrupt(f"{where} is not a manifest of this product: {seen}", hint=_OTHER) from seen


class Manifest(AnyManifest):
    """The manifest of a database's backup."""

    holds: ClassVar[type[AnyContents]] = Contents

    contents: Contents


if TYPE_CHECKING:  # pydantic knows a bound or a default, not both
    M = TypeVar("M", bound=AnyManifest, default=Manifest)
else:
    M = TypeVar("M", bound=AnyManifest)


class Proof(Noun):
    """One look at a stored backup: what was checked, when, with what result.

    Attributes:
        level: Highest rung of the ladder that was reached: 1 after a backup, up to 8 in a drill.
    """

    backup_id: str
    at: datetime
    verdict: Verdict
    level: int
    run_id: str
    findings: tuple[str, ...] = ()


class CatalogEntry(Noun, Generic[M]):
    """A backup as one location shows it; of a database, unless it is said of what.

    Attributes:
        location: Name of the location.
        manifest: None where it cannot be read.
        verdict: The newest proof's; *not verified* without one.
        pinned: Whether it may never expire.
        problem: Why it is not usable, if so.
    """

    backup_id: str
    location: str
    manifest: M | None
    verdict: Verdict
    level: int = 0
    proven_at: datetime | None = None
    pinned: bool = False
    marked_at: datetime | None = None
    problem: str = ""

    @property
    def taken_at(self) -> datetime:
        """When its snapshot was taken; from the id where the manifest cannot be read."""
        return self.manifest.contents.taken_at if self.manifest else id_time(self.backup_id)


def id_time(backup_id: str) -> datetime:
    """Return the time in a backup id.

    Raises:
        ConfigError: It is no backup id.
    """
    found = _ID.fullmatch(backup_id)
    try:
        return datetime.strptime(found[1] if found else "", KEY_TIME).replace(tzinfo=UTC)
    except ValueError as seen:
        raise ConfigError(f"{backup_id!r} is not a backup id.", hint="list-backups shows the ids.") from seen


_OTHER = "Use another backup; `list-backups` shows them."


def _text(outer: object) -> bytes:
    return json.dumps(outer, ensure_ascii=False, indent=1).encode()


def _digest(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
