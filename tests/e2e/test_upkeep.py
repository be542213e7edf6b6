"""The running stack kept in order: deploy after deploy with a prune behind each, and nothing open."""

import json

import pytest

from blocks import Stack
from flows.prune import prune
from flows.rollback import rollback
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.finding import Weakness
from pawpaw_ops.plans.findings import FAILS
from pawpaw_ops.plans.prune import kept_releases
from pawpaw_ops.tasks import hardening
from tests.e2e.support_deploy import Shop
from tests.e2e.support_shop import PROJECT
from tests.integration.stack.support_docker import docker
from tests.waiting import SOAK

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")
DEPLOYS, KEEP = (20, 2) if SOAK else (5, 1)


def images_of(shop: Shop) -> dict[str, str]:
    """Return name -> id of this stack's releases on the engine."""
    lines = docker("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()
    pairs = (line.split() for line in lines)
    return {name: image_id for name, image_id in pairs if name.startswith(f"{shop.stack.name}-") and ":v" in name}


def used() -> set[str]:
    """Return the ids of the images that a running container uses: all that `docker system prune -a` would leave."""
    ids = docker("ps", "--quiet").split()
    return {one["Image"] for one in json.loads(docker("inspect", *ids))} if ids else set()


def counted(kind: str, *words: str, shop: Shop) -> int:
    """Count what this stack has of it on the engine."""
    return len(docker(kind, "ls", "--quiet", *words, "--filter", f"label={PROJECT}={shop.stack.name}").split())


@pytest.fixture(scope="module")
def left(shop: Shop) -> list[dict[str, int]]:
    """Deploy many times with a prune behind each; returns how much of each kind there was after each."""
    found = []
    for _ in range(DEPLOYS):
        shop.deploy(shop.offer(only="backend"))
        said = prune(stack=shop.name, approve=True, keep_releases=KEEP, keep_builds=1, min_age_h=0)
        assert "se puede volver a" in said
        found.append({
            "images": len(images_of(shop)),
            "containers": counted("container", "--all", shop=shop),
            "networks": counted("network", shop=shop),
            "volumes": counted("volume", shop=shop),
            "journals": len(list((shop.state_dir / "journal").iterdir())),
        })  # fmt: skip
    return found


def test_deploy_H8_deploy_after_deploy_nothing_grows(left: list[dict[str, int]]) -> None:
    assert all(left[-1] == one for one in left[KEEP + 2 :]), left
    assert left[0] | {"images": 0} == left[-1] | {"images": 0}


def test_prune_PRN_02_after_many_deploys_every_kept_release_starts(shop: Shop, left: list[dict[str, int]]) -> None:
    """`docker system prune -a --volumes` at the same moment would have taken the ways back."""
    assert len(left) == DEPLOYS
    kept = kept_releases(shop.ledger, KEEP)
    assert len(kept) == KEEP + 1
    there = set(images_of(shop).values())
    assert {release.images["BACKEND_IMAGE"] for release in kept} <= there
    back = {release.images["BACKEND_IMAGE"] for release in kept[1:]}
    assert back.isdisjoint(used())
    rollback(stack=shop.name, keep_warm_s=0)
    assert shop.serves(kept[1].version)


def test_hardening_HRD_02_nothing_that_runs_is_open_and_all_of_it_is_what_the_files_say(shop: Shop) -> None:
    place = Stack.named(shop.name).workplace()
    found: tuple[Weakness, ...] = (*hardening.look_at_containers.fn(place), *hardening.look_at_files.fn(place))
    bad = {
        (one.check, one.where, one.says)
        for one in found
        if one.verdict is not Verdict.VERIFIED and one.severity in FAILS
    }
    assert bad == set()
