"""Restore the running shop's database under customers who never try again: `restore-db`, and the manual's RB-01 as typed.

`python -m benchmarks.restores` backs the shop up both ways, sets every price to one cent while customers buy, and restores:
by hand first, with no time to think, then with ours. What customers saw and what came back is written down.
"""

import re
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from benchmarks import report
from benchmarks.results import Record, Results
from benchmarks.shop import running_shop, temporary_folder
from blocks import PostgresDatabase, Stack
from flows.backup import backup_db
from flows.restore import restore_db
from pawpaw_ops.commands.command import Command
from pawpaw_ops.runner import LocalRunner
from tests.e2e.load import PLENTY, Load
from tests.e2e.support_deploy import Shop
from tests.waiting import wait_until

BEGIN, END = (f"<!-- written by the restore benchmark: {what} -->" for what in ("begin", "end"))
ROUNDS, RATE = 3, 100.0
DISASTER = "UPDATE products SET price_cents = 1"
PRICES = "SELECT md5(string_agg(id || ':' || price_cents, ',' ORDER BY id)) FROM products"
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
KINDS = {"manual": "the manual's RB-01, typed without a pause", "ours": "`restore-db`"}


def main() -> None:
    """Run it."""
    given, results = report.rounds(__file__, __doc__, most=ROUNDS)
    if given:
        with running_shop() as bare:
            shop = _with_replica(bare)
            shop.stack.sql(PLENTY)
            for number in range(given):
                for kind in KINDS:
                    results.take(kind, "", number, partial(_round, shop, kind))
    report.publish(results, table(results), begin=BEGIN, end=END)


def _with_replica(shop: Shop) -> Shop:
    values, block = shop.stack.values, Stack.named(shop.name)
    password = SecretStr(values["POSTGRES_BOOTSTRAP_PASSWORD"])
    replica = PostgresDatabase(container=values["REPLICA_CONTAINER"], name=values["DB_NAME"], password=password)
    replica.save(f"{shop.name}-replica", overwrite=True)
    block.model_copy(update={"replica": replica}).save(shop.name, overwrite=True)
    return shop


def _round(shop: Shop, kind: str) -> Record:
    """Back up, break, restore; a round that does not bring the prices back is put right at its end."""
    file = temporary_folder() / "backup.sql.gz"
    _shell(f"docker exec {_database(shop)} pg_dump -U postgres {shop.stack.values['DB_NAME']} | gzip > {file}")
    backup_db(stack=shop.name)
    prices = shop.stack.sql(PRICES)
    url = f"https://localhost:{shop.stack.values['HTTPS_PORT']}"
    with Load(url, rate_per_s=RATE) as load:
        load.wait_for_more(500)
        shop.stack.sql(DISASTER)
        began = time.monotonic()
        errors = RESTORES[kind](shop, file)
        took_s = time.monotonic() - began
        load.wait_for_more(300, deadline_s=180)
    back = shop.stack.sql(PRICES) == prices
    wait_until(lambda: shop.stack.sql(STREAMING) == "1", "the standby follows")
    seen = load.result
    if not back:
        restore_db(stack=shop.name, approve=True)
    return {
        "took_s": took_s, "gap_s": seen.longest_gap_s, "requests": seen.total, "failed": seen.failed, "kinds": seen.kinds,
        "errors": errors, "back": back,
    }  # fmt: skip


def _ours(shop: Shop, _: Path) -> int:
    restore_db(stack=shop.name, approve=True)
    return 0


def _manual(shop: Shop, file: Path) -> int:
    """Its five steps; returns how many errors psql printed on the way to its exit code 0."""
    shop.stack.compose("stop", "backend", "postgres")
    shop.stack.compose("up", "--detach", "--no-build", "postgres")
    wait_until(lambda: shop.stack.healthy("postgres"), "the server takes connections")
    restore = (
        f"cat {file} | gunzip | docker exec -i {_database(shop)} psql -U postgres -d {shop.stack.values['DB_NAME']}"
    )
    said = _shell(restore)
    shop.stack.compose("up", "--detach", "--no-build")
    shop.stack.wait_healthy("backend")
    return len(re.findall(r"^ERROR:", said, re.MULTILINE))


def _database(shop: Shop) -> str:
    name: str = shop.stack.values["DB_CONTAINER"]
    return name


def _shell(line: str) -> str:
    """Run a line of the manual; returns what it wrote on its standard error."""
    argv = ("bash", "-o", "pipefail", "-c", f"{{ {line}; }} 2>&1 >/dev/null")
    return LocalRunner().run(Command(argv=argv, timeout_s=None))


RESTORES: dict[str, Callable[[Shop, Path], int]] = {"manual": _manual, "ours": _ours}


def table(results: Results) -> str:
    """Return the table, made from the records and from nothing else."""
    lines = [
        f"Every price is set to one cent while 16 customers ask for {RATE:.0f} things per second; medians of"
        f" {len(results.rows('ours', ''))} restores of each kind. Ours shows customers the maintenance page meanwhile, which counts"
        " as not served. All of them registered after the backup.",
        "",
        "| | longest time in which nothing went well | requests not served | it takes | errors printed, exit code 0 |"
        " the prices are back | answered 4xx |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, said in KINDS.items():
        gap, took, errors = (statistics.median(results.values(kind, "", key)) for key in ("gap_s", "took_s", "errors"))
        rows = results.rows(kind, "")
        unknown = statistics.median(row["kinds"].get("status", 0) for row in rows)
        failed = statistics.median(row["failed"] - row["kinds"].get("status", 0) for row in rows)
        back = sum(bool(row["back"]) for row in rows)
        lines.append(
            f"| {said} | {gap:.2f} s | {failed:.0f} | {took:.1f} s | {errors:.0f} | **{back} of {len(rows)}** |"
            f" {unknown:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
