"""The catalogue as people read it."""

from typing import Any

from pawpaw_ops.clients.locations import Location
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.errors import OpsError
from pawpaw_ops.models.backup import CatalogEntry
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.redis import RedisManifest
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation


@operation("list catalogue")
def list_catalog(stack: StackSettings) -> list[CatalogEntry[Any]]:
    """Show every backup of every location, newest first; a location that does not answer is shown as such.

    Touches:
        An artifact in Prefect.
    """
    found: list[tuple[str, CatalogEntry[Any]]] = []
    silent = []
    for location in locations(stack.store):
        try:
            for target in catalogs_of(stack, location):
                found += [(target.name, entry) for entry in target.entries()]
        except OpsError as seen:
            silent.append(f"{location.name} does not answer: {seen.message}")
    found.sort(key=lambda pair: pair[1].taken_at, reverse=True)
    names = [stack.database.name, *([stack.redis.name] if stack.redis else [])]
    gist = f"{len(found)} backups of {' and '.join(names)}" + "".join(f"\n- ⚠ {text}" for text in silent)
    rows = [_row(name, entry) for name, entry in found]
    report.table(f"backups-{stack.name}", rows, gist=gist)
    for row in rows:
        report.logger().info("%s", "  ".join(str(value) for value in row.values() if value))
    for text in silent:
        report.logger().error("%s", text)
    return [entry for _, entry in found]


def catalogs_of(stack: StackSettings, location: Location) -> tuple[Catalog[Any], ...]:
    """Return the catalogs of everything that a stack backs up."""
    redis = (Catalog(location, stack.name, stack.redis.name, RedisManifest),) if stack.redis else ()
    return (Catalog(location, stack.name, stack.database.name), *redis)


def _row(name: str, entry: CatalogEntry[Any]) -> dict[str, object]:
    manifest = entry.manifest
    return {
        "of": name,
        "backup": entry.backup_id,
        "age": report.human_age(utc_now() - entry.taken_at),
        "size": report.human_bytes(manifest.size_bytes) if manifest else "unknown",
        "holds": f"{manifest.contents.count} {manifest.contents.unit}" if manifest else "unknown",
        "state": f"{entry.verdict} (L{entry.level})" if entry.proven_at else str(entry.verdict),
        "where": entry.location,
        "pinned": "pinned" if entry.pinned else "",
        "problem": entry.problem,
    }
