"""The catalog of one database's backups in one location, made from what lies there and nothing else.

Keys: `<stack>/<database>/<backup id>/` + `data.tar.zst.age`, `manifest.json`, `proof-<time>.json`, `pinned`, `expired.json`.
Without `manifest.json` there is no backup. Removing begins with the manifest, so that nothing is ever visible but gutted.
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from pydantic import ValidationError

from pawpaw_ops.clients.locations import FolderLocation, Location
from pawpaw_ops.clients.s3 import S3Location
from pawpaw_ops.errors import BackupCorrupt, ConfigError
from pawpaw_ops.models.backup import CatalogEntry, Manifest, Proof, id_time
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.store import StoreSettings

log = logging.getLogger(__name__)
DATA = "data.tar.zst.age"
MANIFEST = "manifest.json"
PINNED = "pinned"
EXPIRED = "expired.json"
PROOF = "proof-"


@dataclass(frozen=True)
class Catalog:
    """The backups of one database in one location.

    Args:
        location: Where.
        stack: Name of the stack.
        database: Name of the database.
    """

    location: Location
    stack: str
    database: str

    @property
    def prefix(self) -> str:
        """What every key of ours begins with, ended by a slash: `app/` never matches `app-prod/`."""
        return f"{quote(self.stack, safe='')}/{quote(self.database, safe='')}/"

    def key(self, backup_id: str, name: str) -> str:
        """Return the key of one object of a backup."""
        return f"{self.prefix}{backup_id}/{name}"

    def publish(self, manifest: Manifest) -> None:
        """Make a backup exist: its data is stored, this stores the manifest."""
        self.location.put_bytes(self.key(manifest.backup_id, MANIFEST), manifest.to_json())

    def add_proof(self, proof: Proof) -> None:
        """Store the result of one look at a backup."""
        stamp = proof.at.strftime("%Y%m%dT%H%M%S.%fZ")
        self.location.put_bytes(self.key(proof.backup_id, f"{PROOF}{stamp}.json"), proof.model_dump_json(indent=1).encode())

    def mark_expired(self, backup_id: str, at: datetime) -> None:
        """Write down that a backup may be removed once the grace is over."""
        self.location.put_bytes(self.key(backup_id, EXPIRED), json.dumps({"marked_at": at.isoformat()}).encode())

    def unmark(self, backup_id: str) -> None:
        """Take that back."""
        self.location.delete(self.key(backup_id, EXPIRED))

    def pin(self, backup_id: str) -> None:
        """Keep a backup whatever its age."""
        self.location.put_bytes(self.key(backup_id, PINNED), b"")

    def unpin(self, backup_id: str) -> None:
        """Let it age again."""
        self.location.delete(self.key(backup_id, PINNED))

    def remove(self, backup_id: str) -> int:
        """Remove a backup: first what makes it visible, then the rest.

        Returns:
            Bytes of the objects that were there.

        Touches:
            Deletes the objects below this backup's key, and no other.
        """
        objects = list(self.location.list(self.key(backup_id, "")))
        self.location.delete(self.key(backup_id, MANIFEST))
        for thing in objects:
            self.location.delete(thing.key)
        return sum(thing.size_bytes for thing in objects)

    def entries(self) -> list[CatalogEntry]:
        """Return the backups that exist here, oldest first; one with an unreadable manifest says so."""
        return [self._entry(backup_id, names) for backup_id, names in self._folders() if MANIFEST in names]

    def unpublished(self) -> list[str]:
        """Return the ids under which objects lie without a manifest: failed or running backups, half-removed ones."""
        return [backup_id for backup_id, names in self._folders() if MANIFEST not in names]

    def manifest(self, backup_id: str) -> Manifest:
        """Read one manifest.

        Raises:
            BackupCorrupt: It is not what was written.
        """
        key = self.key(backup_id, MANIFEST)
        found = Manifest.from_json(self.location.get_bytes(key), where=f"{key!r} in {self.location.name}")
        if found.backup_id != backup_id or found.object_key != self.key(backup_id, DATA):
            raise BackupCorrupt(f"the manifest {key!r} in {self.location.name} belongs to {found.object_key!r}.")
        return found

    def _folders(self) -> list[tuple[str, list[str]]]:
        folders: dict[str, list[str]] = {}
        for thing in self.location.list(self.prefix):
            backup_id, _, name = thing.key.removeprefix(self.prefix).partition("/")
            if name and _is_id(backup_id):
                folders.setdefault(backup_id, []).append(name)
        return sorted(folders.items())

    def _entry(self, backup_id: str, names: list[str]) -> CatalogEntry:
        common = {
            "backup_id": backup_id,
            "location": self.location.name,
            "pinned": PINNED in names,
            "marked_at": self._marked_at(backup_id) if EXPIRED in names else None,
        }
        try:
            manifest = self.manifest(backup_id)
        except BackupCorrupt as seen:
            return CatalogEntry(**common, manifest=None, verdict=Verdict.FAILED, problem=seen.message)
        if DATA not in names:
            problem = f"its data {manifest.object_key!r} is gone"
            return CatalogEntry(**common, manifest=manifest, verdict=Verdict.FAILED, problem=problem)
        proof = self._newest_proof(backup_id, names)
        return CatalogEntry(
            **common,
            manifest=manifest,
            verdict=proof.verdict if proof else Verdict.NOT_VERIFIED,
            level=proof.level if proof else 0,
            proven_at=proof.at if proof else None,
            problem="; ".join(proof.findings) if proof and proof.verdict is not Verdict.VERIFIED else "",
        )

    def _newest_proof(self, backup_id: str, names: list[str]) -> Proof | None:
        for name in sorted((name for name in names if name.startswith(PROOF)), reverse=True):
            try:
                return Proof.model_validate_json(self.location.get_bytes(self.key(backup_id, name)))
            except ValidationError as seen:
                log.warning("unreadable proof %s of %s in %s: %s", name, backup_id, self.location.name, seen)
        return None

    def _marked_at(self, backup_id: str) -> datetime | None:
        try:
            return datetime.fromisoformat(json.loads(self.location.get_bytes(self.key(backup_id, EXPIRED)))["marked_at"])
        except (ValueError, KeyError, TypeError):
            return None


def locations(settings: StoreSettings) -> list[Location]:
    """Open a store's locations, the local folder first.

    Raises:
        ConfigError: It has none.
    """
    found: list[Location] = []
    if settings.folder is not None:
        found.append(FolderLocation(settings.folder))
    if settings.s3 is not None:
        found.append(S3Location(settings.s3))
    if not found:
        raise ConfigError("the BackupStore has neither a folder nor a bucket.", hint="Set one in the block.")
    return found


def _is_id(text: str) -> bool:
    try:
        id_time(text)
    except ConfigError:
        return False
    return True
