"""What the tests of the stack's images share."""

from collections.abc import Iterator

import pytest

from tests.integration.stack import support_docker
from tests.integration.stack.support_docker import World


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """A Docker Engine that answers."""
    if why := support_docker.why_no_engine():
        pytest.skip(f"needs a Docker Engine: {why}")


@pytest.fixture
def world(docker_engine: None, request: pytest.FixtureRequest) -> Iterator[World]:
    """A place for one test's containers."""
    with support_docker.world() as made:
        yield made


def _image(name: str, folder: str, argument: str) -> str:
    return support_docker.build(
        support_docker.STACK / folder, f"pawpaw-test/{name}:local", {argument: support_docker.base_image(argument)}
    )


@pytest.fixture(scope="session")
def gateway_image(docker_engine: None) -> str:
    """The gateway's image."""
    return _image("gateway", "gateway", "BASE_NGINX")


@pytest.fixture(scope="session")
def postgres_image(docker_engine: None) -> str:
    """The database's image, for the primary and the replica."""
    return _image("postgres", "postgres", "BASE_POSTGRES")


@pytest.fixture(scope="session")
def redis_image(docker_engine: None) -> str:
    """The image of Redis."""
    return _image("redis", "redis", "BASE_REDIS")
