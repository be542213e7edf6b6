"""Releases whose image this engine has no more, or never had: a real registry has it, or it is not to be had."""

from collections.abc import Iterator

import pytest

from pawpaw_ops.clients.images import find_image
from pawpaw_ops.errors import PreconditionError
from tests.e2e.support_deploy import Shop
from tests.integration.stack.support_docker import docker
from tests.integration.stack.support_registry import log_in, publish, registry, way_to

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api", "nobody_notices")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("hub")) as address:
        yield address


def published(shop: Shop, address: str, *, known_at: str = "") -> tuple[str, str]:
    """Build a release that only its registry has; returns its version and digest."""
    version = shop.offer(only="backend")
    digest = publish(shop.state_dir, version, address, known_at=known_at)
    forget(shop, f"{shop.stack.name}-backend:{version}")
    shop.stack.images.append(digest)
    return version, digest


def forget(shop: Shop, ref: str) -> None:
    """Take an image from the engine, as a prune does when nothing uses it."""
    docker("rmi", ref)
    assert find_image(shop.stack.project.engine, ref) is None


def test_deploy_G2_a_release_whose_image_is_gone_comes_back_from_its_registry(shop: Shop, hub: str) -> None:
    log_in(shop.name, hub)
    version, digest = published(shop, hub)
    shop.deploy(version)
    assert shop.serves(version)
    shop.deploy(shop.offer())
    forget(shop, digest)
    shop.back()
    assert shop.serves(version)
    assert shop.ledger[-1].images["BACKEND_IMAGE"] == digest
    shop.deploy(shop.offer())


def test_deploy_G2_a_rollback_to_what_is_not_to_be_had_changes_nothing(shop: Shop, hub: str) -> None:
    with way_to(hub) as way:
        address = way.url.removeprefix("http://")
        log_in(shop.name, address)
        version, digest = published(shop, hub, known_at=address)
        shop.deploy(version)
        assert shop.serves(version)
    shop.deploy(shop.offer())
    forget(shop, digest)
    before = shop.everything()
    with pytest.raises(PreconditionError, match=rf"the image {digest} .*could not be fetched: .*connection refused"):
        shop.back()
    assert shop.everything() == before
    shop.deploy(shop.offer())
