"""What a person sees of a restore: the preview with the numbers that matter, and the result."""

from collections.abc import Sequence

from pawpaw_ops.clients.postgres.swap import Names
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.plans.equality import TableLoss
from pawpaw_ops.plans.restore import RestorePlan
from pawpaw_ops.plans.standby import Outlook
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.artefact import Chosen
from pawpaw_ops.tasks.cutover import Swapped, loss_rows
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.prove import Proof

SHOWN = 12


def swap_of(planned: RestorePlan) -> Names:
    """Return the names of the swap that a plan leads to."""
    return Names(live=planned.live, incoming=planned.side, retired=planned.retired)


@operation("show preview")
def preview(
    do: Session,
    chosen: Chosen,
    planned: RestorePlan,
    proof: Proof,
    compared: tuple[Sequence[TableLoss], str],
    *,
    standby: Outlook | None = None,
    after: str = "",
) -> str:
    """Show what the swap would change and return it as the question to approve.

    Touches:
        An artifact in Prefect.
    """
    found, unknown = compared
    manifest = chosen.manifest
    age = f"{report.human_age(utc_now() - manifest.contents.taken_at)} old" if manifest else "a file"
    changed = [loss for loss in found if loss.same is not True]
    fewer = sum(loss.net_lost for loss in found)
    lines = [
        f"**Restore {planned.source}** ({age}, {proof.verdict}) over `{planned.live}`; plan {planned.digest}.",
        f"At least **{fewer:,} rows fewer** than live now, {len(changed)} of {len(found)} tables differ."
        if not unknown
        else f"**What would be lost is unknown**: {unknown}.",
    ]
    lines += [
        f"- `{row['table']}`: live {row['live rows']}, backup {row['backup rows']}, {row['contents']}"
        for row in loss_rows(changed[:SHOWN])
    ]
    lines += [f"- … and {len(changed) - SHOWN} more tables"] if len(changed) > SHOWN else []
    schema, live_schema = (version or "unknown" for version in planned.schema_versions)
    lines += [f"- schema: live {live_schema}, backup {schema}"] if any(planned.schema_versions) else []
    lines += [f"- kept as it is live: {name}" for name in planned.carried]
    lines += [f"- not verified: {what}" for what in planned.unknown]
    lines += [f"- {standby.line}"] if standby else []
    lines += [f"\n{after}"] if after else []
    lines.append(f"\nThe replaced database is kept as `{planned.retired}` for {do.stack.database.keep_old_days} days.")
    text = "\n".join(lines)
    report.table(f"restore-preview-{do.stack.name}", loss_rows(found), gist=text)
    return text


@operation("report restore")
def report_restore(do: Session, planned: RestorePlan, proof: Proof, swapped: Swapped) -> None:
    """Show what was restored.

    Touches:
        An artifact in Prefect.
    """
    rows: list[dict[str, object]] = [
        {"table": name, "rows": made.rows, "digest": made.digest} for name, made in proof.found.tables.items()
    ]
    gist = (
        f"`{planned.live}` is **{planned.source}** ({proof.verdict}): {len(rows)} tables, {proof.found.rows:,} rows."
        f" Away for {swapped.outage_ms:.0f} ms. Before: `{swapped.retired or '–'}`."
    )
    report.table(f"restore-{do.stack.name}", rows, gist=gist)
