"""What becomes of Redis when the database goes back in time: kept, flushed, or brought back as near as there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import SecretStr

from pawpaw_ops.clients.redis import look
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.clients.redis.folders import Exchange
from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.redis import Redis
from pawpaw_ops.plans.redis import ACL
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import redis_restore as step
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.artefact import Ready
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.redis_restore import Live, RedisReady
from pawpaw_ops.tasks.redis_swap import exchange

RedisPolicy = Literal["keep", "flush", "nearest"]
KEPT = "Redis is kept as it is: carts and sessions may name rows that the restored database does not have (redis=keep)."


@dataclass(frozen=True)
class Prepared:
    """What will be done with Redis after the swap; everything that can fail before it has been tried.

    Attributes:
        says: One paragraph for the preview and the report; empty where the stack has no Redis.
    """

    says: str
    flushed: Redis | None = None
    brought_back: tuple[Live, RedisReady, Exchange] | None = None


def prepare(do: Session, policy: RedisPolicy, ready: Ready, keys: Sequence[SecretStr], *, into: str = "") -> Prepared:
    """Prepare what *policy* asks for, without touching the live Redis; errors as in the steps of restore-redis.

    Args:
        do: The session.
        policy: `keep`, `flush`, or `nearest`: the newest Redis backup not newer than the database's.
        ready: The database's backup.
        keys: age secret keys.
        into: Where the database is restored beside the live one; Redis is then left alone.

    Raises:
        ConfigError: The stack has no Redis, or the file that is restored does not say when it was made.
        PreconditionError: Redis does not let us flush it, or does not say whether it would.
    """
    if policy == "keep" or into:
        return Prepared(KEPT if do.stack.redis else "")
    if policy == "flush":
        server, keys_now = count_to_flush(do)
        return Prepared(f"**Redis is flushed**: its {keys_now:,} keys go, and nothing brings them back.", server)
    taken_at = _taken_at(ready)
    live = step.look_before_restore(do)
    chosen = step.choose_backup(do, live, taken_at.isoformat())
    fetched = step.fetch_and_check(do, live, chosen, keys)
    step.prove(do, live, fetched)
    names = step.build_beside(do, live, fetched)
    earlier = report.human_age(taken_at - (fetched.taken_at or taken_at))
    now = f"{live.held.total:,}" if live.held else "an unknown number of"
    return Prepared(
        f"**Redis becomes {fetched.source}**, which is {earlier} older than the database's backup: {now} keys now,"
        f" {fetched.keyspace.total:,} then. `undo-restore-redis` brings back what it holds now.",
        brought_back=(live, fetched, names),
    )


def settle(do: Session, prepared: Prepared) -> None:
    """Do what was prepared, after the swap; a failure leaves Redis as it was and the database restored.

    Touches:
        Redis, as the policy says.
    """
    said = prepared.says
    if prepared.flushed is not None:
        flush(do, prepared.flushed)
    if prepared.brought_back is not None:
        live, ready, names = prepared.brought_back
        exchanged = exchange(do, live, ready, step.ask_again(do, live, names))
        said = f"Redis is {ready.source} ({exchanged.verdict}). Before: `{exchanged.retired or '–'}`. {exchanged.note}"
    if said:
        report.logger().info("%s", said)
        report.markdown(f"restore-{do.stack.name}-redis", said, gist=said)


def _taken_at(ready: Ready) -> datetime:
    if ready.contents is None:
        raise ConfigError(
            f"{ready.source} does not say when it was made, so no Redis backup is the nearest.",
            hint="Pass redis=keep or redis=flush, and run restore-redis with the backup that you want.",
        )
    return ready.contents.taken_at.astimezone(UTC)


@operation("count what would be flushed")
def count_to_flush(do: Session) -> tuple[Redis, int]:
    """Count the keys that a flush removes, and ask whether we may.

    Raises:
        ConfigError: The stack has no Redis.
        PreconditionError: We may not, or may not even ask: after the swap it would be too late to learn it.

    Touches:
        Nothing.
    """
    server = do.stack.its_redis()
    with connect(server) as conn:
        if not (allowed := conn.may("FLUSHALL")):
            seen = "may not FLUSHALL" if allowed is False else "does not say whether we may FLUSHALL"
            raise PreconditionError(f"{server.where} {seen}; nothing was changed.", hint=ACL)
        return server, look.keyspace(conn).total


@operation("flush Redis")
def flush(do: Session, server: Redis) -> None:
    """Remove all keys of all numbered databases.

    Touches:
        Redis, for good.
    """

    def remove() -> None:
        with connect(server) as conn:
            conn.ask("FLUSHALL")

    do.step("flush Redis", remove)
    do.commit("Redis is empty")
