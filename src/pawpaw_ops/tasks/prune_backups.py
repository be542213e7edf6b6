"""Backups that leave a full disk because another location has them; each copy is read right before."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from pawpaw_ops.clients.inventory import disk_of
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.backup import CatalogEntry
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.plans import growth
from pawpaw_ops.plans.retention import Action
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.listing import catalogs_of
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.retention import decide, reread


@dataclass(frozen=True)
class Spare:
    """A backup in the store's folder, why it stays if it does, and where else it is verified."""

    here: Catalog[Any]
    entry: CatalogEntry[Any]
    stays: str
    elsewhere: tuple[Catalog[Any], ...]

    @property
    def size_bytes(self) -> int:
        """What it takes here."""
        return self.entry.manifest.size_bytes if self.entry.manifest else 0


@dataclass(frozen=True)
class Freed:
    """What went, what stayed after all, and how full the disk is now, as a share of 1."""

    gone: tuple[Spare, ...]
    stayed: tuple[Spare, ...]
    share: float


@operation("look for backups that are elsewhere too")
def look(do: Session) -> tuple[Spare, ...]:
    """Decide for every backup in the store's folder, oldest first.

    Raises:
        PreconditionError: The store has no folder, or nothing but a folder.
        Unreachable: A location does not answer: what it has cannot be known.
        OpsError: As a location says.

    Touches:
        Nothing; the newest backups here are read again, and one that is bad is marked so.
    """
    if do.stack.store.folder is None:
        raise PreconditionError(
            "the store has no folder here that could fill a disk.", hint="`prune` shows what does fill it."
        )
    folder, *rest = locations(do.stack.store)
    if not rest:
        raise PreconditionError(
            "the backups are in this folder and nowhere else: none may go.",
            hint="Set a bucket in the BackupStore block; backup-db copies them there.",
        )
    found = list(_spares(do, catalogs_of(do.stack, folder), [catalogs_of(do.stack, one) for one in rest]))
    return tuple(sorted(found, key=lambda spare: spare.entry.taken_at))


def _spares(do: Session, here: tuple[Catalog[Any], ...], there: list[tuple[Catalog[Any], ...]]) -> Iterator[Spare]:
    for nth, target in enumerate(here):
        others = [catalogs[nth] for catalogs in there]
        entries = {other.location.name: other.entries() for other in others}
        verified = {
            name: {one.backup_id for one in found if one.verdict is Verdict.VERIFIED} for name, found in entries.items()
        }
        decided = {one.backup_id: one for one in decide(do, target, entries, emergency=True).decisions}
        for entry in target.entries():
            said = decided[entry.backup_id]
            has = tuple(other for other in others if entry.backup_id in verified[other.location.name])
            yield Spare(target, entry, "" if said.action is Action.REMOVE else said.reason, has)


@operation("show backups that may go")
def show(do: Session, spares: tuple[Spare, ...]) -> str:
    """Show what may go, what stays and why.

    Returns:
        The gist.

    Touches:
        An artifact in Prefect.
    """
    going = [one for one in spares if not one.stays]
    size = report.human_bytes(sum(one.size_bytes for one in going))
    gist = f"{len(going)} de {len(spares)} respaldos de aquí se pueden quitar: {size}"
    rows: list[dict[str, Any]] = [
        {
            "de": one.here.name,
            "respaldo": one.entry.backup_id,
            "tamaño": report.human_bytes(one.size_bytes),
            "también en": ", ".join(other.location.name for other in one.elsewhere) or "–",
            "destino": f"se queda: {one.stays}" if one.stays else "se puede quitar",
        }
        for one in spares
    ]
    report.table(f"prune-backups-plan-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)
    return gist


@operation("remove backups that are elsewhere too")
def remove(do: Session, spares: tuple[Spare, ...], *, until_percent: float) -> Freed:
    """Remove what may go, oldest first, until there is room; a copy that cannot be read keeps the one here.

    Args:
        do: The session.
        spares: What was found.
        until_percent: How full the folder's disk may be, in percent.

    Touches:
        The store's folder. Copies that turn out bad are marked so.
    """
    assert do.stack.store.folder is not None
    disk = partial(disk_of, do.stack.store.folder.path)
    going = [one for one in spares if not one.stays]
    do.commit(f"up to {len(going)} backups go")
    gone, stayed = [], []
    for one in going:
        if growth.used(disk()) * 100 < until_percent:
            report.logger().info("the disk is less than %g%% full: the others stay", until_percent)
            break
        if any(reread(do, other, one.entry.backup_id) for other in one.elsewhere):
            do.step(f"remove {one.entry.backup_id}", partial(one.here.remove, one.entry.backup_id), scratch=True)
            gone.append(one)
        else:
            report.logger().error("%s stays: no copy of it elsewhere is good", one.entry.backup_id)
            stayed.append(one)
    return Freed(tuple(gone), tuple(stayed), growth.used(disk()))


@operation("report backups that went")
def report_removed(do: Session, freed: Freed) -> str:
    """Show what went and how full the disk is.

    Returns:
        The gist.

    Touches:
        An artifact in Prefect.
    """
    size = report.human_bytes(sum(one.size_bytes for one in freed.gone))
    gist = f"{len(freed.gone)} respaldos menos aquí, {size}; el disco está al {freed.share:.0%}"
    rows: list[dict[str, Any]] = [
        {"respaldo": one.entry.backup_id, "queda en": ", ".join(other.location.name for other in one.elsewhere)}
        for one in freed.gone
    ]
    rows += [{"respaldo": one.entry.backup_id, "queda en": "aquí: su copia no está bien"} for one in freed.stayed]
    report.table(f"prune-backups-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)
    return gist
