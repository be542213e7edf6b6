"""Releases of the running stack under customers who never try again."""

import pytest

from flows.rollback import rollback
from tests.e2e.load import ledger_faults
from tests.e2e.support_deploy import Shop

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")


def test_deploy_B1_B5_ten_deploys_in_a_row_fail_no_request_and_make_no_order_twice(shop: Shop) -> None:
    with shop.customers() as load:
        versions = [shop.offer() for _ in range(10)]
        for version in versions:
            shop.deploy(version)
    assert load.result.failed == 0, load.result.summary
    assert ledger_faults(shop.stack.sql, load.result) == []
    assert shop.serves(versions[-1])
    assert shop.left_over() == []


def test_deploy_I4_a_deploy_of_what_serves_does_nothing(shop: Shop) -> None:
    before = shop.everything()
    shop.deploy("newest")
    assert shop.everything() == before


def test_deploy_G1_G3_a_rollback_brings_the_release_before_and_fails_no_request(shop: Shop) -> None:
    first, second = shop.offer(), shop.offer()
    shop.deploy(first)
    shop.deploy(second)
    with shop.customers() as load:
        rollback(stack=shop.name)
    assert load.result.failed == 0, load.result.summary
    assert shop.serves(first)
    assert shop.ledger[-1].back_from == second
    assert shop.left_over() == []
