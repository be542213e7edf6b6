"""What follows a backup: copies missing elsewhere, backups that expire, replaced databases nobody needs any more."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from pawpaw_ops import sealing
from pawpaw_ops.clients.postgres import catalog, side
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.store import Catalog
from pawpaw_ops.errors import BackupCorrupt, OpsError, StoreError
from pawpaw_ops.models.backup import AnyManifest, CatalogEntry, Manifest
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.database import Marker
from pawpaw_ops.plans import retention
from pawpaw_ops.plans.retention import Action, Decision
from pawpaw_ops.session import Session
from pawpaw_ops.session.in_use import being_read
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.publish import add_proof

COPIES_A_RUN = 3


@operation("copy what is pending")
def copy_pending(do: Session, catalogs: tuple[Catalog[Any], ...]) -> tuple[str, ...]:
    """Copy verified backups that a location missed, the newest three of each; return what still failed.

    Touches:
        Objects in the locations that lack them.
    """
    failed = []
    entries = {target.location.name: target.entries() for target in catalogs}
    for target in catalogs:
        have = {entry.backup_id for entry in entries[target.location.name]}
        for source in catalogs:
            missing = [
                e for e in entries[source.location.name] if e.verdict is Verdict.VERIFIED and e.backup_id not in have
            ]
            for entry in sorted(missing, key=lambda entry: entry.taken_at)[-COPIES_A_RUN:]:
                try:
                    _copy(do, entry, source, target)
                    have.add(entry.backup_id)
                except OpsError as seen:
                    failed.append(f"{entry.backup_id} is not in {target.location.name} yet: {seen}")
    return tuple(failed)


def _copy(do: Session, entry: CatalogEntry[Any], source: Catalog[Any], target: Catalog[Any]) -> None:
    assert entry.manifest is not None
    key, copy = entry.manifest.object_key, do.scratch_folder() / f"copy-{entry.backup_id}"

    def fetch() -> None:
        with source.location.open(key) as stream, copy.open("wb") as out:
            while chunk := stream.read(sealing.CHUNK):
                out.write(chunk)

    do.step(f"fetch {entry.backup_id}", fetch, scratch=True)
    do.step(
        f"copy {entry.backup_id} to {target.location.name}",
        lambda: target.location.put_file(key, copy, sha256=entry.manifest.sha256),  # type: ignore[union-attr]
    )
    check_stored(entry.manifest, target)
    add_proof(target, entry.backup_id, Verdict.VERIFIED, level=1, run_id=do.run_id)
    target.publish(entry.manifest)
    copy.unlink()


def check_stored(manifest: AnyManifest, target: Catalog[Any]) -> None:
    """Read a stored backup's bytes and hold them against its manifest.

    Raises:
        BackupCorrupt: They differ.
    """
    with target.location.open(manifest.object_key) as stream:
        size_bytes, digest = sealing.hash_stream(stream)
    if (size_bytes, digest) != (manifest.size_bytes, manifest.sha256):
        raise BackupCorrupt(
            f"backup {manifest.backup_id} in {target.location.name} has {size_bytes} bytes with SHA-256 {digest[:16]}…;"
            f" its manifest says {manifest.size_bytes} bytes and {manifest.sha256[:16]}….",
            hint="Use another backup; `list-backups` shows them.",
        )


@operation("expire backups")
def expire_backups(do: Session, catalogs: tuple[Catalog[Any], ...]) -> tuple[str, ...]:
    """Mark what is older than the window, remove what was marked long enough, and never the newest verified ones.

    Returns:
        Why nothing expires now, for each location where that is so: backups fail, the newest looks odd, the clock lies.

    Touches:
        Marks and removes the backups of these catalogs in each location; shows why each one stays or goes.
    """
    entries = {target.location.name: target.entries() for target in catalogs}
    rows: list[dict[str, object]] = []
    frozen: list[str] = []
    for target in catalogs:
        others = {name: found for name, found in entries.items() if name != target.location.name}
        decided = decide(do, target, others)
        for decision in (*decided.steps, *retention.leftovers(target.unpublished(), now=utc_now())):
            _carry_out(do, target, decision)
        if decided.frozen:
            report.logger().error("nothing expires in %s: %s", target.location.name, decided.frozen)
            frozen.append(f"nothing expires in {target.location.name}: {decided.frozen}")
        rows += [
            {"location": target.location.name, "backup": d.backup_id, "decision": str(d.action), "why": d.reason}
            for d in decided.decisions
        ]
    report.table(
        f"retention-{_title(do, catalogs)}", rows, gist="\n- ⚠ ".join((f"{len(rows)} backups looked at", *frozen))
    )
    return tuple(frozen)


def _title(do: Session, catalogs: tuple[Catalog[Any], ...]) -> str:
    of = catalogs[0]
    return f"{do.stack.name}-{of.kind.holds.below}{of.name}" if of.kind.holds.below else do.stack.name


def decide(
    do: Session, target: Catalog[Any], others: Mapping[str, list[CatalogEntry[Any]]], *, emergency: bool = False
) -> retention.RetentionPlan:
    """Plan, re-read the backups that would be relied upon, and plan again with what they turned out to be."""

    def plan(rehashed: frozenset[str]) -> retention.RetentionPlan:
        return retention.plan(
            target.entries(),
            others=others,
            settings=do.stack.store,
            now=utc_now(),
            in_use=being_read(do.stack.state_dir),
            rehashed=rehashed,
            emergency=emergency,
        )

    decided, good = plan(frozenset()), frozenset[str]()
    while decided.recheck and not set(decided.recheck) <= good:
        for backup_id in set(decided.recheck) - good:
            if reread(do, target, backup_id):
                good |= {backup_id}
        decided = plan(good)
    return decided


def reread(do: Session, target: Catalog[Any], backup_id: str) -> bool:
    """Whether a stored backup's bytes are what its manifest says; one that is not is marked so."""
    try:
        check_stored(target.manifest(backup_id), target)
    except (BackupCorrupt, StoreError) as seen:
        report.logger().error("%s", seen)
        add_proof(target, backup_id, Verdict.FAILED, level=0, run_id=do.run_id, findings=(seen.message,))
        return False
    return True


def _carry_out(do: Session, target: Catalog[Any], decision: Decision) -> None:
    name = f"{decision.action} {decision.backup_id} in {target.location.name}"
    if decision.action is Action.MARK:
        do.step(name, lambda: target.mark_expired(decision.backup_id, utc_now()))
    elif decision.action is Action.UNMARK:
        do.step(name, lambda: target.unmark(decision.backup_id))
    elif decision.action is Action.REMOVE:
        do.step(name, lambda: target.remove(decision.backup_id))


@operation("drop replaced databases")
def drop_replaced_databases(do: Session, newest: Manifest | None) -> list[str]:
    """Drop the databases that a restore replaced, once their time is over and a newer verified backup exists.

    Touches:
        Drops databases that carry our marker `old`, and no other.
    """
    pg = Postgres(do.stack.database, do.run_id)
    with pg.admin() as conn:
        gone = [
            name
            for name, marker in catalog.marked_databases(conn, of=pg.database.name).items()
            if _over(marker, newest)
        ]
        for name in gone:
            do.step(f"drop {name}", partial(side.force_drop, conn, name))
    return gone


def _over(marker: Marker, newest: Manifest | None) -> bool:
    if marker.role != "old" or marker.keep_until is None or newest is None:
        return False
    return marker.keep_until < utc_now() and newest.contents.taken_at > marker.at
