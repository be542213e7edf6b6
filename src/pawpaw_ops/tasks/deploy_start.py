"""Steps of a deploy before the gate: migrate, start beside."""

import json
from dataclasses import replace
from datetime import timedelta

from pawpaw_ops.clients import services
from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.commands import compose
from pawpaw_ops.commands.command import Query
from pawpaw_ops.errors import CommandError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.release import Warm
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.session import Session, undo_services
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_checks import check_backup
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.last_words import last_lines
from pawpaw_ops.tasks.operation import operation

WAY_BACK_H = 24.0


class Schema(Noun):
    """What the new image's migrations say of the database.

    Attributes:
        version: The schema's.
        contract: Whether a migration that older releases cannot work with is among those that were to be applied.
        pending: Their names.
    """

    version: int
    contract: bool
    pending: tuple[str, ...]


def ask_schema(do: Session, wanted: Wanted) -> Schema:
    """Ask the new image what it would migrate; it changes nothing.

    Raises:
        CommandError: It cannot tell; its own words are in it.
    """
    command = compose.run_once(
        do.stack.its_project(), "migrate", "node", "dist/migrate.js", "--check", settings=wanted.settings
    )
    return do.runner.ask(Query(command=command, parse=_schema))


def _schema(out: str) -> Schema:
    found = json.loads(out.splitlines()[-1])
    pending = tuple(f"{one['version']} {one['name']}" for one in found["pending"])
    return Schema(version=found["schemaVersion"], contract=found["kind"] == "contract", pending=pending)


@operation("migrate")
def migrate(do: Session, wanted: Wanted, *, backup_within_h: float = WAY_BACK_H) -> Schema:
    """Bring the schema to the new release, once, by its own image; the old release goes on serving with it.

    Args:
        do: The session.
        wanted: What differs.
        backup_within_h: How old the newest verified backup may be, in hours, where a migration removes something.

    Returns:
        The schema as it is now; its `pending` are the migrations that were applied.

    Raises:
        PreconditionError: A migration removes something, and there is no such backup.
        CommandError: A migration failed, or waited for a lock longer than it may; its words are in it.

    Touches:
        The database's schema. Migrations are not taken back: an older release works with an expanded schema.
    """
    before = ask_schema(do, wanted)
    if not before.pending:
        return before
    if before.contract:
        check_backup(do, within=timedelta(hours=backup_within_h))
    report.logger().info("applying %s", ", ".join(before.pending))
    said = do.scratch_folder() / "migrate.log"
    command = replace(compose.run_once(do.stack.its_project(), "migrate", settings=wanted.settings), stdout=said)
    try:
        do.step("migrate", lambda: do.runner.run(command), scratch=True)
    except CommandError as seen:
        tail = said.read_text(errors="replace") if said.exists() else ""
        seen.message += f" Its last words: {last_lines(do, tail)!r}"
        raise
    return before.model_copy(update={"version": ask_schema(do, wanted).version})


@operation("start beside")
def start_beside(do: Session, wanted: Wanted) -> tuple[Seen, ...]:
    """Start what shall serve beside what serves; the gateway does not know it yet.

    Returns:
        The new containers, and the warm ones that shall serve again.

    Raises:
        CommandError: Docker could not start them.

    Touches:
        New containers; those that do not run, and warm ones of other releases, are removed. Services that may stop are
        stopped and made anew.
    """
    project, plan, settings = do.stack.its_project(), wanted.plan, wanted.settings
    end_cold(do, wanted)
    before = {one.id for one in wanted.found}
    if dead := [one for roll in plan.rolls for one in roll.dead]:
        do.step("remove what does not run", lambda: services.remove_ids(project, dead, do.runner), scratch=True)
    if plan.recreate:
        do.step(
            f"stop and start {', '.join(plan.recreate)}",
            lambda: services.recreate(project, plan.recreate, settings, do.runner),
            undo=undo_services.recreate_services(plan.recreate),
        )
    if plan.start:
        do.step(
            f"start {', '.join(plan.start)}",
            lambda: do.runner.run(compose.start_services(project, plan.start, env=settings)),
            undo=undo_services.remove_replicas(dict.fromkeys(plan.start, ())),
        )
    counts = {roll.service: len(roll.keep) + len(roll.retire) + roll.add for roll in plan.rolls if roll.add}
    if counts:
        keep = {name: tuple(one.id for one in wanted.found if one.service == name) for name in counts}
        do.step(
            f"start new replicas of {', '.join(counts)}",
            lambda: do.runner.run(compose.add_replicas(project, counts, env=settings)),
            undo=undo_services.remove_replicas(keep),
        )
    changed = {*plan.start, *counts}
    again = {one for roll in plan.rolls for one in roll.keep} & {*(wanted.warm.ids if wanted.warm else ())}
    found = containers_of(project) if changed else wanted.found
    return tuple(one for one in found if one.id in again or (one.id not in before and one.service in changed))


def end_cold(do: Session, wanted: Wanted) -> None:
    """End the warm replicas that this deploy has no use for, so that there are never three releases in memory."""
    warm, cold = wanted.warm, wanted.plan.cold
    if warm and cold:
        end_warm(do, warm.model_copy(update={"ids": cold}))


def end_warm(do: Session, replicas: Warm) -> None:
    """End warm replicas, which have no requests; whoever comes after a death here ends them too."""
    name = "end the warm replicas"
    do.step(name, lambda: None, undo=undo_services.end_warm(replicas), scratch=True)
    do.clear(name)
