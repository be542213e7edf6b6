"""The archive of write-ahead log that the stack's database keeps: looked at, and bounded by PostgreSQL's own tool."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from pawpaw_ops.clients.docker import environment
from pawpaw_ops.clients.postgres import wal
from pawpaw_ops.clients.postgres.connection import Postgres, PostgresError
from pawpaw_ops.commands.postgres import archive_cleanup
from pawpaw_ops.errors import OpsError, VerificationError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.database import ToolImage
from pawpaw_ops.plans.wal_archive import ArchivePlan, Reader, plan_archive
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.metrics import tell_prometheus
from pawpaw_ops.tasks.operation import operation

PROGRAM = "archive-wal"
"""The stack's own archive_command; what another one makes of a segment is not ours to know."""
FOLDER, VARIABLE = "/wal_archive", "WAL_ARCHIVE_DIR"


@dataclass(frozen=True)
class Archive:
    """Where it is, and what may go."""

    server: ToolImage
    folder: str
    plan: ArchivePlan


def look(do: Session, *, keep_wal_h: float) -> Archive | None:
    """Ask the server what is in its archive and who reads it, and plan; None where it keeps none of ours.

    What does not answer is unknown, so that nothing goes.
    """
    server, pg = do.stack.database.tools.image, Postgres(do.stack.database, do.run_id)
    if server is None:
        return None
    try:
        if wal.archive_command(pg) != PROGRAM:
            return None
        folder = environment(server.engine, server.container).get(VARIABLE, FOLDER)
        # Readers first: whoever begins to read after that begins with what is newer than what they need.
        reading = wal.readers(pg)
        if do.stack.replica is not None and len(reading) == 1:
            reading = (*reading, Reader(who="the standby", needs=None))
        plan = plan_archive(wal.archived(pg, folder), reading, keep=timedelta(hours=keep_wal_h), now=utc_now())
    except (OpsError, PostgresError) as seen:
        return Archive(server, FOLDER, ArchivePlan(unknown=f"the database does not say: {str(seen).strip()}"))
    return Archive(server, folder, plan)


@operation("bound the WAL archive")
def bound(do: Session, *, keep_wal_h: float) -> tuple[str, ...]:
    """Remove what no standby, slot or recovery needs and is older than that; all else stays.

    Returns:
        Why nothing may go, where that is so.

    Raises:
        VerificationError: Something went that had to stay.

    Touches:
        Segments in the database's archive; what Prometheus knows of it.
    """
    found = look(do, keep_wal_h=keep_wal_h)
    if found is None:
        return ()
    plan = found.plan
    numbers = {
        "pawpaw_wal_archive_size_bytes": float(plan.size_bytes - plan.frees_bytes),
        "pawpaw_wal_archive_unbounded": float(bool(plan.unknown)),
    }
    if plan.going:
        _cut(do, found)
    tell_prometheus(do.stack, "wal-archive", numbers)
    if plan.unknown:
        return (f"no WAL leaves the archive: {plan.unknown}",)
    report.logger().info(
        "WAL archive: %d segments went (%s); what is left, from %s on, is kept for %s",
        *(len(plan.going), report.human_bytes(plan.frees_bytes), plan.anchor, plan.held_by),
    )
    return ()


def _cut(do: Session, found: Archive) -> None:
    """Remove what may go, and look whether the rest is still there."""
    pg, plan = Postgres(do.stack.database, do.run_id), found.plan
    before = {one.name for one in wal.archived(pg, found.folder)}
    clean = archive_cleanup(found.server, folder=found.folder, oldest_kept=plan.anchor)
    do.step(f"cut the WAL archive before {plan.anchor}", partial(do.runner.run, clean))
    left = {one.name for one in wal.archived(pg, found.folder)}
    if lost := before - left - {one.name for one in plan.going}:
        raise VerificationError(f"{', '.join(sorted(lost))} left the WAL archive and had to stay.")
