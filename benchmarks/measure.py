"""Each measurement once: a flow in a fresh process, its rivals, the swap under clients, Prefect itself."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import clients, rivals
from benchmarks.ground import Ground, drop_replaced, settle
from benchmarks.results import Record
from pawpaw_ops.commands import prefect
from pawpaw_ops.commands.command import Command
from pawpaw_ops.runner import LocalRunner

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun, TaskRun

    from tests.integration.support_stack import Kit

ROOT = Path(__file__).parents[1]
NEWCOMER = "bench_fresh"


def child(ground: Ground, verb: str, stack: str) -> Record:
    """Run one flow in a process of its own and return what it says of itself."""
    argv = (sys.executable, "-m", "benchmarks.child", verb, stack)
    said = LocalRunner().run(
        Command(argv=argv, env={**ground.settings, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, cwd=ROOT, timeout_s=None)
    )
    record: Record = json.loads(said.splitlines()[-1])
    return record


def our_backup(ground: Ground, kit: "Kit") -> Record:
    """Back up to published and proven."""
    settle(ground)
    said = child(ground, "backup", kit.name)
    newest = max(kit.catalog().entries(), key=lambda entry: entry.backup_id)
    stored = [path.stat().st_size for path in kit.store_folder.rglob(f"{newest.backup_id}/*")]
    assert newest.manifest is not None
    sizes = {"stored_mb": round(sum(stored) / 1e6, 3), "db_mb": _size_mb(kit)}
    return {**said, **sizes, "tasks": task_seconds(), **_audit(kit)}


def our_restore(ground: Ground, kit: "Kit") -> Record:
    """Restore the newest backup, from the flow's begin to its end; the database serves before that."""
    drop_replaced(kit)
    settle(ground)
    said = child(ground, "restore", kit.name)
    record = {**said, "db_mb": _size_mb(kit), "tasks": task_seconds(), **_audit(kit)}
    drop_replaced(kit)
    return record


def _audit(kit: "Kit") -> Record:
    last = json.loads((kit.state_dir / "audit.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["result"] == "ok", last
    return {"session_s": last["duration_s"], "steps": last["steps"]}


def _size_mb(kit: "Kit") -> float:
    (row,) = kit.sql("SELECT pg_database_size(current_database())")
    return round(int(row[0]) / 1e6, 1)


def outage(ground: Ground, kit: "Kit") -> Record:
    """Restore under eight clients that read a value which the restore changes, and return what they saw of it."""
    drop_replaced(kit)
    kit.sql("UPDATE users SET city = 'ya no' WHERE id = 1")
    settle(ground)
    with clients.watching(kit.postgres()) as seen:
        child(ground, "restore", kit.name)
    drop_replaced(kit)
    return {"gap_ms": seen.longest_gap_ms(), "stale_reads": seen.stale_reads(clients.RESTORED)}


def dump_gzip(ground: Ground, kit: "Kit") -> Record:
    """`pg_dump | gzip`."""
    settle(ground)
    to = kit.folder / "manual.sql.gz"
    seconds = rivals.dump_gzip(kit.server.database(kit.database), to)
    return {"flow_s": round(seconds, 3), "stored_mb": round(to.stat().st_size / 1e6, 3)}


def local_backup(ground: Ground, kit: "Kit") -> Record:
    """postgres-backup-local's dump."""
    settle(ground)
    folder = kit.folder / "local"
    folder.mkdir(exist_ok=True)
    seconds = rivals.local_backup(kit.server.database(kit.database), folder)
    return {"flow_s": round(seconds, 3), "stored_mb": round((folder / "last/db.sql.gz").stat().st_size / 1e6, 3)}


def gunzip_psql(ground: Ground, kit: "Kit", source: Path) -> Record:
    """`gunzip | psql` into a fresh database."""
    ground.bare(f"DROP DATABASE IF EXISTS {NEWCOMER} WITH (FORCE)")
    ground.bare(f"CREATE DATABASE {NEWCOMER} TEMPLATE template0")
    settle(ground)
    seconds = rivals.gunzip_psql(kit.server.database(NEWCOMER), source)
    (row,) = kit.sql("SELECT count(*) FROM order_items", database=NEWCOMER)
    assert row == kit.sql("SELECT count(*) FROM order_items")[0]
    ground.bare(f"DROP DATABASE {NEWCOMER} WITH (FORCE)")
    return {"flow_s": round(seconds, 3)}


def first_task(ground: Ground) -> Record:
    """Run `prefect deployment run list-backups/demo` and return the seconds until its first task began."""
    began = time.time()
    LocalRunner().run(prefect.run_deployment(sys.executable, "list-backups/demo", {}, settings=ground.settings))
    run, tasks = newest_run()
    first = min(task.start_time.timestamp() for task in tasks if task.start_time is not None)
    assert run.created is not None
    return {
        "command_s": round(first - began, 3),
        "created_s": round(first - run.created.timestamp(), 3),
    }


def task_seconds() -> dict[str, float]:
    """Return how long each task of the newest run took."""
    _, tasks = newest_run()
    begun = {task.start_time.timestamp(): task for task in tasks if task.start_time is not None}
    return {
        task.name.rsplit("-", 1)[0]: round(task.total_run_time.total_seconds(), 3) for _, task in sorted(begun.items())
    }


def newest_run() -> tuple["FlowRun", list["TaskRun"]]:
    """Return the newest run and its tasks; the server writes tasks down a little late."""
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
    from prefect.client.schemas.sorting import FlowRunSort

    from deployments.server import server

    until = time.monotonic() + 30
    with server() as client:
        while True:
            (run,) = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
            tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])))
            if tasks and all(task.state is not None and task.state.is_final() for task in tasks):
                return run, tasks
            assert time.monotonic() < until, "the server does not show the tasks"
            time.sleep(0.5)
