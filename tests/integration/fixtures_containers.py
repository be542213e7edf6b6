"""A PostgreSQL server in a container for the whole session, and a stack per test on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stack import support_docker
from tests.integration.stack.support_docker import docker
from tests.integration.support_containers import TEST_LABEL, ContainerKit, ContainerServer, containers_of
from tests.integration.support_stack import load_tiny


@pytest.fixture(scope="session")
def postgres_15_image() -> Iterator[str]:
    """The official image of PostgreSQL 15 or its stand-in; what the session left on the engine goes by its label."""
    if why := support_docker.why_no_engine():
        pytest.skip(f"needs a Docker Engine: {why}")
    yield support_docker.base_image("BASE_POSTGRES")
    for left in containers_of(TEST_LABEL):
        docker("rm", "--force", "--volumes", left)
    for left in docker("network", "ls", "--quiet", f"--filter=label={TEST_LABEL}").split():
        docker("network", "rm", left)


@pytest.fixture(scope="session")
def container_server(postgres_15_image: str) -> Iterator[ContainerServer]:
    """A server that no port leads to, with the database `tiny_template`."""
    server = ContainerServer(postgres_15_image)
    try:
        server.start()
        load_tiny(server, "tiny_template")
        yield server
    finally:
        server.remove()


@pytest.fixture
def inside(prefect_api: None, container_server: ContainerServer, tmp_path: Path) -> Iterator[ContainerKit]:
    """A stack of two small tables whose database runs in a container."""
    made = ContainerKit(container_server, tmp_path)
    made.create(template="tiny_template")
    yield made
    made.remove()
    shutil.rmtree(tmp_path, ignore_errors=True)
