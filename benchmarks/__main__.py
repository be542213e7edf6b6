"""Measure this project beside what a user would run instead, and write the table in `benchmarks/README.md`.

`python -m benchmarks` takes about 25 minutes, `--resume` goes on with a run that was ended, `--quick` tries everything
once on a small database and writes nothing.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import machine, measure, report
from benchmarks.ground import Ground, ground, stack
from benchmarks.results import Results

if TYPE_CHECKING:
    from tests.integration.support_stack import Kit

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Size:
    """A size of the shop: its name, `shop.scale`, how often it is measured; *beside*: with rivals."""

    name: str
    scale: int
    rounds: int
    beside: bool = False
    outages: int = 0


FULL = (Size("1 GB", 22, 5, beside=True, outages=5), Size("100 MB", 2, 5, outages=5), Size("4 GB", 88, 2))
QUICK = (Size("1 GB", 1, 2, beside=True, outages=1), Size("100 MB", 1, 1, outages=1))


def main() -> None:
    """Run it."""
    words = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    words.add_argument("--quick", action="store_true", help="small and few, written nowhere")
    words.add_argument("--resume", action="store_true", help="go on with a run that was ended")
    words.add_argument("--scale", type=int, default=0, help="with --quick: `shop.scale` of the larger shop")
    words.add_argument("--report", action="store_true", help="only write the table of what was measured")
    given = words.parse_args()
    results = Results(None if given.quick else HERE / "results.jsonl", resume=given.resume or given.report)
    if not given.report:
        began = time.monotonic()
        _run(results, QUICK if given.quick else FULL, scale=given.scale)
        print(f"done in {(time.monotonic() - began) / 60:.1f} min")
    table = report.table(results)
    if given.quick:
        print(table)
    else:
        report.write(HERE / "README.md", table)


def _run(results: Results, sizes: tuple[Size, ...], *, scale: int) -> None:
    with ground(say=lambda text: print(text, flush=True)) as made:
        results.take("machine", "", 0, lambda: machine.facts(made))
        for number in range(sizes[0].rounds):
            results.take("first task", "", number, lambda: measure.first_task(made))
            results.take("overhead", "", number, lambda: measure.child(made, "overhead", "-"))
        for size in sizes:
            if not _complete(results, size):
                print(f"making a shop of {size.name}", flush=True)
                with stack(made, scale=(size.beside and scale) or size.scale) as kit:
                    _size(results, made, kit, size)


def _complete(results: Results, size: Size) -> bool:
    last = size.rounds - 1
    return results.has("restore", size.name, last) and (
        not size.outages or results.has("outage", size.name, size.outages - 1)
    )


def _size(results: Results, made: Ground, kit: "Kit", size: Size) -> None:
    """Measure one size, the sides in turns: A B A B."""
    manual, local = kit.folder / "manual.sql.gz", kit.folder / "local/last/db.sql.gz"
    if size.rounds > 2:
        measure.our_backup(made, kit)  # warms both sides' caches, and there is something to restore
    for number in range(size.rounds):
        if size.beside:
            results.take("pg_dump", size.name, number, lambda: measure.dump_gzip(made, kit))
        results.take("backup", size.name, number, lambda: measure.our_backup(made, kit))
        if size.beside:
            results.take("local dump", size.name, number, lambda: measure.local_backup(made, kit))
            results.take("psql", size.name, number, lambda: measure.gunzip_psql(made, kit, manual))
        results.take("restore", size.name, number, lambda: measure.our_restore(made, kit))
        if size.beside:
            results.take("local restore", size.name, number, lambda: measure.gunzip_psql(made, kit, local))
    for number in range(size.outages):
        results.take("outage", size.name, number, lambda: measure.outage(made, kit))


if __name__ == "__main__":
    main()
