"""Facts about the containers of a Compose project."""

from collections.abc import Callable
from typing import Any

from docker.errors import DockerException
from pydantic import AwareDatetime, TypeAdapter

from pawpaw_ops.clients.docker import Engine
from pawpaw_ops.errors import Unreachable
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.plans.startup import Seen

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
ONE_OFF = "com.docker.compose.oneoff"
NUMBER = "com.docker.compose.container-number"
STARTED = TypeAdapter(AwareDatetime)


def containers(connect: Callable[[], Engine], project: str) -> tuple[Seen, ...]:
    """Return every container of the project that belongs to a service, running or not.

    Raises:
        Unreachable: The Docker engine does not answer.
    """
    try:
        engine = connect()
        try:
            found = engine.containers.list(
                all=True, filters={"label": [f"{PROJECT}={project}", f"{ONE_OFF}=False"]}, ignore_removed=True
            )
            return tuple(sorted((parse(one.attrs) for one in found), key=lambda seen: seen.name))
        finally:
            engine.close()
    except DockerException as seen:
        raise Unreachable(
            f"asked for the containers of {project!r} and the Docker engine did not answer: {seen}.",
            hint="Start the Docker engine, or set DOCKER_HOST.",
        ) from seen


def parse(attributes: dict[str, Any]) -> Seen:
    """Parse one container's inspection.

    Source: docs.docker.com/reference/api/engine/version/v1.41 (ContainerInspect).
    """
    state, labels = attributes["State"], attributes["Config"]["Labels"]
    return Seen(
        service=labels[SERVICE],
        name=attributes["Name"].lstrip("/"),
        status=state["Status"],
        health=(state.get("Health") or {}).get("Status", "").replace("none", ""),
        exit_code=state["ExitCode"],
        restarts=attributes["RestartCount"],
        running_s=(utc_now() - STARTED.validate_python(state["StartedAt"])).total_seconds(),
        number=int(labels.get(NUMBER, 1)),
        log_file=attributes.get("LogPath", ""),
    )
