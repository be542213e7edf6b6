"""How a container ended, as a real engine tells it afterwards."""

from datetime import datetime

import pytest

from pawpaw_ops.clients.docker import ending
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.base import utc_now
from tests.integration.stack.support_docker import Container, World, base_image
from tests.waiting import wait_until

AGAIN = "--restart=unless-stopped"
ONCE_7 = "test -e /tmp/again && exec sleep 600; touch /tmp/again; exit 7"
GREEDY = "const held = []; while (true) held.push(Buffer.alloc(1 << 20, 1))"


@pytest.fixture
def began(world: World) -> datetime:
    return utc_now()


def start(world: World, *options: str, command: tuple[str, ...]) -> Container:
    network = world.network()
    return world.run(base_image("BASE_NODE"), "one", *options, network=network, command=command, hardened=False)


def test_deploy_A2_a_container_that_runs_again_still_has_the_exit_code_of_its_end(
    world: World, began: datetime
) -> None:
    one = start(world, AGAIN, command=("sh", "-c", ONCE_7))
    wait_until(lambda: one.inspect()["RestartCount"] == 1 and one.state["Status"] == "running", "it runs again")
    assert one.state["ExitCode"] == 0
    assert ending("", one.name, began).says == "ended with exit code 7"
    assert ending("", one.name, utc_now()).says == ""


def test_deploy_A8_what_took_too_much_memory_is_told_with_its_limit(world: World, began: datetime) -> None:
    one = start(world, AGAIN, "--memory=48m", "--memory-swap=48m", command=("node", "-e", GREEDY))
    wait_until(lambda: one.inspect()["RestartCount"] >= 1, "it is started again")
    killed = ending("", one.name, began)
    assert killed.says == "ended with exit code 137: it was killed for taking more memory than the 48 MiB that it may"


def test_deploy_A3_what_the_last_health_check_said_is_told(world: World, began: datetime) -> None:
    check = ("--health-cmd=echo the shop is unwell; exit 3", "--health-retries=1")
    one = start(world, *check, command=("sleep", "600"))
    wait_until(lambda: one.state["Health"]["Status"] == "unhealthy", "it is unhealthy")
    seen = ending("", one.name, began)
    assert seen.unwell == "its last health check ended with exit code 3 and said 'the shop is unwell'"
    assert seen.says == ""


def test_a_container_that_is_gone_is_told(docker_engine: None) -> None:
    with pytest.raises(ConfigError, match="none of that name"):
        ending("", "pawpaw-nobody", utc_now())
