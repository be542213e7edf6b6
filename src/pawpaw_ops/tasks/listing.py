"""The catalogue as people read it."""

from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.errors import OpsError
from pawpaw_ops.models.backup import CatalogEntry
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation


@operation("list catalogue")
def list_catalog(stack: StackSettings) -> list[CatalogEntry]:
    """Show every backup of every location, newest first; a location that does not answer is shown as such.

    Touches:
        An artifact in Prefect.
    """
    found: list[CatalogEntry] = []
    silent = []
    for location in locations(stack.store):
        try:
            found += Catalog(location, stack.name, stack.database.name).entries()
        except OpsError as seen:
            silent.append(f"{location.name} does not answer: {seen.message}")
    found.sort(key=lambda entry: entry.taken_at, reverse=True)
    gist = f"{len(found)} backups of {stack.database.name}" + "".join(f"\n- ⚠ {text}" for text in silent)
    rows = [_row(entry) for entry in found]
    report.table(f"backups-{stack.name}", rows, gist=gist)
    for row in rows:
        report.logger().info("%s", "  ".join(str(value) for value in row.values() if value))
    for text in silent:
        report.logger().error("%s", text)
    return found


def _row(entry: CatalogEntry) -> dict[str, object]:
    manifest = entry.manifest
    return {
        "backup": entry.backup_id,
        "age": report.human_age(utc_now() - entry.taken_at),
        "size": report.human_bytes(manifest.size_bytes) if manifest else "unknown",
        "rows": manifest.contents.fingerprint.rows if manifest else "unknown",
        "state": f"{entry.verdict} (L{entry.level})" if entry.proven_at else str(entry.verdict),
        "where": entry.location,
        "pinned": "pinned" if entry.pinned else "",
        "problem": entry.problem,
    }
