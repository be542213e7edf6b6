"""The way in to prefect-docker's block of a registry."""

from prefect.exceptions import ObjectNotFound
from prefect_docker import DockerRegistryCredentials

from blocks.base import load_named
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.registry import Registry
from pawpaw_ops.plans.images import registry_prefix


def registry_login(name: str, *, wanted: bool) -> Registry:
    """Load the login of a registry from the Docker Registry Credentials block of that name.

    Args:
        name: Of the block. Its address may go on with a folder: `ghcr.io/pawpaw`.
        wanted: Whether anything is sent there; without it nothing is loaded.

    Raises:
        ConfigError: There is no such block.
        Unreachable: The Prefect server did not answer.
    """
    if not wanted:
        return Registry()
    block = load_named(DockerRegistryCredentials, name)
    return Registry(prefix=registry_prefix(block.registry_url), username=block.username, password=block.password)


def login_to_fetch(stack: str) -> Registry:
    """Load the login of a stack's registry; without a block of its name images are fetched as Docker's CLI would.

    Raises:
        ConfigError: There is such a block, and it does not fit this version.
        Unreachable: The Prefect server did not answer.
    """
    try:
        return registry_login(stack, wanted=True)
    except ConfigError as seen:
        if isinstance(seen.__cause__, ObjectNotFound):
            return Registry()
        raise
