"""Deploy the running shop under customers who never try again: ours, `docker compose up -d`, and docker-rollout's way.

`python -m benchmarks.deploys` makes ten deploys of each kind in turns, counts what its customers saw fail, then times a
roll back and a deploy of nothing. Each kind serves a release that works; then one that ends at boot.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import report
from benchmarks.results import Record, Results
from benchmarks.shop import running_shop
from pawpaw_ops.clients.env_file import change_env
from pawpaw_ops.commands import compose
from pawpaw_ops.errors import OpsError
from tests.e2e.fault_images import Fault
from tests.e2e.load import PLENTY, Load, ledger_faults
from tests.e2e.support_deploy import VARIABLES, Shop
from tests.integration.stack.support_docker import DockerError, attempt, docker
from tests.waiting import wait_until

HERE = Path(__file__).parent
BEGIN, END = (f"<!-- written by the deploy benchmark: {what} -->" for what in ("begin", "end"))
ROUNDS, RATE = 10, 400.0
HEALTHY_S, AFTER_S = 60, 10.0
KEEP_WARM_S = 600.0
"""The flows' own default."""
PACE = {"stable_s": 2.0, "soak_s": 5.0, "p95_factor": 1000.0}
SERVICES = tuple(VARIABLES)
KINDS = {
    "compose": "`docker compose up -d` (the manual)",
    "rollout": "docker-rollout's procedure, service by service",
    "ours": "`deploy`",
}


def main() -> None:
    """Run it."""
    words = argparse.ArgumentParser(prog="benchmarks.deploys", description=__doc__)
    words.add_argument("--rounds", type=int, default=ROUNDS, help="deploys of each kind; fewer are written nowhere")
    words.add_argument("--report", action="store_true", help="only write the table of what was measured")
    words.add_argument("--ways-back", action="store_true", help="only what needs no rival; written nowhere")
    given = words.parse_args()
    full = given.rounds == ROUNDS and not given.ways_back
    results = Results(HERE / "deploys.jsonl" if full else None, resume=given.report)
    if not given.report:
        with running_shop() as shop:
            _measure(shop, results, given.rounds, rivals=not given.ways_back)
    made = table(results)
    print(made)
    if full:
        report.write(HERE / "README.md", made, begin=BEGIN, end=END)


def _measure(shop: Shop, results: Results, rounds: int, *, rivals: bool) -> None:
    first = _offer(shop)
    _by_names(shop)
    _compose(shop, first)
    _settle(shop)
    shop.stack.sql(PLENTY)
    kinds = tuple(KINDS) if rivals else ("ours",)
    for kind in kinds:
        results.take(kind, "works", 0, partial(_deploys, shop, kind, rounds))
    for kind in kinds:
        results.take(kind, "ends at boot", 0, partial(_broken, shop, kind))
    shop.deploy(_offer(shop), **PACE)
    shop.deploy(_offer(shop), **PACE)
    for number in range(max(1, rounds // 2)):
        results.take("rollback", "", number, partial(_back, shop))
    for number in range(max(1, rounds // 2)):
        results.take("rollback warm", "", number, partial(_back_warm, shop))
    for number in range(max(1, rounds // 2)):
        results.take("nothing", "", number, partial(_nothing, shop))


def _offer(shop: Shop, fault: Fault = Fault.NONE) -> str:
    return shop.offer(fault=fault)


def _deploys(shop: Shop, kind: str, rounds: int) -> Record:
    """Deploy so often under one crowd, and ask what it saw."""
    versions = [_offer(shop) for _ in range(rounds)]
    _start_from(shop, kind)
    took, ratios = [], []
    with _crowd(shop) as load:
        load.wait_for_more(500)
        for version in versions:
            took.append(_timed(partial(DEPLOYS[kind], shop, version)))
            _settle(shop)
            load.wait_for_more(200, deadline_s=180)
            if kind == "ours":
                ratios.append(took[-1] / sum(_record(shop)["waits_s"].values()))
    return _seen(shop, load) | {"took_s": statistics.median(took)} | ({"ratio": max(ratios)} if ratios else {})


def _broken(shop: Shop, kind: str) -> Record:
    """Deploy a release that ends at boot; afterwards the shop must be able to go on."""
    good, bad = _offer(shop), _offer(shop, Fault.EXITS)
    _start_from(shop, kind)
    DEPLOYS[kind](shop, good)
    _settle(shop)
    said = "success"
    with _crowd(shop) as load:
        load.wait_for_more(500)
        began = time.monotonic()
        try:
            DEPLOYS[kind](shop, bad)
        except (OpsError, DockerError, AssertionError) as failed:
            said = type(failed).__name__
        told_s = time.monotonic() - began
        time.sleep(AFTER_S)  # what customers see afterwards is what is measured
    seen = _seen(shop, load) | {"said": said, "told_s": told_s}
    if kind == "ours":
        seen["named_s"] = _record(shop)["cause_named_s"]
    _by_names(shop, wait=False)
    _compose(shop, good)
    _settle(shop)
    return seen


def _crowd(shop: Shop) -> Load:
    return Load(f"https://localhost:{shop.stack.values['HTTPS_PORT']}", rate_per_s=RATE)


def _seen(shop: Shop, load: Load) -> Record:
    result = load.result
    return {
        "requests": result.total,
        "failed": result.failed,
        "kinds": result.kinds,
        "gap_s": result.longest_gap_s,
        "ledger": len(ledger_faults(shop.stack.sql, result)),
    }


def _start_from(shop: Shop, kind: str) -> None:
    """The rivals know nothing of the gateway's files: for them it serves by names, as it does out of the box."""
    if kind != "ours":
        _by_names(shop)


def _by_names(shop: Shop, *, wait: bool = True) -> None:
    for path in shop.stack.project.upstreams.glob("*.conf"):
        path.unlink()
    docker("exec", shop.stack.container("nginx")["Name"].lstrip("/"), "gateway-reload")
    if wait:
        wait_until(lambda: shop.stack.shop().http.get("/api/products").status_code == 200, "the shop answers")


def _images(shop: Shop, version: str) -> None:
    tags = {VARIABLES[one]: shop.image_id(f"{shop.stack.name}-{one}:{version}") for one in SERVICES}
    change_env(shop.stack.project.env_file, tags)


def _compose(shop: Shop, version: str) -> None:
    """As the manual says."""
    _images(shop, version)
    shop.stack.compose("up", "--detach", "--no-build", "--no-deps", *SERVICES)


def _settle(shop: Shop) -> None:
    for service in SERVICES:
        shop.stack.wait_healthy(service)


def _rollout(shop: Shop, version: str) -> None:
    """Twice as many, wait until the new ones are healthy, stop the old ones; as docker-rollout 0.13 does it."""
    _images(shop, version)
    for service in SERVICES:
        old = docker(*_words(shop, "ps", "--quiet", service)).split()
        count = 2 * len(old)
        shop.stack.compose(
            "up", "--detach", "--no-deps", "--no-build", "--no-recreate", f"--scale={service}={count}", service
        )
        new = [one for one in docker(*_words(shop, "ps", "--quiet", service)).split() if one not in old]
        until = time.monotonic() + HEALTHY_S
        while not all(_health(one) == "healthy" for one in new):
            if time.monotonic() > until:
                attempt("stop", *new)
                attempt("rm", *new)
                raise AssertionError("docker-rollout gives up")
            time.sleep(1)
        docker("stop", *old)
        docker("rm", *old)


def _words(shop: Shop, *words: str) -> tuple[str, ...]:
    return compose.compose(shop.stack.project, *words).argv[1:]


def _health(container: str) -> str:
    return attempt("inspect", "--format", "{{.State.Health.Status}}", container).stdout.strip()


def _ours(shop: Shop, version: str) -> None:
    shop.deploy(version, **PACE)


def _record(shop: Shop) -> Record:
    """Return what the last run wrote down of itself."""
    said: Record = json.loads((shop.state_dir / "audit.jsonl").read_text().splitlines()[-1])
    return said


def _back(shop: Shop) -> Record:
    """Roll back cold: the images are there, their containers are not; then forward again, which ends all others."""
    before = shop.ledger[-2].version
    made = _times(shop, lambda: shop.back(to=before, keep_warm_s=KEEP_WARM_S))
    shop.deploy(_offer(shop), **PACE)
    return made


def _back_warm(shop: Shop) -> Record:
    """Roll back to replicas that still run."""
    shop.deploy(_offer(shop), **PACE, keep_warm_s=KEEP_WARM_S)
    return _times(shop, lambda: shop.back(keep_warm_s=KEEP_WARM_S))


def _times(shop: Shop, back: Callable[[], object]) -> Record:
    """Return how long it took until the gateway served the old release, and until the run was over."""
    took_s, said = _timed(back), _record(shop)
    return {"took_s": took_s, "serving_s": said["serving_s"], "steps": said["steps"], "waits_s": said["waits_s"]}


def _nothing(shop: Shop) -> Record:
    return {"took_s": _timed(partial(shop.deploy, "current"))}


def _timed(do: Callable[[], object]) -> float:
    began = time.monotonic()
    do()
    return time.monotonic() - began


DEPLOYS: dict[str, Callable[[Shop, str], None]] = {"compose": _compose, "rollout": _rollout, "ours": _ours}


def table(results: Results) -> str:
    """Return the table, made from the records and from nothing else."""
    lines = [
        f"Ten deploys of each kind under {RATE:.0f} requests per second asked for, 16 customers who never try again"
        f" ({PACE['soak_s']:.0f} s of soak in ours). Who got an error asks for the next thing at once, so an outage makes many.",
        "",
        "| | requests | failed | longest time without an answer | one deploy takes | orders wrong | a release that ends at boot |",
        "|---|---|---|---|---|---|---|",
    ]
    words = {"success": "success", "AssertionError": "that it gives up", "Undone": "that all is undone"}
    for kind, said in KINDS.items():
        if not (results.rows(kind, "works") and results.rows(kind, "ends at boot")):
            continue
        (works,), (broken,) = results.rows(kind, "works"), results.rows(kind, "ends at boot")
        named = f" (the cause is named after {broken['named_s']:.1f} s)" if "named_s" in broken else ""
        end = f"{broken['failed']} failed; it says {words[broken['said']]} after {broken['told_s']:.1f} s{named}"
        lines.append(
            f"| {said} | {works['requests']:,} | **{works['failed']}** | {works['gap_s']:.2f} s | {works['took_s']:.1f} s"
            f" | {works['ledger']} | {end} |"
        )
    for works in results.rows("ours", "works"):
        if "ratio" in works:
            lines += ["", f"`deploy` took at most {works['ratio']:.2f} × what it has to wait for: health, drain, soak."]
    for what, said in (
        ("rollback", "`rollback`, images on the engine, containers gone"),
        ("rollback warm", "`rollback` to replicas that still run"),
        ("nothing", "`deploy` of nothing"),
    ):
        serving = _span(results, what, "serving_s", "serves after {}, ")
        lines += ["", f"{said}: {serving}{_span(results, what, 'took_s', 'over after {}') or 'not measured'}."]
    return "\n".join(lines)


def _span(results: Results, what: str, key: str, words: str) -> str:
    """Return median, least and most of one value; empty where it was not measured."""
    found = [float(row[key]) for row in results.rows(what, "") if key in row]
    return words.format(f"{statistics.median(found):.1f} s ({min(found):.1f}–{max(found):.1f})") if found else ""


if __name__ == "__main__":
    main()
