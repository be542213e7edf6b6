"""What is looked at before a deploy changes anything."""

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import timedelta

import psutil

from pawpaw_ops.clients import certificates
from pawpaw_ops.clients.docker import clock_apart_s
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.postgres.connection import Postgres, PostgresError
from pawpaw_ops.clients.postgres.room import room
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.errors import OpsError, PreconditionError
from pawpaw_ops.models.backup import Manifest
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans import preflight
from pawpaw_ops.plans.certificates import wanted as wanted_certificate
from pawpaw_ops.plans.preflight import Finding
from pawpaw_ops.plans.services import Service
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.make_room import SHOWS, Room, look_at_disk, make_room
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.publish import newest_verified

SESSIONS_EACH = "10"
"""Sessions that one replica may open where DB_POOL_MAX in the `.env` says nothing else."""


@operation("check before deploy")
def check(do: Session, wanted: Wanted, *, certificate: bool = True) -> None:
    """Look at all that would make a deploy fail half-way; what cannot be looked at is said and is no failure.

    Args:
        do: The session.
        wanted: What differs.
        certificate: Whether one that has ended holds it up: no way back, and no change of a secret, may wait for that.

    Raises:
        PreconditionError: Something does not hold; all of it is named.

    Touches:
        An artifact in Prefect. Where a full disk is all that is wrong, images that nobody needs.
    """
    with ThreadPoolExecutor() as beside:
        disk = beside.submit(look_at_disk, do)
        others = _others(do, wanted, beside, certificate=certificate)
        room = Room(finding=disk.result(), hint=SHOWS)
    if not any(one.verdict is Verdict.FAILED for one in others):
        room = make_room(do, {*wanted.aim.images.values(), *(image.id for image in wanted.images.values())})
    findings = [*others, room.finding]
    rows = [{"what": one.name, "verdict": str(one.verdict), "seen": one.says} for one in findings]
    wrong = [one for one in findings if one.verdict is Verdict.FAILED]
    report.table(f"deploy-checks-{do.stack.name}", rows, gist=f"{len(wrong)} of {len(findings)} do not hold")
    for one in findings:
        if one.verdict is Verdict.NOT_VERIFIED:
            report.logger().warning("%s: not verified: %s", one.name, one.says)
    if wrong:
        raise PreconditionError(
            f"a deploy may not begin: {'; '.join(f'{one.name}: {one.says}' for one in wrong)}.",
            hint=room.hint if room.finding in wrong else "",
        )


def check_backup(do: Session, *, within: timedelta) -> None:
    """See that the database could be brought back to before a migration that removes something.

    Raises:
        PreconditionError: No backup is verified and as young as that.

    Touches:
        Nothing.
    """
    places = locations(do.stack.store)
    newest = newest_verified(tuple(Catalog[Manifest](one, do.stack.name, do.stack.database.name) for one in places))
    seen = preflight.backup(newest.contents.taken_at if newest else None, utc_now(), within)
    if seen.verdict is not Verdict.VERIFIED:
        raise PreconditionError(
            f"a migration removes what older releases need, and there is no way back: backup: {seen.says}.",
            hint="Run backup-db first, or pass backup_within_h if you know better.",
        )


def _gateway(do: Session, wanted: Wanted) -> Service | None:
    name = do.stack.its_project().gateway
    return next((one for one in wanted.services if one.name == name), None)


def _clock(project: Project) -> Finding:
    try:
        return preflight.clock(clock_apart_s(project.engine))
    except OpsError as seen:
        return preflight.unknown("clock", seen.message)


def _certificate(project: Project) -> Finding:
    try:
        names = wanted_certificate(read_env(project.env_file)).names
        return preflight.certificate(certificates.served(project, names), utc_now())
    except OpsError as seen:
        return preflight.unknown("certificate", seen.message)


def _others(do: Session, wanted: Wanted, beside: Executor, *, certificate: bool) -> tuple[Finding, ...]:
    """Look at all but the disk; engine, gateway and database are asked side by side."""
    project = do.stack.its_project()
    clock, database = beside.submit(_clock, project), beside.submit(_database, do, wanted)
    shown = beside.submit(_certificate, project) if certificate else None
    return (
        preflight.health_checks(wanted.services, {name: image.checked for name, image in wanted.images.items()}),
        preflight.readiness(wanted.services),
        preflight.architecture({name: image.architecture for name, image in wanted.images.items()}),
        preflight.memory(wanted.services, wanted.plan.rolls, psutil.virtual_memory().available),
        preflight.configuration(_gateway(do, wanted), os.path.isfile),
        clock.result(),
        *((shown.result(),) if shown else ()),
        *database.result(),
    )


def _database(do: Session, wanted: Wanted) -> tuple[Finding, ...]:
    project = do.stack.its_project()
    each = int(read_env(project.env_file).get("DB_POOL_MAX", SESSIONS_EACH))
    more = sum(roll.add for roll in wanted.plan.rolls if roll.service in project.database_clients) * each
    try:
        return preflight.database(room(Postgres(do.stack.database, do.run_id)), more_sessions=more)
    except (OpsError, PostgresError) as seen:
        return (preflight.unknown("database", str(seen)),)
