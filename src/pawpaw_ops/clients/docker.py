"""Facts from a Docker engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from docker.errors import DockerException, NotFound

from pawpaw_ops.errors import ConfigError, PreconditionError, Unreachable


class Engine(Protocol):
    """The part of `docker.DockerClient` that is used here."""

    @property
    def containers(self) -> Any:
        """The engine's containers."""

    def close(self) -> None:
        """Let go of the connections."""


@dataclass(frozen=True)
class Container:
    """A running container.

    Attributes:
        address: Address that the engine's own host reaches it by.
        image: Id of the image that it runs.
    """

    name: str
    address: str
    image: str


def find_container(connect: Callable[[], Engine], name: str) -> Container:
    """Look up a running container.

    Args:
        connect: Opens the way to the engine.
        name: Name or id.

    Raises:
        Unreachable: The engine does not answer.
        ConfigError: It has no such container.
        PreconditionError: The container is not running, or on no network.
    """
    try:
        engine = connect()
        try:
            attributes = engine.containers.get(name).attrs
        finally:
            engine.close()
    except NotFound as seen:
        raise ConfigError(
            f"looked for the container {name!r} and the Docker engine has none of that name.",
            hint="`docker ps` shows the names; mend the PostgresDatabase block.",
        ) from seen
    except DockerException as seen:
        raise Unreachable(
            f"looked for the container {name!r} and the Docker engine did not answer: {seen}.",
            hint="Start it, or set DOCKER_HOST or the block's Docker host.",
        ) from seen
    return parse_container(attributes)


def parse_container(attributes: Mapping[str, Any]) -> Container:
    """Parse what the engine's inspection of one container returned.

    Of several networks the first by name that gives an address is taken; on the host's own network it is loopback.

    Raises:
        PreconditionError: The container is not running, or on no network.

    Source: docs.docker.com/reference/api/engine/version/v1.41 (ContainerInspect).
    """
    name = str(attributes["Name"]).lstrip("/")
    status = attributes["State"]["Status"]
    if status != "running":
        raise PreconditionError(
            f"the container {name!r} is {status}, not running.", hint=f"`docker start {name}` starts it."
        )
    networks = sorted(attributes["NetworkSettings"]["Networks"].items())
    found = [net.get("IPAddress") or net.get("GlobalIPv6Address") for _, net in networks]
    if attributes["HostConfig"]["NetworkMode"] == "host":
        found = ["127.0.0.1"]
    address = next(filter(None, found), None)
    if address is None:
        raise PreconditionError(f"the container {name!r} is on no network.", hint="Connect it to one.")
    return Container(name=name, address=str(address), image=str(attributes["Image"]))
