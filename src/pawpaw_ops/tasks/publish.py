"""The second half of a backup: seal, store, prove the stored bytes, publish."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Generic

from pydantic import SecretStr
from pyrage import x25519

from pawpaw_ops import sealing
from pawpaw_ops.clients.locations import Location
from pawpaw_ops.clients.store import DATA, MANIFEST, Catalog
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.errors import (
    BackupCorrupt,
    ConfigError,
    StoreError,
    Unreachable,
)
from pawpaw_ops.models.backup import AnyContents, Contents, M, Manifest, Proof
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.plans import alarms
from pawpaw_ops.plans import backup as plan
from pawpaw_ops.session import Session, undo
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.artefact import of_kind
from pawpaw_ops.tasks.metrics import tell_prometheus
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.places import Dumped, Places
from pawpaw_ops.tasks.report import Progress, human_bytes, logger


@dataclass(frozen=True)
class Stored(Generic[M]):
    """A sealed artefact as it lies in the store, and the key that only this run has."""

    sealed: sealing.Sealed
    contents: AnyContents
    catalogs: tuple[Catalog[M], ...]
    pending: tuple[str, ...]
    run_key: SecretStr = field(repr=False)


@operation("seal backup")
def seal_backup(do: Session, dumped: Dumped) -> tuple[sealing.Sealed, SecretStr]:
    """Compress and encrypt the dump in one pass, for the store's recipients and for this run.

    The run's own key is made here and forgotten with the process; with it the stored bytes can be opened and proven
    without the secret key ever being on this host.

    Touches:
        The scratch folder.
    """
    run_key = x25519.Identity.generate()
    recipients = (*do.stack.store.recipients, str(run_key.to_public()))
    total = sum(entry.size_bytes for entry in dumped.contents.files.values())
    progress = Progress(f"seal-{dumped.contents.name}", f"sealing {human_bytes(total)}")
    target = do.scratch_folder() / DATA

    def seal() -> sealing.Sealed:
        return sealing.seal(
            dumped.folder,
            dumped.contents,
            to=target,
            recipients=recipients,
            on_bytes=lambda done: progress.show(done, total),
        )

    sealed = do.step("seal", seal, scratch=True)
    progress.finish()
    return sealed, SecretStr(str(run_key))


@operation("store sealed bytes")
def store_sealed(
    do: Session, places: Places[M], dumped: Dumped, sealed: sealing.Sealed, run_key: SecretStr
) -> Stored[M]:
    """Put the artefact into every location under a key of its own; nothing is visible yet.

    Raises:
        StoreError: No location took it; the first one's error.

    Touches:
        One object per location.
    """
    good: list[Catalog[M]] = []
    pending, errors = list(places.pending), []
    for target in places.catalogs:
        try:
            _store(do, target, dumped.contents.backup_id, sealed)
            good.append(target)
        except (StoreError, Unreachable, ConfigError) as seen:
            logger().warning("%s: %s", target.location.name, seen)
            pending.append(str(seen))
            errors.append(seen)
    if not good:
        raise errors[0]
    return Stored(sealed, dumped.contents, tuple(good), tuple(pending), run_key)


def _store(do: Session, target: Catalog[M], backup_id: str, sealed: sealing.Sealed) -> None:
    key = target.key(backup_id, DATA)
    do.step(
        f"store in {target.location.name}",
        lambda: target.location.put_file(key, sealed.path, sha256=sealed.sha256),
        undo=undo.remove_unpublished(target, backup_id),
    )


@operation("prove stored bytes")
def prove_stored_bytes(do: Session, stored: Stored) -> None:
    """Read back what is stored, open it, decode the whole dump, and count the rows of every table in it.

    Raises:
        BackupCorrupt: What is stored is not what was sealed, or the dump is not whole.

    Touches:
        The scratch folder.
    """
    opened = of_kind(read_back(do, stored), Contents)
    do.runner.run(command.decode(do.stack.database.tools, source=opened.folder / sealing.DUMP))
    contents = opened.contents
    plan.check_dump(contents.table_files, opened.rows, contents.fingerprint.tables, prefix=sealing.DUMP)


def read_back(do: Session, stored: Stored[M]) -> sealing.Opened[AnyContents]:
    """Open the stored bytes of the first location, and hold those of every location against what was sealed.

    Raises:
        BackupCorrupt: What is stored is not what was sealed.

    Touches:
        The scratch folder.
    """
    first, *others = stored.catalogs
    key = first.key(stored.contents.backup_id, DATA)
    with first.location.open(key) as stream:
        opened = sealing.unseal(stream, identities=[stored.run_key], to=do.scratch_folder() / "opened")
    _same(first.location, key, (opened.size_bytes, opened.sha256), stored.sealed)
    for other in others:
        _same(other.location, key, _hash(other.location, key), stored.sealed)
    return opened


def _hash(location: Location, key: str) -> tuple[int, str]:
    with location.open(key) as stream:
        return sealing.hash_stream(stream)


def _same(location: Location, key: str, read: tuple[int, str], sealed: sealing.Sealed) -> None:
    if read != (sealed.size_bytes, sealed.sha256):
        raise BackupCorrupt(
            f"{location.name} stored {key!r} as {read[0]} bytes with SHA-256 {read[1][:16]}…;"
            f" sealed were {sealed.size_bytes} bytes with {sealed.sha256[:16]}….",
            hint="The store changes what it is given; do not rely on it.",
        )


@operation("publish backup")
def publish_backup(do: Session, stored: Stored, previous: Manifest | None) -> Manifest:
    """Store the proof, then the manifest: from here on the backup exists.

    Touches:
        Two small objects per location.
    """
    contents = stored.contents
    assert isinstance(contents, Contents)
    odd = alarms.alarms(
        contents,
        previous=previous.contents if previous else None,
        freshness_h=do.stack.database.freshness_h if do.stack.database.freshness_query else None,
    )
    return publish_manifest(do, stored, odd)


def publish_manifest(do: Session, stored: Stored[M], odd: tuple[str, ...]) -> M:
    """Store the proof and the manifest, with what is odd about the backup though its proof held.

    Touches:
        Two small objects per location; the backup's age and size as Prometheus sees them.
    """
    contents = stored.contents
    manifest = stored.catalogs[0].kind(
        contents=contents,
        object_key=stored.catalogs[0].key(contents.backup_id, DATA),
        size_bytes=stored.sealed.size_bytes,
        sha256=stored.sealed.sha256,
        recipients=do.stack.store.recipients,
        run_id=do.run_id,
        alarms=odd,
        durations_s=do.durations_s,
    )
    for target in stored.catalogs:
        add_proof(target, manifest.backup_id, Verdict.VERIFIED, level=1, run_id=do.run_id)
        do.step(f"publish in {target.location.name}", partial(target.publish, manifest))
    do.commit(f"backup {manifest.backup_id}")
    name = stored.catalogs[0].name
    of = f'{{database="{name}"}}'
    numbers = {
        f"pawpaw_backup_last_verified_timestamp_seconds{of}": contents.taken_at.timestamp(),
        f"pawpaw_backup_size_bytes{of}": float(manifest.size_bytes),
    }
    tell_prometheus(do.stack, f"backup-{report.key(name)}", numbers)
    return manifest


def add_proof(
    target: Catalog[Any], backup_id: str, verdict: Verdict, *, level: int, run_id: str, findings: tuple[str, ...] = ()
) -> None:
    """Store the result of a look at a backup."""
    target.add_proof(
        Proof(backup_id=backup_id, at=utc_now(), verdict=verdict, level=level, run_id=run_id, findings=findings)
    )


def newest_verified(catalogs: tuple[Catalog[M], ...], *, before: datetime | None = None) -> M | None:
    """Return the newest manifest whose backup is verified, in any location; with *before*, of those taken by then."""
    found = [
        entry.manifest
        for target in catalogs
        for entry in target.entries()
        if entry.verdict is Verdict.VERIFIED and entry.manifest is not None
        if before is None or entry.manifest.contents.taken_at < before
    ]
    return max(found, key=lambda manifest: manifest.contents.taken_at, default=None)


@operation("report backup")
def report_backup(do: Session, manifest: Manifest, stored: Stored[Manifest], pending: tuple[str, ...]) -> None:
    """Show what was backed up, table by table, and where its manifest is.

    Touches:
        Artifacts in Prefect.
    """
    contents, prints = manifest.contents, manifest.contents.fingerprint
    files = {name: file.size_bytes for name, file in contents.files.items()}
    sizes = plan.table_bytes(contents.table_files, files, prefix=sealing.DUMP)
    rows = [
        {"table": name, "rows": made.rows, "size": human_bytes(sizes[name]), "digest": made.digest}
        for name, made in prints.tables.items()
    ]
    gist = (
        f"**{manifest.backup_id}**: {len(prints.tables)} tables, {prints.rows:,} rows,"
        f" {human_bytes(sum(sizes.values()))}; {human_bytes(manifest.size_bytes)} sealed, verified."
    )
    for text in (*manifest.alarms, *stored.pending, *pending):
        gist += f"\n- ⚠ {text}"
    name = f"backup-{do.stack.name}-{do.stack.database.name}"
    report.table(name, rows, gist=gist)
    show_manifests(name, stored)


def show_manifests(name: str, stored: Stored[Any]) -> None:
    """Show where the manifest of a backup is, in each location that has it.

    Touches:
        Artifacts in Prefect.
    """
    backup_id = stored.contents.backup_id
    for target in stored.catalogs:
        address, kind = target.location.link(target.key(backup_id, MANIFEST)), target.location.name.partition(" ")[0]
        report.link(f"{name}-manifest-{kind}", address, gist=f"manifest of {backup_id}: `{address}`")
