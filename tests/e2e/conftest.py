"""One production stack for all tests that want one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pawpaw_ops.models.base import utc_now
from tests.e2e import support_shop
from tests.e2e.load import Load, ledger_faults
from tests.e2e.support_deploy import Shop, prepare
from tests.e2e.support_shop import RunningStack
from tests.integration.stack.support_docker import why_no_stack

FIRST = "test_upkeep.py"
"""Its prunes take what is there: after the others that would be every release that they made, which lasts minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that prune before the others of the running stack."""
    items.sort(key=lambda item: item.path.parent == Path(__file__).parent and item.path.name != FIRST)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The stack, up; every test leaves it healthy."""
    if why := why_no_stack():
        pytest.skip(f"needs a Docker Engine and Compose: {why}")
    running = support_shop.start(tmp_path_factory.mktemp("stack"))
    yield running
    running.remove()


@pytest.fixture(scope="session")
def shop(stack: RunningStack, prefect_api: None, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The stack with its first release deployed; every test leaves a good release serving."""
    made = prepare(stack, tmp_path_factory.mktemp("deploy"))
    made.deploy(made.offer())
    return made


@pytest.fixture(scope="module")
def load(shop: Shop) -> Iterator[Load]:
    """One crowd of customers for a whole module."""
    since = utc_now().isoformat()
    with shop.customers(seconds=1800) as made:
        yield made
    assert ledger_faults(shop.stack.sql, made.result) == []
    assert "no live upstreams" not in shop.stack.compose("logs", "--no-color", "--since", since, "nginx")


@pytest.fixture
def nobody_notices(shop: Shop, load: Load) -> Iterator[None]:
    """No request fails while the test lasts, nor right after it; nothing is left behind."""
    failed = load.failed
    yield
    load.wait_for_more(100)
    assert load.failed == failed, f"{load.failed - failed} requests failed"
    assert shop.left_over() == []


@pytest.fixture
def logs_of_failures(stack: RunningStack, request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what the containers wrote when the test fails."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        print(stack.logs()[-30_000:])  # noqa: T201 - pytest shows it with the failure
