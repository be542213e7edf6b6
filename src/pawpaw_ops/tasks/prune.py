"""Steps of a prune that remove, and the proof that the ways back are still there."""

from collections.abc import Collection, Mapping
from functools import partial

from pawpaw_ops.clients import inventory
from pawpaw_ops.clients.images import find_image
from pawpaw_ops.commands import images as command
from pawpaw_ops.errors import CommandError, VerificationError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.inventory import Inventory
from pawpaw_ops.plans.prune import Going, Limits, kept_releases
from pawpaw_ops.session import Session, undo
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.prune_look import Looked


class Removed(Noun):
    """What went, and what stayed after all with the reason."""

    gone: tuple[str, ...] = ()
    stayed: Mapping[str, str] = {}


def decide(do: Session, seen: Looked) -> None:
    """Say that the plan is carried out from here on, and not taken back.

    An image that is gone can be built again, and the next run goes on where this one died.
    """
    plan = seen.plan
    do.commit(f"plan {plan.id}: {len(plan.images)} images and {len(plan.one_offs)} containers go")


@operation("remove what may go")
def remove(do: Session, seen: Looked) -> Removed:
    """Remove what was shown and nothing else, each looked at once more right before.

    None of it can be undone or must be, so a verb that has more to do than this commits nothing by it.

    Raises:
        Unreachable: The engine no longer answers.

    Touches:
        Images and ended containers of the plan. Never by force, and never a volume.
    """
    project, plan = do.stack.its_project(), seen.plan
    stayed: dict[str, str] = {}
    for one in plan.one_offs:
        step = partial(do.runner.run, command.remove_container(project.engine, one.id))
        do.step(f"remove container {one.name}", step, scratch=True)
    for going in plan.images:
        if why := _why_not(going, inventory.look(project.engine, project.name, {})):
            stayed[going.id] = why
            continue
        names = going.names or (going.id,)
        step = partial(do.runner.run, command.untag(project.engine, *names))
        do.step(f"remove image {going.id[7:19]}", step, scratch=True)
        if find_image(project.engine, going.id) is not None:
            stayed[going.id] = "el motor no la soltó"
    for image_id, why in stayed.items():
        report.logger().warning("%s stays: %s", image_id[7:19], why)
    return Removed(gone=tuple(one.id for one in plan.images if one.id not in stayed), stayed=stayed)


def _why_not(going: Going, now: Inventory) -> str:
    """Return why an image is no longer what was shown; one that is gone already is no matter to anybody."""
    found = next((image for image in now.images if image.id == going.id), None)
    if found is None:
        return "ya no estaba"
    if going.id in now.used:
        return f"la usa ahora el contenedor {now.used[going.id]}"
    if found.names != going.names:
        return "tiene ahora otros nombres"
    return "otra imagen se apoya ahora en ella" if any(one.parent == going.id for one in now.images) else ""


@operation("rehearse the way back")
def rehearse(do: Session, seen: Looked, limits: Limits, *, lacking: Collection[str] = ()) -> tuple[str, ...]:
    """Let the engine make a container of every image that a rollback may need, and remove it again.

    Args:
        do: The session.
        seen: What was found.
        limits: How much is kept.
        lacking: References of images that were gone before anything was removed; their releases are left out.

    Returns:
        The releases that can be gone back to.

    Raises:
        VerificationError: One cannot.

    Touches:
        A container each, without a network, which is never started and goes at once.
    """
    project = do.stack.its_project()
    ready, broken = [], []
    back = undo.end_containers_of(project.engine, do.run_id)
    for release in kept_releases(seen.records.ledger, limits.releases):
        if not {*release.images.values()}.isdisjoint(lacking):
            continue
        try:
            for image in sorted({*release.images.values()}):
                make = command.create(project.engine, image, run_id=do.run_id)
                do.step(f"rehearse {image[:19]}", partial(do.runner.run, make), undo=back, scratch=True)
                do.clear(f"rehearse {image[:19]}")
            ready.append(release.id)
        except CommandError as seen_error:
            broken.append(f"{release.id}: {seen_error.stderr_tail}")
    if broken:
        raise VerificationError(
            f"a release to go back to cannot be started: {'; '.join(broken)}.",
            hint="Build its version again before you need it.",
        )
    return tuple(ready)


def lacking(do: Session, seen: Looked, limits: Limits) -> frozenset[str]:
    """Return the references of images of kept releases that the engine has not; a registry may have them."""
    engine = do.stack.its_project().engine
    refs = {ref for one in kept_releases(seen.records.ledger, limits.releases) for ref in one.images.values()}
    return frozenset(ref for ref in refs if find_image(engine, ref) is None)


def freed_bytes(do: Session, seen: Looked) -> int:
    """Return how many bytes are free that were not when it was looked; others use the disk too, so it may be less."""
    return inventory.engine_disk(do.stack.its_project().engine).bytes_free - seen.disk.bytes_free


@operation("report prune")
def report_removed(do: Session, seen: Looked, removed: Removed, ready: tuple[str, ...], records: int = 0) -> str:
    """Show what went, what came free, and what one can go back to.

    Returns:
        The gist.

    Touches:
        An artifact in Prefect.
    """
    freed = freed_bytes(do, seen)
    rows = [
        {"qué": "imágenes quitadas", "valor": str(len(removed.gone))},
        {"qué": "se quedaron", "valor": "; ".join(f"{one[7:19]}: {why}" for one, why in removed.stayed.items()) or "–"},
        {"qué": "contenedores quitados", "valor": str(len(seen.plan.one_offs))},
        {"qué": "diarios y corridas viejas", "valor": str(records)},
        {"qué": "disco", "valor": f"{report.human_bytes(freed)} libres más que antes"},
        {"qué": "se puede volver a", "valor": ", ".join(ready)},
    ]
    gist = f"{len(removed.gone)} imágenes menos; se puede volver a {', '.join(ready)}"
    report.table(f"prune-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)
    return gist
