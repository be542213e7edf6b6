"""Run one flow in this process, which is new, and say how long it took and how much memory it had."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

TRIVIAL_TASKS = 100


def peak_mb() -> float:
    """Return this process' highest resident memory in MB. `ru_maxrss` would count the process that started us too."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6, 1)


def flows() -> dict[str, Callable[[str], dict[str, float]]]:
    """Import the flows, as a worker's process does, and return them by name."""
    from flows.backup import backup_db
    from flows.restore import restore_db

    def backup(stack: str) -> dict[str, float]:
        backup_db(stack=stack)
        return {}

    def restore(stack: str) -> dict[str, float]:
        restore_db(stack=stack, approve=True)
        return {}

    return {"backup": backup, "restore": restore}


def overhead(_: str) -> dict[str, float]:
    """Run a flow of a hundred tasks that do nothing."""
    from prefect import flow

    from pawpaw_ops.tasks.operation import operation

    @operation("nothing")
    def nothing() -> None:
        pass

    @flow
    def hundred() -> float:
        nothing()
        began = time.monotonic()
        for _ in range(TRIVIAL_TASKS):
            nothing()
        return time.monotonic() - began

    return {"task_ms": round(hundred() / TRIVIAL_TASKS * 1000, 2)}


def main(verb: str, stack: str) -> None:
    """Print one line of JSON: seconds to import, seconds of the flow, MB."""
    began = time.monotonic()
    verbs: dict[str, Callable[[str], dict[str, float]]] = {"overhead": overhead, **flows()}
    imported = time.monotonic()
    more = verbs[verb](stack)
    ended = time.monotonic()
    said = {"import_s": round(imported - began, 3), "flow_s": round(ended - imported, 3), "peak_mb": peak_mb(), **more}
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:3])
