"""Facts from a Docker engine."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from docker.errors import APIError, DockerException, NotFound

from pawpaw_ops.clients.engine import Engine, connect, patiently
from pawpaw_ops.errors import ConfigError, PreconditionError, Unreachable
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.plans.startup import Ending

NOT_IMPLEMENTED = 501


@dataclass(frozen=True)
class Container:
    """A running container.

    Attributes:
        address: Address that the engine's own host reaches it by.
        image: Id of the image that it runs.
        id: Its id, which no other container ever gets.
    """

    name: str
    address: str
    image: str
    id: str


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
    return parse_container(_inspect(connect, name))


def find_image(connect: Callable[[], Engine], name: str) -> tuple[str, str]:
    """Look up a container, running or not, and return its own id and its image's; errors as in `find_container`."""
    attributes = _inspect(connect, name)
    return str(attributes["Id"]), str(attributes["Image"])


def find_mount(connect: Callable[[], Engine], name: str, target: str) -> Path | None:
    """Return the folder of the engine's host that a container has mounted at *target*; errors as in `find_container`.

    Returns:
        None where nothing is mounted there.
    """
    mounts = _inspect(connect, name)["Mounts"]
    return next((Path(mount["Source"]) for mount in mounts if mount["Destination"] == target), None)


def _inspect(connect: Callable[[], Engine], name: str) -> Mapping[str, Any]:
    try:
        engine = connect()
        try:
            attributes: Mapping[str, Any] = engine.containers.get(name).attrs
        finally:
            engine.close()
    except NotFound as seen:
        raise ConfigError(
            f"looked for the container {name!r} and the Docker engine has none of that name.",
            hint="`docker ps` shows the names; mend the block that names it.",
        ) from seen
    except (DockerException, OSError) as seen:  # a connection that broke is none of the SDK's own errors
        raise Unreachable(
            f"looked for the container {name!r} and the Docker engine did not answer: {seen}.",
            hint="Start it, or set DOCKER_HOST or the block's Docker host.",
        ) from seen
    return attributes


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
    address = address_in(attributes)
    if not address:
        raise PreconditionError(f"the container {name!r} is on no network.", hint="Connect it to one.")
    return Container(name=name, address=address, image=str(attributes["Image"]), id=str(attributes["Id"]))


def address_in(attributes: Mapping[str, Any]) -> str:
    """Return the address in a container's inspection; empty where it is on no network."""
    if attributes["HostConfig"]["NetworkMode"] == "host":
        return "127.0.0.1"
    networks = sorted(attributes["NetworkSettings"]["Networks"].items())
    found = [net.get("IPAddress") or net.get("GlobalIPv6Address") for _, net in networks]
    return str(next(filter(None, found), ""))


def data_folder(address: str) -> Path:
    """Return the folder where the engine keeps everything, as its own host sees it.

    Raises:
        Unreachable: It does not answer.
    """
    return Path(_info(address)["DockerRootDir"])


def clock_apart_s(address: str) -> float:
    """Return how far the engine's clock is ahead of this process's, in seconds; 0 where no difference can be seen.

    Raises:
        Unreachable: It does not answer.

    Source: docs.docker.com/reference/api/engine/version/v1.41 (SystemInfo).
    """
    before = utc_now()
    said = datetime.fromisoformat(_info(address)["SystemTime"])
    after = utc_now()
    return min((said - before).total_seconds(), 0.0) + max((said - after).total_seconds(), 0.0)


def _info(address: str) -> Mapping[str, Any]:
    try:
        engine = connect(address)
        try:
            found: Mapping[str, Any] = engine.info()
        finally:
            engine.close()
    except (DockerException, OSError) as seen:
        raise Unreachable(f"the Docker engine did not answer: {seen}.", hint="Start it.") from seen
    return found


def processes(address: str, container: str) -> tuple[str, ...]:
    """Return the command lines of a container's processes; errors as in `find_container`."""
    top = speak(address, container, lambda one: one.top(ps_args="-eo pid,args"))
    return tuple(row[-1] for row in top["Processes"])


def environment(address: str, container: str) -> dict[str, str]:
    """Return a container's variables as it was made with; they hold secrets. Errors as in `find_container`."""
    found: list[str] = speak(address, container, lambda one: one.attrs["Config"]["Env"])
    return dict(line.split("=", 1) for line in found if "=" in line)


def log_tail(address: str, container: str, *, lines: int = 20) -> tuple[str, ...]:
    """Return the last lines that a container wrote, on either stream; errors as in `find_container`."""
    text: bytes = speak(address, container, lambda one: one.logs(tail=lines))
    return tuple(text.decode(errors="replace").splitlines())


def ending(address: str, container: str, since: datetime) -> Ending:
    """Return how a container ended since then, whatever its restart policy made of that; errors as in `find_container`.

    Its state alone does not tell: with the next start the exit code is 0 again.
    """

    def ask(one: Any) -> Ending:
        wanted = {"type": "container", "container": one.id, "event": ["die", "oom"]}
        until = utc_now().timestamp()  # without an end the engine would go on telling
        events = one.client.api.events(since=since.timestamp(), until=until, filters=wanted, decode=True)
        return parse_ending(one.attrs, events)

    made: Ending = speak(address, container, ask)
    return made


def parse_ending(attributes: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> Ending:
    """Parse a container's inspection and its events `die` and `oom`, the oldest first.

    Source: docs.docker.com/reference/api/engine/version/v1.41 (ContainerInspect, SystemEvents).
    """
    state, happened = attributes["State"], tuple(events)
    codes = [int(one["Actor"]["Attributes"]["exitCode"]) for one in happened if one["Action"] == "die"]
    if state["Status"] in {"exited", "dead", "restarting"}:
        codes.append(state["ExitCode"])
    checks = (state.get("Health") or {}).get("Log") or ()
    return Ending(
        exit_code=codes[-1] if codes else None,
        oom=state.get("OOMKilled", False) or any(one["Action"] == "oom" for one in happened),
        limit_bytes=attributes["HostConfig"].get("Memory") or 0,
        check_code=checks[-1]["ExitCode"] if checks else None,
        check_said=checks[-1]["Output"] if checks else "",
    )


def speak(address: str, name: str, ask: Callable[[Any], Any]) -> Any:
    """Return what *ask* makes of a container, also of an engine that is restarted.

    Raises:
        PreconditionError: The engine can never answer that, for example of a log whose driver cannot be read.

    Further errors as in `find_container`.
    """
    return patiently(address, lambda: _speak(address, name, ask))


def _speak(address: str, name: str, ask: Callable[[Any], Any]) -> Any:
    try:
        engine = connect(address)
        try:
            return ask(engine.containers.get(name))
        finally:
            engine.close()
    except NotFound as seen:
        raise ConfigError(f"looked for the container {name!r} and the Docker engine has none of that name.") from seen
    except (DockerException, OSError) as seen:
        if isinstance(seen, APIError) and seen.status_code == NOT_IMPLEMENTED:
            raise PreconditionError(
                f"asked about the container {name!r} and the Docker engine cannot tell: {seen.explanation}."
            ) from seen
        raise Unreachable(
            f"asked about the container {name!r} and the Docker engine did not answer: {seen}.", hint="Start it."
        ) from seen
