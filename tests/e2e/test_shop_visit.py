"""A customer's whole visit with a real browser, through the gateway of the running stack."""

from pathlib import Path

import pytest

from tests.e2e.support_shop import RunningStack
from tests.integration.stack import support_docker
from tests.integration.stack.support_suites import passes, visit_image

pytestmark = pytest.mark.usefixtures("logs_of_failures")


def test_a_customer_finds_buys_and_leaves_in_chromium(stack: RunningStack, tmp_path: Path) -> None:
    """On a desktop and a phone; no console error, no failed request, no barrier. The pictures stay in *tmp_path*."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    pictures.chmod(0o777)
    options = (
        f"--network={stack.name}_edge",
        "--env=SHOP_URL=https://nginx:8443",
        f"--mount=type=bind,source={pictures},target=/pictures",
    )
    with support_docker.world() as world:
        passes(world, visit_image(), *options)
