"""Rotate the running shop's secrets under customers who never try again: `rotate-secrets`, and the manual's RB-02 as typed.

`python -m benchmarks.rotations` changes the database's password, the key of the sessions and Redis' password, by ours and
by hand, and counts what customers saw. By hand the new values are in the `.env` at once, with no time to think; no step of
RB-02 tells the database.
"""

import secrets
import statistics
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks import report
from benchmarks.results import Record, Results
from benchmarks.shop import running_shop
from flows.reconcile_gateway import reconcile_gateway
from flows.retire_secrets import retire_secrets
from flows.rotate_secrets import rotate_secrets
from pawpaw_ops.clients.env_file import change_env
from tests.e2e.load import PLENTY, Load
from tests.e2e.support_deploy import Shop
from tests.integration.stack.support_docker import DockerError, attempt, base_image, docker
from tests.waiting import wait_until

BEGIN, END = (f"<!-- written by the rotation benchmark: {what} -->" for what in ("begin", "end"))
ROUNDS, RATE, AFTER_S = 3, 75.0, 30.0
PACE: dict[str, Any] = {"soak_s": 5.0, "stable_s": 0.5}
CHANGED = ("DB_PASSWORD", "JWT_SECRET", "REDIS_APP_PASSWORD")
KINDS = {"manual": "the manual's RB-02, typed without a pause", "ours": "`rotate-secrets` and `retire-secrets`"}


def main() -> None:
    """Run it."""
    given, results = report.rounds(__file__, __doc__, most=ROUNDS)
    if given:
        results.take("lock-out", "", 0, _lock_out)
        with running_shop() as shop:
            shop.deploy(shop.offer())
            shop.stack.sql(PLENTY)
            for number in range(given):
                for kind in KINDS:
                    results.take(kind, "", number, partial(_round, shop, kind))
    report.publish(results, table(results), begin=BEGIN, end=END)


def _round(shop: Shop, kind: str) -> Record:
    before, serves, took_s, seen = shop.stack.project.env_file.read_text(), True, 0.0, []
    for step in ROTATIONS[kind]:
        with Load(f"https://localhost:{shop.stack.values['HTTPS_PORT']}", rate_per_s=RATE) as load:
            load.wait_for_more(500)
            began = time.monotonic()
            serves = step(shop)
            took_s += time.monotonic() - began
            if serves:
                load.wait_for_more(300, deadline_s=180)
            else:
                time.sleep(AFTER_S)  # what customers see of a shop that stays closed is what is measured
        seen.append(load.result)
    if not serves:
        shop.stack.project.env_file.write_text(before)
        _recreate(shop)
    for service in ("postgres", "redis", "backend", "nginx"):
        shop.stack.wait_healthy(service)
    reconcile_gateway(stack=shop.name)
    return {
        "took_s": took_s,
        "serves": serves,
        "gap_s": max(one.longest_gap_s for one in seen),
        "requests": sum(one.total for one in seen),
        "failed": sum(one.failed for one in seen),
        "kinds": sum((Counter(one.kinds) for one in seen), Counter[str]()),
    }


def _rotate(shop: Shop) -> bool:
    rotate_secrets(stack=shop.name, which="all", **PACE)
    return True


def _retire(shop: Shop) -> bool:
    """When the grace is over: whoever is there by then came with the new key."""
    retire_secrets(stack=shop.name, now=True, **PACE)
    return True


def _manual(shop: Shop) -> bool:
    """Its steps 1, 2 and 4."""
    change_env(shop.stack.project.env_file, {name: secrets.token_hex(32) for name in CHANGED})
    try:
        _recreate(shop)
    except DockerError:
        return False
    return True


def _recreate(shop: Shop) -> None:
    shop.stack.compose("up", "--detach", "--no-build", "--force-recreate")


ROTATIONS: dict[str, tuple[Callable[[Shop], bool], ...]] = {"manual": (_manual,), "ours": (_rotate, _retire)}
"""Each step has customers of its own, who registered right before it."""


def _lock_out() -> Record:
    """Recreate a database as the team's stack has it, with a new POSTGRES_PASSWORD on the old volume, and log in."""
    name = f"pawpaw-bench-{secrets.token_hex(4)}"

    # Its user and its way to log in are the official image's own where it is not asked; the stand-in must be.
    its = ("--user", "999:999", "--env", "POSTGRES_INITDB_ARGS=--auth-host=scram-sha-256")
    words = ("--name", name, "--label", "pawpaw.test", "--volume", f"{name}:/var/lib/postgresql/data", *its)

    def start(password: str) -> None:
        docker("run", "--detach", *words, "--env", f"POSTGRES_PASSWORD={password}", base_image("BASE_POSTGRES"))
        wait_until(lambda: asked("pg_isready") == 0, "the server answers")

    def asked(program: str, *more: str, password: str = "") -> int:
        where = ("-h", "127.0.0.1", "-U", "postgres")
        return attempt("exec", "--env", f"PGPASSWORD={password}", name, program, *where, *more).returncode

    def logs_in(password: str) -> bool:
        return asked("psql", "-c", "SELECT 1", password=password) == 0

    try:
        start("old")
        before = logs_in("old")
        docker("rm", "--force", name)
        start("new")
        return {"before": before, "new": logs_in("new"), "old": logs_in("old")}
    finally:
        attempt("rm", "--force", name)
        attempt("volume", "rm", name)


def table(results: Results) -> str:
    """Return the table, made from the records and from nothing else."""
    lines = [
        f"All three secrets are changed while 16 customers ask for {RATE:.0f} things per second; medians of"
        f" {len(results.rows('ours', ''))} rotations of each kind; two backends, {PACE['soak_s']:g} s of soak in ours,"
        " which rolls the backends twice for the new secrets, and once more to end the old key, under customers who came after"
        " it: without their grace. Where RB-02 ends with an error the shop was"
        f" watched for {AFTER_S:g} s more, and the old `.env` put back.",
        "",
        "| | it takes | requests | requests that failed | longest time without an answer | how they failed |",
        "|---|---|---|---|---|---|",
    ]
    for kind, said in KINDS.items():
        took, total, failed, gap = (
            statistics.median(results.values(kind, "", key)) for key in ("took_s", "requests", "failed", "gap_s")
        )
        kinds = results.rows(kind, "")[-1]["kinds"]
        how = ", ".join(f"{count} × {what}" for what, count in kinds.items()) or "–"
        ended = f"{took:.1f} s" if results.rows(kind, "")[-1]["serves"] else f"ended with an error after {took:.1f} s"
        lines.append(f"| {said} | {ended} | {total:.0f} | **{failed:.0f}** | {gap:.2f} s | {how} |")
    [lock] = results.rows("lock-out", "")
    say = {True: "is let in", False: "is refused"}
    lines += [
        "",
        "On a database whose password only `POSTGRES_PASSWORD` sets, as the team's stack has it, the login with the new"
        f" password after RB-02 {say[lock['new']]}, and with the old one {say[lock['old']]}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
