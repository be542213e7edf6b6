"""Steps of a prune that only look: what there is, what may go, what fills the disk."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from pawpaw_ops.clients import inventory, releases, sightings
from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.clients.files import folder_bytes
from pawpaw_ops.clients.images import find_image
from pawpaw_ops.clients.inventory import Usage
from pawpaw_ops.clients.postgres.connection import Postgres, PostgresError
from pawpaw_ops.clients.postgres.wal import kept_wal
from pawpaw_ops.clients.services import read_services
from pawpaw_ops.errors import NotApproved, OpsError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.inventory import Inventory
from pawpaw_ops.plans import growth
from pawpaw_ops.plans.growth import Held
from pawpaw_ops.plans.images import wanted_images
from pawpaw_ops.plans.preflight import Disk
from pawpaw_ops.plans.prune import Limits, PrunePlan, Records, lost_otherwise, plan_prune, repository, see
from pawpaw_ops.plans.wal_archive import KEEP_H
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report, wal_archive
from pawpaw_ops.tasks.operation import operation

ARCHIVE = "archivo de WAL"
PREVIEW = "Nothing was removed. `approve=true` removes exactly this; `plan={id}` as well refuses anything else."


@dataclass(frozen=True)
class Looked:
    """What was found, and what is to be done about it."""

    plan: PrunePlan
    records: Records
    disk: Disk
    held: tuple[Held, ...]
    lost_otherwise: tuple[str, ...]


@operation("look at what the engine holds")
def look(do: Session, limits: Limits, *, needed: Collection[str] = ()) -> Looked:
    """Take stock of the engine, the records and the disk, and plan.

    Args:
        do: The session.
        limits: How much is kept.
        needed: References of images that stay whatever else holds: of a deploy that is under way.

    Raises:
        PreconditionError: The disk, the engine or the records do not say what must be known: nothing may go.
        ConfigError: A record cannot be read.
        Unreachable: The engine does not answer.

    Touches:
        `images-seen.json` in the stack's folder.
    """
    project, now = do.stack.its_project(), utc_now()
    disk = inventory.engine_disk(project.engine)
    growth.used(disk)
    usage = inventory.usage(project.engine, project.name)
    records = read_records(do).model_copy(update={"needed": frozenset(needed)})
    found = inventory.look(project.engine, project.name, usage.own)
    seen = see(found, sightings.read(do.stack.state_dir), records, now)
    plan = plan_prune(found, seen, records, limits, now)
    sightings.write(do.stack.state_dir, seen)
    return Looked(plan, records, disk, held(do, found, plan, usage), lost_otherwise(found, records, limits))


def read_records(do: Session) -> Records:
    """Read what the stack has on record; errors as in `look`."""
    project, state_dir = do.stack.its_project(), do.stack.state_dir
    services = read_services(project, do.runner)
    ledger, builds = releases.releases(state_dir), releases.builds(state_dir)
    named = {one.name for one in wanted_images(services, only=(), project=project.name)}
    named |= {repository(one.image) for one in services if one.builds and not one.image.startswith("sha256:")}
    # A name that does not begin with the project's may be another stack's too.
    named = {name for name in named if name.startswith(project.name)}
    named |= {repository(one.tag) for build in builds for one in build.images}
    wanted = {one.image for one in services}
    wanted |= {facts.id for name in wanted if (facts := find_image(project.engine, name))}
    return Records(ledger=ledger, builds=builds, repositories=frozenset(named), wanted=frozenset(wanted))


def held(do: Session, found: Inventory, plan: PrunePlan, usage: Usage) -> tuple[Held, ...]:
    """Say what takes how much, and what to do when it is this that grows."""
    ours = {one.id for one in plan.images} | {*plan.kept}
    mine = sum(one.size_bytes if one.own_bytes is None else one.own_bytes for one in found.images if one.id in ours)
    said = [
        Held(what="imágenes del stack", size_bytes=mine, says=f"{len(plan.images)} de {len(ours)} se pueden quitar"),
        Held(what="imágenes de otros", size_bytes=max(0, usage.layers - mine), says="prune no las toca"),
        Held(
            what="caché de construcción",
            size_bytes=usage.cache,
            says="es de todo el motor",
            remedy="`docker builder prune --filter until=168h --keep-storage 5GB`.",
        ),
        _container_logs(do),
        _wal(do),
        *_wal_archive(do),
        *(_volume(name, size) for name, size in sorted(usage.volumes.items())),
        _folder("estado (diarios, pruebas)", do.stack.state_dir, "keep_days more briefly."),
    ]
    if do.stack.store.folder is not None:
        remedy = "backup-db expires backups; keep_days in its block says when. On a full disk: `prune-backups`."
        said.append(_folder("respaldos", do.stack.store.folder.path, remedy))
    return tuple(said)


def _container_logs(do: Session) -> Held:
    """Add up the engine's log files; only those may see them who may read the engine's folder."""
    files = [Path(one.log_file) for one in containers_of(do.stack.its_project()) if one.log_file]
    remedy = "Set logging.options.max-size in the Compose file and recreate the service."
    return _measured("registros de contenedores", lambda: sum(_with_older(path) for path in files), remedy)


def _with_older(path: Path) -> int:
    return sum(one.stat().st_size for one in path.parent.iterdir() if one.name.startswith(path.name))


def _wal(do: Session) -> Held:
    what, remedy = "WAL de PostgreSQL", "A slot that nobody reads keeps it: find its reader, or drop the slot."
    try:
        kept = kept_wal(Postgres(do.stack.database, do.run_id))
    except (OpsError, PostgresError) as seen:
        return Held(what=what, size_bytes=None, says=f"no se sabe: {seen}", remedy=remedy)
    says = f"sin lector: {kept.idle_slots}" if kept.idle_slots else "ninguna ranura sin lector"
    return Held(what=what, size_bytes=kept.size_bytes, says=says, remedy=remedy)


def _wal_archive(do: Session) -> tuple[Held, ...]:
    """Say what the stack's own database has archived, and what the next backup would take of it."""
    found = wal_archive.look(do, keep_wal_h=KEEP_H)
    if found is None:
        return ()
    plan, remedy = (
        found.plan,
        "backup-db shortens it daily, but for what a slot or a standby still needs: mend that one.",
    )
    if plan.unknown:
        return (
            Held(
                what=ARCHIVE, size_bytes=plan.size_bytes or None, says=f"nada se quita: {plan.unknown}", remedy=remedy
            ),
        )
    going = f"{len(plan.going)} segmentos ({report.human_bytes(plan.frees_bytes)}) se van con el próximo backup-db"
    return (
        Held(what=ARCHIVE, size_bytes=plan.size_bytes, says=f"{going}; el resto, por {plan.held_by}", remedy=remedy),
    )


def _volume(name: str, size_bytes: int) -> Held:
    return Held(
        what=f"volumen {name}",
        size_bytes=size_bytes,
        says="prune nunca toca un volumen",
        remedy=f"Shorten what {name} keeps; never remove its volume.",
    )


def _folder(what: str, path: Path, remedy: str) -> Held:
    return _measured(what, lambda: folder_bytes(path) if path.is_dir() else 0, remedy)


def _measured(what: str, measure: Callable[[], int], remedy: str) -> Held:
    try:
        return Held(what=what, size_bytes=measure(), remedy=remedy)
    except OSError as seen:
        return Held(what=what, size_bytes=None, says=f"no se sabe: {seen.strerror}", remedy=remedy)


@operation("show what may go")
def show(do: Session, seen: Looked) -> None:
    """Show exactly what would go, why the rest of ours stays, and what fills the disk.

    Touches:
        Two artifacts in Prefect.
    """
    plan, share = seen.plan, growth.used(seen.disk)
    rows = [
        {
            "qué": one.id[7:19],
            "nombres": ", ".join(one.names),
            "tamaño": _size(one.own_bytes),
            "destino": f"se quita: {one.why}",
        }
        for one in plan.images
    ]
    rows += [
        {"qué": one.name, "nombres": "", "tamaño": "", "destino": "contenedor que terminó: se quita"}
        for one in plan.one_offs
    ]
    rows += [
        {"qué": one[7:19], "nombres": "", "tamaño": "", "destino": f"se queda: {why}"} for one, why in plan.kept.items()
    ]
    if seen.lost_otherwise:
        lost = f"habría quitado la vuelta a {', '.join(seen.lost_otherwise)}"
        rows.append({"qué": "docker system prune -a", "nombres": "", "tamaño": "", "destino": lost})
    gist = f"plan {plan.id}: {len(plan.images)} imágenes, {report.human_bytes(plan.frees_bytes)}; disco al {share:.0%}"
    report.table(f"prune-plan-{do.stack.name}", rows, gist=gist)
    by_size = sorted(seen.held, key=lambda one: -(one.size_bytes or 0))
    uses = [
        {"qué": one.what, "ocupa": _size(one.size_bytes), "detalle": one.says, "si crece": one.remedy}
        for one in by_size
    ]
    report.table(f"disk-{do.stack.name}", uses, gist=f"disco al {share:.0%}: {growth.stage(share)}")
    report.logger().info("%s", gist)
    if share >= growth.FULL:
        report.logger().error("the disk is %.0f%% full", share * 100)


def check_wanted(seen: Looked, *, plan: str, above_percent: float) -> bool:
    """Whether to go on and remove what was shown.

    Raises:
        NotApproved: Another plan was approved than there is now.
        PreconditionError: It would not help against what fills the disk.
    """
    share = growth.used(seen.disk)
    if plan and plan != seen.plan.id:
        raise NotApproved(f"approved was the plan {plan}, and now it is {seen.plan.id}.", hint="Look at the new one.")
    if share * 100 < above_percent:
        report.logger().info("the disk is %.0f%% full, less than %g%%: nothing is removed", share * 100, above_percent)
        return False
    growth.check_helps(seen.disk, seen.plan.frees_bytes, seen.held)
    return True


def _size(size_bytes: int | None) -> str:
    return "no se sabe" if size_bytes is None else report.human_bytes(size_bytes)
