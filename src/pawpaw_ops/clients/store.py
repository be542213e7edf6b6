"""The catalog of the backups of one thing in one location, made from what lies there and nothing else.

Keys: `<stack>/<database>/<backup id>/` (of a Redis `<stack>/redis/<name>/<backup id>/`) + `data.tar.zst.age`,
`manifest.json`, `proof-<time>.json`, `pinned`, `expired.json`. Without `manifest.json` there is no backup. Removing
begins with the manifest, so that nothing is ever visible but gutted.
"""

import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, cast
from urllib.parse import quote

from pydantic import ValidationError

from pawpaw_ops.clients.locations import BACKUP_ID, FolderLocation, Location
from pawpaw_ops.clients.s3 import S3Location
from pawpaw_ops.errors import BackupCorrupt, ConfigError, StoreError
from pawpaw_ops.models.backup import CatalogEntry, M, Manifest, Proof
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.store import StoreSettings

log = logging.getLogger(__name__)
DATA = "data.tar.zst.age"
MANIFEST = "manifest.json"
PINNED = "pinned"
EXPIRED = "expired.json"
PROOF = "proof-"
READERS = 8


@dataclass(frozen=True)
class Catalog(Generic[M]):
    """The backups of one thing, which is a database unless it is said what, in one location.

    Args:
        location: Where.
        stack: Name of the stack.
        name: Name of the database, or of what else it is.
        kind: What its manifests are.
    """

    location: Location
    stack: str
    name: str
    kind: type[M] = cast("Any", Manifest)  # noqa: RUF009 - a class

    @property
    def prefix(self) -> str:
        """What every key of ours begins with, ended by a slash: `app/` never matches `app-prod/`."""
        return f"{_part(self.stack)}/{self.kind.holds.below}{_part(self.name)}/"

    def key(self, backup_id: str, name: str) -> str:
        """Return the key of one object of a backup.

        Raises:
            ConfigError: The id is not one that a backup can have.
        """
        if not BACKUP_ID.fullmatch(backup_id):
            raise ConfigError(f"{backup_id!r} is not a backup id.", hint="list-backups shows the ids.")
        return f"{self.prefix}{backup_id}/{name}"

    def publish(self, manifest: M) -> None:
        """Make a backup exist: its data is stored, this stores the manifest and reads it back.

        Raises:
            StoreError: The location gives back another manifest; it is removed again.
        """
        key, data = self.key(manifest.backup_id, MANIFEST), manifest.to_json()
        self.location.put_bytes(key, data)
        try:
            stored = self.location.get_bytes(key)
        except FileNotFoundError:
            stored = b""
        if stored != data:
            self.location.delete(key)
            raise StoreError(f"{self.location.name} stored another {key!r} than it was given; nothing is published.")

    def add_proof(self, proof: Proof) -> None:
        """Store the result of one look at a backup."""
        name = proof.at.astimezone(UTC).strftime(f"{PROOF}%Y%m%dT%H%M%S.%fZ.json")
        self.location.put_bytes(self.key(proof.backup_id, name), proof.model_dump_json(indent=1).encode())

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
        manifest = self.key(backup_id, MANIFEST)
        objects = list(self.location.list(self.key(backup_id, "")))
        self.location.delete(manifest)
        for thing in objects:
            if thing.key != manifest:
                self.location.delete(thing.key)
        return sum(thing.size_bytes for thing in objects)

    def entries(self) -> list[CatalogEntry[M]]:
        """Return the backups that exist here, oldest first; one with an unreadable manifest says so."""
        published = [(backup_id, sizes) for backup_id, sizes in self._folders() if MANIFEST in sizes]
        with ThreadPoolExecutor(READERS) as pool:
            found = pool.map(lambda each: self._entry(*each), published)
            return [entry for entry in found if entry is not None]

    def unpublished(self) -> list[str]:
        """Return the ids under which objects lie without a manifest: failed or running backups, half-removed ones."""
        without = [backup_id for backup_id, names in self._folders() if MANIFEST not in names]
        return [one for one in without if self.location.size_of(self.key(one, MANIFEST)) is None]

    def manifest(self, backup_id: str) -> M:
        """Read one manifest.

        Raises:
            BackupCorrupt: It is not what was written.
        """
        key = self.key(backup_id, MANIFEST)
        found = self.kind.from_json(self.location.get_bytes(key), where=f"{key!r} in {self.location.name}")
        if found.backup_id != backup_id or found.object_key != self.key(backup_id, DATA):
            raise BackupCorrupt(f"the manifest {key!r} in {self.location.name} belongs to {found.object_key!r}.")
        return found

    def _folders(self) -> list[tuple[str, dict[str, int]]]:
        folders: dict[str, dict[str, int]] = {}
        for thing in self.location.list(self.prefix):
            backup_id, _, name = thing.key.removeprefix(self.prefix).partition("/")
            if name and BACKUP_ID.fullmatch(backup_id):
                folders.setdefault(backup_id, {})[name] = thing.size_bytes
        return sorted(folders.items())

    def _entry(self, backup_id: str, sizes: Mapping[str, int]) -> CatalogEntry[M] | None:
        common: CatalogEntry[M] = CatalogEntry(
            backup_id=backup_id,
            location=self.location.name,
            manifest=None,
            verdict=Verdict.FAILED,
            pinned=PINNED in sizes,
            marked_at=self._marked_at(backup_id) if EXPIRED in sizes else None,
        )
        try:
            manifest = self.manifest(backup_id)
        except FileNotFoundError:  # removed since the listing
            return None
        except BackupCorrupt as seen:
            return common.model_copy(update={"problem": seen.message})
        size_bytes = sizes.get(DATA)
        if size_bytes != manifest.size_bytes:  # the list may be older than the object
            size_bytes = self.location.size_of(manifest.object_key)
        if size_bytes != manifest.size_bytes:
            seen_bytes = "is gone" if size_bytes is None else f"has {size_bytes} of {manifest.size_bytes} bytes"
            problem = f"its data {manifest.object_key!r} {seen_bytes}"
            return common.model_copy(update={"manifest": manifest, "problem": problem})
        proof = self._newest_proof(backup_id, sizes)
        if proof is None:
            return common.model_copy(update={"manifest": manifest, "verdict": Verdict.NOT_VERIFIED})
        return common.model_copy(
            update={
                "manifest": manifest,
                "verdict": proof.verdict,
                "level": proof.level,
                "proven_at": proof.at,
                "problem": "" if proof.verdict is Verdict.VERIFIED else "; ".join(proof.findings),
            }
        )

    def _newest_proof(self, backup_id: str, names: Mapping[str, int]) -> Proof | None:
        for name in sorted((name for name in names if name.startswith(PROOF)), reverse=True):
            try:
                proof = Proof.model_validate_json(self.location.get_bytes(self.key(backup_id, name)))
            except (ValidationError, FileNotFoundError) as seen:
                log.warning("unreadable proof %s of %s in %s: %s", name, backup_id, self.location.name, seen)
                continue
            if proof.backup_id == backup_id:
                return proof
            log.warning("proof %s of %s in %s is about %s", name, backup_id, self.location.name, proof.backup_id)
        return None

    def _marked_at(self, backup_id: str) -> datetime | None:
        try:
            note = json.loads(self.location.get_bytes(self.key(backup_id, EXPIRED)))
            return datetime.fromisoformat(note["marked_at"])
        except (ValueError, KeyError, TypeError, FileNotFoundError):
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


def _part(name: str) -> str:
    """Return a name as one part of a key; one that is only dots would mean a folder."""
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")
