"""What only undoing a restore needs: its preview, its refusal, its report."""

from collections.abc import Sequence

from pawpaw_ops.clients.postgres import catalog, side
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.postgres.swap import Names
from pawpaw_ops.errors import NotApproved
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.database import Fingerprint, Marker
from pawpaw_ops.plans import restore as plan
from pawpaw_ops.plans.equality import TableLoss
from pawpaw_ops.plans.standby import Outlook
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.cutover import Swapped, loss_rows
from pawpaw_ops.tasks.operation import operation

SHOWN = 12


@operation("show preview")
def preview_undo(
    do: Session,
    old: str,
    marker: Marker,
    changed: Sequence[TableLoss],
    unknown: str,
    *,
    standby: Outlook | None = None,
) -> str:
    """Show what going back would lose and return it as the question to approve.

    Touches:
        An artifact in Prefect.
    """
    age = report.human_age(utc_now() - marker.at)
    lines = [f"**Undo the restore**: `{old}`, replaced {age} ago, becomes `{marker.of}` again."]
    if unknown:
        lines.append(f"**Writes since are unknown**: {unknown}.")
    elif changed:
        lines.append(f"**Writes since the restore would be set aside** in {len(changed)} tables:")
    else:
        lines.append("Nothing was written since the restore.")
    lines += [f"- `{loss.table}`: {_count(loss)}" for loss in changed[:SHOWN]]
    lines += [f"- {standby.line}"] if standby else []
    text = "\n".join(lines)
    report.table(f"undo-preview-{do.stack.name}", loss_rows(changed), gist=text)
    return text


def _count(loss: TableLoss) -> str:
    return f"{_or_gone(loss.live_rows)} rows now, {_or_gone(loss.backup_rows)} when it was restored"


def _or_gone(rows: int | None) -> str:
    return "no" if rows is None else str(rows)


def refuse_to_lose(changed: Sequence[TableLoss], unknown: str, *, approve: bool, accept_lost_writes: bool) -> None:
    """Refuse an unattended undo that would lose writes nobody agreed to lose.

    Raises:
        NotApproved: Lists the tables, or says why they are unknown.
    """
    if accept_lost_writes or not approve or not (changed or unknown):
        return
    seen = unknown or "; ".join(f"{loss.table}: {_count(loss)}" for loss in changed)
    raise NotApproved(
        f"going back would lose writes made since the restore: {seen}.",
        hint="Pass accept_lost_writes=true, or leave approve=false and answer in the UI.",
    )


@operation("ask the world again")
def check_again(do: Session, old: str, old_oid: int) -> Names:
    """Check that the replaced database is still the one that was approved, and name the swap.

    Raises:
        NotApproved: It is another one, or gone.
        Blocked: Something holds on to the live database now.

    Touches:
        Nothing.
    """
    pg = Postgres(do.stack.database, do.run_id)
    with pg.admin() as conn:
        row = catalog.database_row(conn, old)
        marker = Marker.from_comment(row.comment) if row else None
        if row is None or row.oid != old_oid or marker is None or marker.role != "old":
            raise NotApproved(f"{old!r} is no longer the database that was approved.", hint="Start the undo again.")
        plan.check_blockers(catalog.blockers(conn, pg.database.name), pg.database.name)
    retired = side.derived_name(pg.database.name, f"old_{utc_now():%Y%m%dT%H%M%SZ}_{do.run_id[:4]}")
    return Names(live=pg.database.name, incoming=old, retired=retired)


@operation("report undo")
def report_undo(do: Session, names: Names, found: Fingerprint, swapped: Swapped) -> None:
    """Show what is live again.

    Touches:
        An artifact in Prefect.
    """
    rows: list[dict[str, object]] = [
        {"table": name, "rows": made.rows, "digest": made.digest} for name, made in found.tables.items()
    ]
    gist = (
        f"`{names.live}` is what it was before the restore: {len(rows)} tables, {found.rows:,} rows."
        f" Away for {swapped.outage_ms:.0f} ms. The restored one is kept as `{swapped.retired or '–'}`."
    )
    report.table(f"undo-restore-{do.stack.name}", rows, gist=gist)
