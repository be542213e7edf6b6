"""Facts about images of a Docker engine."""

from collections.abc import Mapping

from docker import DockerClient
from docker.errors import DockerException, ImageNotFound

from pawpaw_ops.clients.docker import engine_address
from pawpaw_ops.errors import Unreachable
from pawpaw_ops.models.base import Noun


class ImageFacts(Noun):
    """An image that the engine has.

    Attributes:
        id: `sha256:…`.
        digests: `name@sha256:…` for each registry that it came from or went to.
        labels: Its labels.
        architecture: `amd64`, `arm64`.
        checked: Whether it brings a health check of its own.
    """

    id: str
    digests: tuple[str, ...]
    labels: Mapping[str, str]
    architecture: str
    checked: bool


def find_image(address: str, ref: str) -> ImageFacts | None:
    """Look an image up by id, tag or digest; None where the engine does not have it.

    Raises:
        Unreachable: The engine does not answer.

    Source: docs.docker.com/reference/api/engine/version/v1.41 (ImageInspect).
    """
    try:
        engine = DockerClient(base_url=engine_address(address or None))
        try:
            found = engine.images.get(ref).attrs
        finally:
            engine.close()
    except ImageNotFound:
        return None
    except DockerException as seen:
        raise Unreachable(
            f"asked for the image {ref} and the engine did not answer: {seen}.", hint="Start it."
        ) from seen
    config = found.get("Config") or {}
    test = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    return ImageFacts(
        id=found["Id"],
        digests=tuple(found.get("RepoDigests") or ()),
        labels=config.get("Labels") or {},
        architecture=found.get("Architecture", ""),
        checked=test != ["NONE"],
    )
