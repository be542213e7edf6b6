"""After a deploy the gateway knows addresses; what if the engine gives the replicas others?"""

import pytest

from pawpaw_ops.clients.gateway import live_files
from pawpaw_ops.plans.upstreams import parse_members
from tests.e2e.support_deploy import Shop
from tests.integration.stack.support_docker import docker
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")


def test_deploy_E4_replicas_that_come_back_with_other_addresses_are_found(shop: Shop) -> None:
    """As after a reboot: all stop, another container takes an address, all start again in another order."""
    known = {one.address for one in parse_members(live_files(shop.stack.project)["backend.conf"])}
    replicas = [one["Name"].lstrip("/") for one in shop.stack.containers("backend")]
    docker("stop", *replicas)
    squatters: dict[str, str] = {}
    try:
        wait_until(lambda: known <= {squat(shop, squatters), *squatters}, "their addresses are taken")
        docker("start", *replicas)
        shop.stack.wait_healthy("backend")
        wait_until(lambda: shop.stack.shop().http.get("/api/products").status_code == 200, "the shop answers again")
        version = shop.offer()
        shop.deploy(version)
        assert shop.serves(version)
    finally:
        docker("rm", "--force", *squatters.values())


def squat(shop: Shop, squatters: dict[str, str]) -> str:
    """Start a container in the stack's network; returns the address that it got."""
    words = ("--label", f"com.docker.compose.project={shop.stack.name}", "--network", f"{shop.stack.name}_internal")
    made = docker("run", "--detach", *words, "--entrypoint", "sleep", shop.stack.values["REDIS_IMAGE"], "600").strip()
    found = docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", made).strip()
    squatters[found] = made
    return found
