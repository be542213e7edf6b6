"""Copy the append-only files of a Redis that is written to and rewritten all the time: ours, and as one would by hand.

`python -m benchmarks.redis_aof` makes fifty copies of each kind, in turns, and starts a Redis on every one.
"""

import shutil
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks import report
from benchmarks.results import Record, Results
from pawpaw_ops.clients.redis import aof, folders, look
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.commands import redis as command
from pawpaw_ops.commands.command import Command
from pawpaw_ops.disposable import new_root
from pawpaw_ops.disposable_redis import loaded
from pawpaw_ops.errors import BackupCorrupt, CommandError
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.models.redis import Layout, Redis
from pawpaw_ops.runner import LocalRunner
from tests.integration.support_redis import Load, RealRedis
from tests.waiting import wait_until

BEGIN, END = (f"<!-- written by the Redis benchmark: {what} -->" for what in ("begin", "end"))
ROUNDS, KEYS = 50, 400_000
LAYOUT, TOOLS = Layout(append_only=True), ClientTools()
KINDS = {"ours": "hard links while rewrites are off, then a copy", "naive": "`tar -czf` of `appendonlydir` as it is"}


def main() -> None:
    """Run it."""
    given, results = report.rounds(__file__, __doc__, most=ROUNDS)
    if given:
        root = Path(tempfile.mkdtemp(prefix="pawpaw-bench-"))
        server = RealRedis(root / "redis", auto_aof_rewrite_percentage="1")
        try:
            server.start()
            _measure(server, root, results, given)
        finally:
            server.stop()
            shutil.rmtree(root)
    report.publish(results, table(results), begin=BEGIN, end=END)


def _measure(server: RealRedis, root: Path, results: Results, rounds: int) -> None:
    server.fill(KEYS)
    version = str(server.info("server")["redis_version"])
    with Load(server, rewrites=False) as load:
        wait_until(lambda: _rewrites(server) > 0 and min(load.written) > 0, "the load is under way")
        began, rewrites, written = time.monotonic(), _rewrites(server), sum(load.written)
        for number in range(rounds):
            for kind in KINDS:
                results.take(kind, version, number, partial(_copy, kind, server, root / "copy"))
        took = time.monotonic() - began
        writes = sum(load.written) - written
        done = {"writes_per_s": writes / took, "rewrites_per_s": (_rewrites(server) - rewrites) / took}
    results.take("load", version, 0, lambda: done)


def _rewrites(server: RealRedis) -> int:
    return int(server.info("persistence")["aof_rewrites"])


def _copy(kind: str, server: RealRedis, to: Path) -> Record:
    """Make one copy and see whether it is one."""
    shutil.rmtree(to, ignore_errors=True)
    live = server.settings().model_copy(update={"data_folder": server.data})
    began = time.monotonic()
    off_ms = _ours(live, to) if kind == "ours" else _naive(server.data / LAYOUT.folder, to)
    copy_s = time.monotonic() - began
    keys, why = _looked_at(to)
    size_mb = sum(path.stat().st_size for path in to.iterdir()) / 1e6
    return {"valid": keys > 0, "keys": keys, "why": why, "off_ms": off_ms, "copy_s": copy_s, "size_mb": size_mb}


def _ours(live: Redis, to: Path) -> float:
    """As `backup-redis exact=true` does, without its journal; return for how long rewrites were off, in ms."""
    assert live.data_folder is not None
    aof.wait_idle(live, deadline_s=600)
    percentage, run_id = aof.rewrite_percentage(live)
    began = time.monotonic()
    aof.set_rewrite_percentage(live, 0)
    try:
        linked = aof.link(live, LAYOUT, to=folders.beside(live.data_folder, "bench"), deadline_s=600)
    finally:
        aof.heal_rewrites(live, percentage=percentage, redis_run_id=run_id)
    off_ms = (time.monotonic() - began) * 1000
    aof.copy(linked, to)
    folders.remove(linked.folder)
    return off_ms


def _naive(source: Path, to: Path) -> float:
    """As one backs up a volume by hand; tar's word of complaint about files that change or go is passed over."""
    packed, runner = to.with_suffix(".tar.gz"), LocalRunner()
    to.mkdir()
    runner.run(Command(argv=("tar", "-czf", str(packed), "-C", str(source), "."), ok_codes=(0, 1, 2)))
    runner.run(Command(argv=("tar", "-xzf", str(packed), "-C", str(to))))
    return 0.0


def _looked_at(copy: Path) -> tuple[int, str]:
    """Check a copy, start a Redis on it, and return its keys, or why there is none."""
    try:
        LocalRunner().run(command.check_aof(TOOLS, manifest=copy / LAYOUT.manifest))
    except CommandError:
        return 0, "redis-check-aof refuses it"
    try:
        with loaded(new_root("redis"), copy, "aof", LAYOUT, tools=TOOLS, databases=16) as own, connect(own) as conn:
            return look.keyspace(conn).total, ""
    except BackupCorrupt:
        return 0, "Redis does not start on it"


def table(results: Results) -> str:
    """Return the table, made from the records and from nothing else."""
    version = next(r["size"] for r in results.records if r["what"] == "load")
    (load,) = results.rows("load", version)
    lines = [
        f"Redis {version}; {load['writes_per_s']:,.0f} writes and {load['rewrites_per_s']:.1f} rewrites per second"
        " meanwhile. Valid is what `redis-check-aof` accepts and a Redis starts on.",
        "",
        "| | valid | size | time | rewrites off, median (range) | what was wrong |",
        "|---|---|---|---|---|---|",
    ]
    for kind, said in KINDS.items():
        rows = results.rows(kind, version)
        reasons = sorted({str(row["why"]) for row in rows if row["why"]})
        wrong = "; ".join(f"{sum(row['why'] == why for row in rows)} × {why}" for why in reasons)
        off = results.values(kind, version, "off_ms")
        window = f"{statistics.median(off):.0f} ms ({min(off):.0f}–{max(off):.0f})" if kind == "ours" else "–"
        size = statistics.median(results.values(kind, version, "size_mb"))
        copy_s = statistics.median(results.values(kind, version, "copy_s"))
        good = sum(bool(row["valid"]) for row in rows)
        lines.append(
            f"| {said} | **{good} of {len(rows)}** | {size:.0f} MB | {copy_s:.2f} s | {window} | {wrong or 'nothing'} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
