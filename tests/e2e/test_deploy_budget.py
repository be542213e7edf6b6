"""Releases that pass every proof and are bad at serving: the error budget takes them back, by what it sees alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from blocks import Stack
from pawpaw_ops.clients.gateway import access_log
from pawpaw_ops.errors import PreconditionError, Undone
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.session.audit import entries
from tests.e2e.fault_images import Fault
from tests.e2e.support_deploy import Shop

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")
FAILED = r"requests, [1-9]\d* failed, .*; \d+\.\d+% failed, \d\.\d+% before, \d\.\d+% are allowed"
LATE = r"requests, 0 failed, .*; p95 is \d+\.\d+ s, was \d+\.\d+ s, \d+\.\d+ s are allowed"
BAD = {"5xx": (Fault.FAILS_CUSTOMERS, FAILED), "p95": (Fault.SLOW_FOR_CUSTOMERS, LATE)}
SLOW_S = 2.0
"""Far more than twice what this machine takes on a bad day."""


@pytest.mark.parametrize(("fault", "numbers"), BAD.values(), ids=list(BAD))
def test_deploy_G5_a_release_that_serves_badly_is_taken_back_and_it_is_said_why_with_numbers(
    shop: Shop, fault: Fault, numbers: str
) -> None:
    before, old = shop.everything(), shop.ledger[-1].version
    version = shop.offer(fault=fault, seconds=SLOW_S, only="backend")
    with shop.customers() as load:
        with pytest.raises(Undone, match=f"worse than the budget allows: .*{numbers}"):
            shop.deploy(version, soak_s=6, p95_factor=2)
        load.wait_for_more(100)
        noticed = load.failed
        load.wait_for_more(100)
        assert load.failed == noticed, "the old release serves"
    assert set(load.result.kinds) <= {"5xx"}
    assert shop.everything() == before
    assert shop.serves(old)
    assert shop.left_over() == []
    record = list(entries(Stack.named(shop.name).settings()))[-1]
    assert (record["purpose"], record["result"]) == (f"desplegar {version}", "undone")


@contextmanager
def no_log(shop: Shop) -> Iterator[None]:
    """A gateway whose log the engine keeps nowhere, as where the team sends its logs elsewhere."""
    file = shop.stack.project.file
    text = file.read_text()
    assert "    <<: *service\n    image: ${GATEWAY_IMAGE" in text

    def recreate(text: str) -> None:
        file.write_text(text)
        shop.stack.compose("up", "--detach", "--no-deps", "nginx")
        shop.stack.wait_healthy("nginx")

    recreate(text.replace("    image: ${GATEWAY_IMAGE", "    logging: {driver: none}\n    image: ${GATEWAY_IMAGE"))
    try:
        yield
    finally:
        recreate(text)


def test_deploy_G5_a_log_that_cannot_be_read_is_unknown_and_no_fault_of_the_release(shop: Shop) -> None:
    version = shop.offer()
    with no_log(shop):
        with pytest.raises(PreconditionError, match="cannot tell: configured logging driver does not support reading"):
            access_log(shop.stack.project, utc_now()).read()
        shop.deploy(version, soak_s=1)
        assert shop.serves(version)
        record = list(entries(Stack.named(shop.name).settings()))[-1]
    assert (record["result"], record["requests"], record["p95_s"]) == ("ok", "unknown", [None, None])
    assert shop.left_over() == []
