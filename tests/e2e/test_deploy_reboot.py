"""After a deploy the gateway knows addresses; what if the engine gives the replicas others?"""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from flows.reconcile_gateway import reconcile_gateway
from flows.recover import recover
from pawpaw_ops.errors import Undone
from pawpaw_ops.plans.upstreams import SERVICES
from pawpaw_ops.testing import at_entry
from tests.e2e.support_deploy import Shop, start
from tests.integration.stack.support_docker import docker
from tests.waiting import SOAK, wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")
SWITCHED, COMMITTED = ("done", "switch the gateway"), ("undone", "record the release")
Reboot = Callable[[], None]


def dies_before_its_commit(shop: Shop, log: Path, reboot: Reboot) -> str:
    old = shop.ledger[-1].version
    assert start(shop, shop.offer(), log, kill=SWITCHED).wait() == -signal.SIGKILL
    reboot()
    assert len(recover(stack=shop.name)) == 1
    return old


def dies_after_its_commit(shop: Shop, log: Path, reboot: Reboot) -> str:
    version = shop.offer()
    assert start(shop, version, log, kill=COMMITTED).wait() == -signal.SIGKILL
    reboot()
    assert len(recover(stack=shop.name)) == 1
    assert "listed and not so" in reconcile_gateway(stack=shop.name)
    return version


def lives_on(shop: Shop, log: Path, reboot: Reboot) -> str:
    """As where the engine alone is restarted, without live-restore."""
    del log
    old = shop.ledger[-1].version
    with at_entry(*SWITCHED, action=reboot), pytest.raises(Undone, match="where the gateway asks"):
        shop.deploy(shop.offer())
    return old


def was_over(shop: Shop, log: Path, reboot: Reboot) -> str:
    del log
    reboot()
    assert "listed and not so" in reconcile_gateway(stack=shop.name)
    return shop.ledger[-1].version


@pytest.mark.parametrize(
    "deploy", [dies_before_its_commit, *([dies_after_its_commit, lives_on, was_over] if SOAK else [])]
)
def test_deploy_E3_E4_after_a_reboot_one_release_serves_and_is_found_where_it_is(
    shop: Shop, tmp_path: Path, deploy: Callable[[Shop, Path, Reboot], str]
) -> None:
    """All of both come up again; which of them serves the journal says, and where its replicas are the engine."""
    with ExitStack() as until:
        serves = deploy(shop, tmp_path / "log", lambda: until.enter_context(rebooted(shop)))
        assert reconcile_gateway(stack=shop.name) == ""
        assert shop.serves(serves)
    assert shop.left_over() == []


@contextmanager
def rebooted(shop: Shop) -> Iterator[None]:
    """All stop, other containers take the addresses that the gateway knows, all start again in another order."""
    known = {one for name in SERVICES for one in shop.stack.addresses(name)}
    names = [one["Name"].lstrip("/") for name in ("nginx", *SERVICES) for one in shop.stack.containers(name)]
    docker("stop", *names)
    with shop.stack.taken(known):
        docker("start", *names)
        for name in ("nginx", *SERVICES):
            shop.stack.wait_healthy(name)
        wait_until(lambda: shop.stack.shop().http.get("/api/products").status_code == 200, "the shop answers again")
        yield
