"""Deploy the running shop under customers who never try again: ours, `docker compose up -d`, and docker-rollout's way.

`python -m benchmarks.deploys` makes 24 deploys of each kind, counts what its customers saw fail, then serves each a
release that ends at boot, and times ways back, a deploy of nothing, and one with the flow's defaults.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from benchmarks import report
from benchmarks.results import Record, Results
from benchmarks.shop import running_shop
from flows.deploy import deploy
from pawpaw_ops.clients.env_file import change_env
from pawpaw_ops.commands import compose
from pawpaw_ops.errors import OpsError
from tests.e2e.fault_images import Fault
from tests.e2e.load import PLENTY, Load, ledger_faults
from tests.e2e.support_deploy import VARIABLES, Shop
from tests.integration.stack.support_docker import DockerError, attempt, docker
from tests.waiting import wait_until

BEGIN, END = (f"<!-- written by the deploy benchmark: {what} -->" for what in ("begin", "end"))
ROUNDS, SOME = 24, 300
RATE, CALM = 150.0, 60.0
"""Requests per second: with the first, customers and shop take four fifths of two cores; the second leaves them room."""
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
    given, results = report.rounds(__file__, __doc__, most=ROUNDS)
    if given:
        with running_shop() as shop:
            _measure(shop, results, given)
    report.publish(results, table(results), begin=BEGIN, end=END)


def _measure(shop: Shop, results: Results, rounds: int) -> None:
    first = _offer(shop)
    _by_names(shop)
    _compose(shop, first)
    _settle(shop)
    shop.stack.sql(PLENTY)
    for kind in KINDS:
        results.take(kind, "works", 0, partial(_deploys, shop, kind, rounds))
    for kind in KINDS:
        for number in range(_few(rounds) if kind == "ours" else 1):
            results.take(kind, "ends at boot", number, partial(_broken, shop, kind))
    shop.deploy(_offer(shop), **PACE)
    shop.deploy(_offer(shop), **PACE)
    ways = {"rollback": _back, "rollback warm": _back_warm, "nothing": _nothing, "patient": _patient}
    for what, measure in ways.items():
        for number in range(_few(rounds)):
            results.take(what, "", number, partial(measure, shop))


def _few(rounds: int) -> int:
    return max(1, rounds // 4)


def _offer(shop: Shop, fault: Fault = Fault.NONE) -> str:
    return shop.offer(fault=fault)


def _deploys(shop: Shop, kind: str, rounds: int) -> Record:
    """Deploy so often under one crowd, and ask what it saw."""
    versions = [_offer(shop) for _ in range(rounds)]
    _start_from(shop, kind)
    took, ratios = [], []
    with _crowd(shop, RATE) as load:
        for version in versions:
            took.append(_timed(partial(DEPLOYS[kind], shop, version)))
            _settle(shop)
            load.wait_for_more(SOME, deadline_s=180)
            if kind == "ours":
                ratios.append(_ratio(shop, took[-1]))
    return _seen(shop, load) | {"took_s": statistics.median(took)} | ({"ratio": max(ratios)} if ratios else {})


def _broken(shop: Shop, kind: str) -> Record:
    """Deploy a release that ends at boot; afterwards the shop must be able to go on."""
    good, bad = _offer(shop), _offer(shop, Fault.EXITS)
    _start_from(shop, kind)
    DEPLOYS[kind](shop, good)
    _settle(shop)
    said = "success"
    with _crowd(shop, CALM) as load:
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


@contextmanager
def _crowd(shop: Shop, rate_per_s: float) -> Iterator[Load]:
    with Load(f"https://localhost:{shop.stack.values['HTTPS_PORT']}", rate_per_s=rate_per_s) as load:
        load.wait_for_more(SOME)
        yield load


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
    """Return how long it took under a crowd until the gateway served the old release, and until it was over."""
    with _crowd(shop, CALM) as load:
        took_s, said = _timed(back), _record(shop)
    return {
        "took_s": took_s, "serving_s": said["serving_s"], "steps": said["steps"], "waits_s": said["waits_s"],
        "failed": load.result.failed,
    }  # fmt: skip


def _nothing(shop: Shop) -> Record:
    with _crowd(shop, CALM) as load:
        took_s = _timed(partial(shop.deploy, "current"))
    return {"took_s": took_s, "failed": load.result.failed}


def _patient(shop: Shop) -> Record:
    """Deploy with the patience that production has: the flow's defaults, but for the judgement of how fast it is."""
    version = _offer(shop)
    with _crowd(shop, CALM) as load:
        took_s = _timed(lambda: deploy(stack=shop.name, version=version, p95_factor=PACE["p95_factor"]))
        ratio = _ratio(shop, took_s)
    return {"took_s": took_s, "ratio": ratio, "failed": load.result.failed}


def _ratio(shop: Shop, took_s: float) -> float:
    """Return how many times longer it took than all that it has to wait for."""
    waits_s: float = sum(_record(shop)["waits_s"].values())
    return took_s / waits_s


def _timed(do: Callable[[], object]) -> float:
    began = time.monotonic()
    do()
    return time.monotonic() - began


DEPLOYS: dict[str, Callable[[Shop, str], None]] = {"compose": _compose, "rollout": _rollout, "ours": _ours}


def table(results: Results) -> str:
    """Return the table, made from the records and from nothing else."""
    lines = [
        f"{ROUNDS} deploys of each kind under {RATE:.0f} requests per second asked for, 16 customers who never try again"
        f" ({PACE['soak_s']:.0f} s of soak in ours). Who got an error asks for the next thing at once, so an outage makes many."
        f" The last column and what stands below the table, unless it says otherwise, are of {CALM:.0f} requests per second:"
        " the customers themselves and Prefect's server run on the same cores.",
        "",
        "| | requests | failed | longest time without an answer | one deploy takes | orders wrong | a release that ends at boot |",
        "|---|---|---|---|---|---|---|",
    ]
    words = {"success": "success", "AssertionError": "that it gives up", "Undone": "that all is undone"}
    for kind, shown in KINDS.items():
        (works,), broken = results.rows(kind, "works"), results.rows(kind, "ends at boot")
        named = _span(results, kind, "ends at boot", "named_s", " (the cause is named after {})")
        failed, (said,) = sum(one["failed"] for one in broken), {words[one["said"]] for one in broken}
        end = f"{failed} failed; it says {said} after {_span(results, kind, 'ends at boot', 'told_s')}{named}"
        lines.append(
            f"| {shown} | {works['requests']:,} | **{works['failed']}** | {works['gap_s']:.2f} s | {works['took_s']:.1f} s"
            f" | {works['ledger']} | {end} |"
        )
    (works,), patient = results.rows("ours", "works"), results.values("patient", "", "ratio")
    lines += [
        "",
        f"`deploy` took at most {max(patient):.2f} × what it has to wait for (health, drain, soak) with the flow's defaults, and"
        f" {works['ratio']:.2f} × with {PACE['soak_s']:.0f} s of soak under the larger load.",
    ]
    for what, said in (
        ("rollback", "`rollback`, images on the engine, containers gone"),
        ("rollback warm", "`rollback` to replicas that still run"),
        ("nothing", "`deploy` of nothing"),
    ):
        serving = _span(results, what, "", "serving_s", "serves after {}, ")
        failed = sum(int(row["failed"]) for row in results.rows(what, ""))
        over = _span(results, what, "", "took_s")
        lines += ["", f"{said}: {serving}over after {over}; {failed} requests failed."]
    return "\n".join(lines)


def _span(results: Results, what: str, size: str, key: str, words: str = "{}") -> str:
    """Return median, and least and most of several, of one value; empty where it was not measured."""
    found = [float(row[key]) for row in results.rows(what, size) if key in row]
    spread = f" ({min(found):.1f}–{max(found):.1f})" if len(found) > 1 else ""
    return words.format(f"{statistics.median(found):.1f} s{spread}") if found else ""


if __name__ == "__main__":
    main()
