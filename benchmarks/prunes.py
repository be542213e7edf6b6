"""Deploy the running shop again and again with a prune behind each: what is on the disk after each, and what is kept.

`python -m benchmarks.prunes` makes twenty of each. Beside it stands what `docker system prune -a --volumes` would have
destroyed of the same stack at the same moment: counted, never run.
"""

import json
import time
from functools import partial

from benchmarks import report
from benchmarks.results import Record, Results
from benchmarks.shop import running_shop
from flows.prune import prune
from pawpaw_ops.clients.inventory import usage
from pawpaw_ops.plans.prune import kept_releases
from tests.e2e.support_deploy import Shop
from tests.e2e.support_shop import PROJECT
from tests.integration.stack.support_docker import docker

BEGIN, END = (f"<!-- written by the prune benchmark: {what} -->" for what in ("begin", "end"))
ROUNDS, KEEP, MB = 20, 2, 1e6
WEIGHT_MB = 20
"""What each release has that no other one shares."""
PACE = {"stable_s": 0.5, "soak_s": 0.5, "p95_factor": 1000.0, "keep_warm_s": 0.0}


def main() -> None:
    """Run it."""
    given, results = report.rounds(__file__, __doc__, most=ROUNDS)
    if given:
        with running_shop() as shop:
            shop.deploy(shop.offer(weight_mb=WEIGHT_MB), **PACE)
            for number in range(given):
                results.take("prune", "", number, partial(_round, shop))
    report.publish(results, table(results), begin=BEGIN, end=END)


def _round(shop: Shop) -> Record:
    shop.deploy(shop.offer(weight_mb=WEIGHT_MB), **PACE)
    before_mb, began = _layers_mb(shop), time.monotonic()
    prune(stack=shop.name, approve=True, keep_releases=KEEP, keep_builds=1, min_age_h=0)
    took_s = time.monotonic() - began
    there = _releases(shop)
    kept = [release for release in kept_releases(shop.ledger, KEEP) if {*release.images.values()} <= {*there.values()}]
    return {
        "took_s": took_s,
        "before_mb": before_mb,
        "after_mb": _layers_mb(shop),
        "images": len(there),
        "kept": len(kept),
        "theirs": _destroyed(shop, kept_images=[{*release.images.values()} for release in kept]),
    }


def _layers_mb(shop: Shop) -> float:
    """Return what all images of the engine take together."""
    return usage(shop.stack.project.engine, shop.stack.project.name).layers / MB


def _releases(shop: Shop) -> dict[str, str]:
    """Return name -> id of this stack's releases on the engine."""
    lines = docker("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()
    pairs = (line.split() for line in lines)
    return {name: image_id for name, image_id in pairs if name.startswith(f"{shop.stack.name}-") and ":v" in name}


def _destroyed(shop: Shop, *, kept_images: list[set[str]]) -> dict[str, int]:
    """Count what nothing that runs uses: such images and volumes go, of releases that are kept as of any other.

    Source: docs.docker.com/reference/cli/docker/system/prune; before Docker 23 also volumes that have a name.
    """
    ids = docker("ps", "--quiet").split()
    running = json.loads(docker("inspect", *ids)) if ids else []
    used = {one["Image"] for one in running}
    mounted = {mount["Name"] for one in running for mount in one["Mounts"] if mount.get("Name")}
    ours = docker("volume", "ls", "--quiet", "--filter", f"label={PROJECT}={shop.stack.name}").split()
    return {
        "images": len({*_releases(shop).values()} - used),
        "ways_back": sum(not images <= used for images in kept_images),
        "volumes": len({*ours} - mounted),
    }


def table(results: Results) -> str:
    """Return the table, made from the records and from nothing else."""
    rows = results.rows("prune", "")
    shown = [row for row in rows if row["round"] % 5 == 4 or row["round"] == 0]
    lines = [
        f"| {row['round'] + 1} | {row['before_mb']:.0f} MB | {row['after_mb']:.0f} MB | {row['images']}"
        f" | {row['kept']} of {min(KEEP, row['round'] + 1) + 1} | {row['theirs']['images']} images, {row['theirs']['ways_back']} of"
        f" {min(KEEP, row['round'] + 1)} ways back, {row['theirs']['volumes']} volumes |"
        for row in shown
    ]
    settled = KEEP + 2
    last = rows[settled:] or rows
    grew = max(row["after_mb"] for row in last) - min(row["after_mb"] for row in last)
    whole = sum(row["kept"] == KEEP + 1 for row in last)
    bounded = "bounded" if max(row["images"] for row in last) == min(row["images"] for row in last) else "growing"
    return "\n".join([
        f"{len(rows)} deploys of both services in a row, each with {WEIGHT_MB} MB of its own, a prune behind each that keeps the"
        f" release and {KEEP} before it. After the first {settled} the images are {bounded} and the layers differ by {grew:.1f}"
        f" MB at most; every kept release was whole after {whole} of {len(last)}.",
        "",
        "| deploy | layers before the prune | after it | images of the shop's releases | kept releases that are whole |"
        " `docker system prune -a --volumes` would have destroyed |",
        "|---|---|---|---|---|---|",
        *lines,
    ])  # fmt: skip


if __name__ == "__main__":
    main()
