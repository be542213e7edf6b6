"""One production stack for all tests that want one."""

from collections.abc import Iterator

import pytest

from tests.e2e import support_shop
from tests.e2e.support_shop import RunningStack
from tests.integration.stack.support_docker import why_no_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The stack, up; every test leaves it healthy."""
    if why := why_no_stack():
        pytest.skip(f"needs a Docker Engine and Compose: {why}")
    running = support_shop.start(tmp_path_factory.mktemp("stack"))
    yield running
    running.remove()


@pytest.fixture
def logs_of_failures(stack: RunningStack, request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what the containers wrote when the test fails."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        print(stack.logs()[-30_000:])  # noqa: T201 - pytest shows it with the failure
