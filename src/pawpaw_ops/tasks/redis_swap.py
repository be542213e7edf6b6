"""The steps that change what a Redis holds: stop, exchange two names, start, compare; and finding the way back."""

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pawpaw_ops.clients.redis import folders, look, power
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.errors import BackupMissing, NotApproved, VerificationError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.redis import Keyspace, Layout
from pawpaw_ops.plans import redis as plan
from pawpaw_ops.session import Session, undo_redis
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.redis_restore import Live, RedisReady, exchange_of
from pawpaw_ops.tasks.redis_server import Lying, check_files, check_room_to_load, load, now_ms


@dataclass(frozen=True)
class Exchanged:
    """An exchange that happened: how long the server was away, where the replaced data is, whether it is proven."""

    outage_ms: float
    retired: str
    found: Keyspace
    verdict: Verdict
    note: str = ""


@operation("exchange data")
def exchange(do: Session, live: Live, ready: RedisReady, names: folders.Exchange) -> Exchanged:
    """Stop the server, exchange two names, start it, wait until all is loaded, and compare.

    Raises:
        PreconditionError: It did not stop, or did not come up; what was live is live again.
        VerificationError: It does not hold what it should; what was live is live again.

    Touches:
        Ends the server once; what was live is kept under another name.
    """
    server, began = live.server, time.monotonic()
    do.step(
        "stop Redis",
        lambda: power.stop(server, do.runner),
        undo=undo_redis.start_again() if live.facts else None,
    )
    names = names.model_copy(update={"live_id": folders.number(names.folder / names.live)})

    def swap() -> None:
        folders.exchange(names)
        power.start(server, do.runner)

    do.step("exchange data", swap, undo=undo_redis.take_back(names))
    outage_ms = round((time.monotonic() - began) * 1000, 1)
    found, verdict, note = _compare(live, ready)
    do.commit(f"{server.name} is {ready.source}")
    return Exchanged(outage_ms, names.retired if names.live_id is not None else "", found, verdict, note)


def _compare(live: Live, ready: RedisReady) -> tuple[Keyspace, Verdict, str]:
    """Hold the live server against the record. Its clients are back: some keys may have changed by now.

    Raises:
        VerificationError: More differs than clients could have changed.
    """
    names = [(seen.db, seen.key) for seen in ready.samples.drawn]
    found = look.look_up(live.server, names)
    with connect(live.server) as conn:
        keyspace = look.keyspace(conn)
    differed = plan.changed(ready.samples.drawn, found, now_ms=now_ms())
    counts = plan.differences(ready.keyspace, keyspace)
    if not differed and not counts:
        return keyspace, Verdict.VERIFIED, ""
    wrong = "; ".join((*counts, *([f"{differed} of {len(names)} sampled keys have another value"] if differed else [])))
    if plan.too_different(ready.keyspace, keyspace, compared=len(names), differed=differed):
        raise VerificationError(f"after the exchange {live.server.where} is not {ready.source}: {wrong}.")
    return keyspace, Verdict.NOT_VERIFIED, f"clients have changed keys already, or so it looks: {wrong}"


@operation("find replaced data")
def find_replaced(do: Session, live: Live) -> tuple[Path, datetime, Layout]:
    """Find the data that the last restore replaced.

    Returns:
        Where it is, when it was replaced, and how it is laid out.

    Raises:
        BackupMissing: There is none.

    Touches:
        Nothing.
    """
    del do
    entry = live.facts.layout.entry if live.facts else None
    kept = folders.retired(live.folder, entry)
    if not kept:
        raise BackupMissing(
            f"no data that a restore of {live.server.where} replaced is kept in {live.folder}.",
            hint="Restore a backup instead: restore-redis.",
        )
    name = max(kept, key=kept.__getitem__)
    return live.folder / name, kept[name], live.facts.layout if live.facts else folders.layout_of(live.folder / name)


@operation("look at replaced data")
def look_at_replaced(do: Session, live: Live, replaced: Path, layout: Layout) -> RedisReady:
    """Check the data that was replaced, start a server of our own on a copy of it, and write down what it holds.

    Raises:
        BackupCorrupt: It is not whole.

    Touches:
        The scratch folder; a server and a folder of its own.
    """
    to = do.scratch_folder() / "replaced"
    do.step("copy replaced data", lambda: folders.copy(replaced, to), scratch=True)
    lying = Lying(to, "aof" if layout.append_only else "rdb", layout.manifest)
    check_files(do, live.server, lying)
    size = folders.size_bytes(lying.folder)
    check_room_to_load(live.facts.used_bytes if live.facts else size, size)
    databases = live.facts.databases if live.facts else plan.DATABASES
    held = load(do, live.server, lying, databases=databases, layout=layout, asked=[])
    return RedisReady(f"what {replaced.name} holds", lying, layout, held.keyspace, held.samples, size)


@operation("ask the world again")
def check_again(do: Session, live: Live, replaced: Path, layout: Layout) -> folders.Exchange:
    """Check that the replaced data is still there, and name the exchange.

    Raises:
        NotApproved: It is gone.

    Touches:
        Nothing.
    """
    if folders.number(replaced) is None:
        raise NotApproved(f"{replaced} is gone since it was approved.", hint="Start the undo again.")
    return exchange_of(do, live, layout, replaced)
