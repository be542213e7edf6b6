"""What is looked at before a deploy changes anything."""

import psutil

from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.inventory import engine_disk
from pawpaw_ops.clients.postgres.connection import Postgres, PostgresError
from pawpaw_ops.clients.postgres.room import room
from pawpaw_ops.errors import OpsError, PreconditionError, Unreachable
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.plans import preflight
from pawpaw_ops.plans.preflight import Finding
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.operation import operation

DISK = "disk"
SESSIONS_EACH = "10"
"""Sessions that one replica may open where DB_POOL_MAX in the `.env` says nothing else."""


@operation("check before deploy")
def check(do: Session, wanted: Wanted) -> None:
    """Look at all that would make a deploy fail half-way; what cannot be looked at is said and is no failure.

    Raises:
        PreconditionError: Something does not hold; all of it is named.

    Touches:
        An artifact in Prefect.
    """
    findings = [
        preflight.health_checks(wanted.services, {name: image.checked for name, image in wanted.images.items()}),
        preflight.readiness(wanted.services),
        preflight.architecture({name: image.architecture for name, image in wanted.images.items()}),
        preflight.memory(wanted.services, wanted.plan.rolls, psutil.virtual_memory().available),
        _disk(do),
        *_database(do, wanted),
    ]
    rows = [{"what": one.name, "verdict": str(one.verdict), "seen": one.says} for one in findings]
    wrong = [one for one in findings if one.verdict is Verdict.FAILED]
    report.table(f"deploy-checks-{do.stack.name}", rows, gist=f"{len(wrong)} of {len(findings)} do not hold")
    for one in findings:
        if one.verdict is Verdict.NOT_VERIFIED:
            report.logger().warning("%s: not verified: %s", one.name, one.says)
    if wrong:
        full = any(one.name == DISK for one in wrong)
        raise PreconditionError(
            f"a deploy may not begin: {'; '.join(f'{one.name}: {one.says}' for one in wrong)}.",
            hint="`prune` shows what fills the disk and what may go." if full else "",
        )


def _disk(do: Session) -> Finding:
    """Look at the engine's disk, which this host sees where the engine is this host's."""
    try:
        return preflight.disk(engine_disk(do.stack.its_project().engine))
    except Unreachable as seen:
        return preflight.unknown(DISK, seen.message)


def _database(do: Session, wanted: Wanted) -> tuple[Finding, ...]:
    project = do.stack.its_project()
    each = int(read_env(project.env_file).get("DB_POOL_MAX", SESSIONS_EACH))
    more = sum(roll.add for roll in wanted.plan.rolls if roll.service in project.database_clients) * each
    try:
        return preflight.database(room(Postgres(do.stack.database, do.run_id)), more_sessions=more)
    except (OpsError, PostgresError) as seen:
        return (preflight.unknown("database", str(seen)),)
