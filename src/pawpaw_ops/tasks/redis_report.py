"""What a person sees of a Redis restore: the preview with the numbers that matter, and the result."""

from datetime import datetime

from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.redis import Keyspace
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.redis_restore import Live, RedisReady
from pawpaw_ops.tasks.redis_swap import Exchanged


@operation("show preview")
def preview(do: Session, live: Live, ready: RedisReady) -> str:
    """Show what a restore would change and return it as the question to approve.

    Touches:
        An artifact in Prefect.
    """
    age = f" ({report.human_age(utc_now() - ready.taken_at)} old)" if ready.taken_at else ""
    return _ask(do, live, ready, f"**Restore {ready.source}**{age} over the Redis `{live.server.name}`.")


@operation("show preview")
def preview_undo(do: Session, live: Live, ready: RedisReady, at: datetime) -> str:
    """Show what going back would change and return it as the question to approve.

    Touches:
        An artifact in Prefect.
    """
    age = report.human_age(utc_now() - at)
    return _ask(do, live, ready, f"**Undo the restore** of the Redis `{live.server.name}` {age} ago.")


def _ask(do: Session, live: Live, ready: RedisReady, head: str) -> str:
    rows = _rows(live.held, ready.keyspace)
    now = f"{live.held.total:,} keys" if live.held else "an unknown number of keys"
    lines = [head, f"It holds **{now}** now and would hold **{ready.keyspace.total:,}**."]
    lines += [f"- database {row['database']}: now {row['now']}, then {row['then']}" for row in rows]
    lines += [f"- not verified: {text}" for text in ready.unknown]
    lines.append(
        "\nRedis is away while it loads. What it holds now is kept beside for"
        f" {live.server.keep_old_days} days: `undo-restore-redis` brings it back."
    )
    text = "\n".join(lines)
    report.table(f"restore-redis-preview-{do.stack.name}", rows, gist=text)
    return text


def _rows(now: Keyspace | None, then: Keyspace) -> list[dict[str, object]]:
    found = now or Keyspace()
    rows: list[dict[str, object]] = []
    for db in sorted(set(found.databases) | set(then.databases)):
        held = found.databases[db].total if db in found.databases else 0
        rows.append({
            "database": db,
            "now": "unknown" if now is None else held,
            "then": then.databases[db].total if db in then.databases else 0,
        })  # fmt: skip
    return rows


@operation("report restore")
def report_restore(do: Session, live: Live, ready: RedisReady, exchanged: Exchanged) -> None:
    """Show what Redis holds now.

    Touches:
        An artifact in Prefect.
    """
    rows: list[dict[str, object]] = [
        {"database": db, "keys": count.total, "that expire": count.expires}
        for db, count in exchanged.found.databases.items()
    ]
    gist = (
        f"The Redis `{live.server.name}` is **{ready.source}** ({exchanged.verdict}): {exchanged.found.total:,} keys."
        f" Away for {exchanged.outage_ms:.0f} ms. Before: `{exchanged.retired or '–'}`."
    )
    for text in (*ready.unknown, *([exchanged.note] if exchanged.note else [])):
        gist += f"\n- not verified: {text}"
    report.table(f"restore-redis-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)
