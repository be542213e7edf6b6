"""Steps of a deploy before the switch: migrate, start beside, see that the new replicas work."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pawpaw_ops.clients import services
from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.clients.docker import log_tail
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.http import probe
from pawpaw_ops.commands import compose
from pawpaw_ops.commands.command import Query
from pawpaw_ops.errors import CommandError, OpsError, VerificationError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.release import Warm
from pawpaw_ops.plans.env_values import redact, secrets_of
from pawpaw_ops.plans.services import Service
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.session import Session, undo_services
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_checks import check_backup
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.operation import operation

POLL_S = 0.2
WAY_BACK_H = 24.0
TAIL = 15
TAIL_CHARACTERS = 800
OK = 200


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


@dataclass(frozen=True)
class Gate:
    """What new replicas must show before they get requests.

    Attributes:
        deadline_s: How long they may take to be ready, in seconds.
        stable_s: How long they must stay so, in seconds.
        checked: Whether the engine must have found them healthy too. A release that has served before need not wait
            for the engine's next look: it says itself that it is ready, and gives a whole page.
    """

    deadline_s: float
    stable_s: float
    checked: bool = True


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
        tail = "\n".join(said.read_text(errors="replace").splitlines()[-TAIL:]) if said.exists() else ""
        seen.message += f" Its last words: {redact(tail, _secrets(do))[-TAIL_CHARACTERS:]!r}"
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
    return tuple(
        one for one in containers_of(project) if one.id in again or (one.id not in before and one.service in changed)
    )


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


@operation("see that the new replicas work")
def gate(do: Session, wanted: Wanted, new: Sequence[Seen], limits: Gate) -> None:
    """Wait until every new container is healthy, says that it is ready, and stays so; all or nothing.

    Raises:
        VerificationError: One ended, was restarted, or was not ready in time: which, why, and its last words.

    Touches:
        Nothing; asks each for its readiness and for one whole page.
    """
    until, since, seen = time.monotonic() + limits.deadline_s, 0.0, ""
    while True:
        found = _those(do, new)
        for one in found:
            _check_alive(do, one)
        waits = (_not_ready(wanted.service(one.service), one, checked=limits.checked) for one in found)
        seen = next(filter(None, waits), "")
        now = time.monotonic()
        since = 0.0 if seen else since or now
        if since and now - since >= limits.stable_s:
            break
        if now > until:
            raise _failed(do, found, f"not every new replica is ready after {limits.deadline_s:g} s: {seen}")
        time.sleep(POLL_S)
    for one in found:
        service = wanted.service(one.service)
        status, said = probe(f"http://{one.address}:{service.port}{service.smoke}") if service.served else (OK, "")
        if status != OK:
            raise _failed(do, [one], f"{one.name} is ready and does not work: {said}")


def _those(do: Session, new: Sequence[Seen]) -> list[Seen]:
    """Look at the new containers again; one that is gone was ended by somebody else."""
    there = {one.id: one for one in containers_of(do.stack.its_project())}
    if gone := [one.name for one in new if one.id not in there]:
        raise VerificationError(f"somebody removed {', '.join(gone)}.")
    return [there[one.id] for one in new]


def _check_alive(do: Session, one: Seen) -> None:
    if one.status in {"exited", "dead"} or one.restarts:
        why = one.failed or (f"was restarted {one.restarts} times" if one.restarts else "ended")
        raise _failed(do, [one], f"{one.name} {why}")
    if one.health == "unhealthy":
        raise _failed(do, [one], f"{one.name} is unhealthy")


def _not_ready(service: Service, one: Seen, *, checked: bool) -> str:
    """Return what is still missing; empty when it may get traffic."""
    if one.status != "running" or ((checked or not service.served) and one.health not in {"", "healthy"}):
        return f"{one.name} is {one.health or one.status}"
    if not service.served:
        return "" if one.up else f"{one.name} has just been started"
    status, said = probe(f"http://{one.address}:{service.port}{service.ready}")
    return "" if status == OK else f"{one.name}: {said}"


def _failed(do: Session, those: Sequence[Seen], why: str) -> VerificationError:
    """Say why, with the last lines of those that it is about, and without the secrets that may stand in them."""
    project, secrets = do.stack.its_project(), _secrets(do)
    for one in those:
        try:
            tail = "\n".join(log_tail(project.engine, one.id, lines=TAIL))
        except OpsError as seen:
            tail = f"(no log: {seen})"
        report.logger().error("the last lines of %s:\n%s", one.name, redact(tail, secrets))
        why += f". Its last words: {redact(tail, secrets)[-TAIL_CHARACTERS:]!r}" if len(those) == 1 else ""
    return VerificationError(f"{why}.")


def _secrets(do: Session) -> tuple[str, ...]:
    return secrets_of(read_env(do.stack.its_project().env_file))
