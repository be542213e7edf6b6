"""What happens to the containers of a Compose project, as the engine tells it."""

from collections.abc import Callable, Container
from http.client import HTTPException

from docker.errors import DockerException
from urllib3.exceptions import HTTPError

from pawpaw_ops.clients.compose_project import PROJECT, SERVICE
from pawpaw_ops.clients.engine import connect
from pawpaw_ops.errors import Unreachable

KINDS = ("start", "die", "health_status")
"""After these another replica may be the one to ask, or the same one under another address."""


def listen(address: str, project: str, services: Container[str], heard: Callable[[str], None]) -> None:
    """Tell what happens to containers of some services, until the engine ends.

    Args:
        address: The engine's; empty means `DOCKER_HOST`, else this host's.
        project: Of Compose.
        services: Those of it that matter.
        heard: Told nothing once the engine listens, so that nothing between a look and the first event is missed;
            then what happened to whom.

    Raises:
        Unreachable: The engine does not answer, or went away.

    Source: docs.docker.com/reference/api/engine/version/v1.41 (SystemEvents).
    """
    filters = {"type": "container", "event": [*KINDS], "label": f"{PROJECT}={project}"}
    try:
        engine = connect(address)
        try:
            stream = engine.events(filters=filters, decode=True)
            heard("")
            for event in stream:
                labels = event["Actor"]["Attributes"]
                if labels.get(SERVICE) in services:
                    heard(f"{labels.get('name')}: {event['Action']}")
        finally:
            engine.close()
    except (DockerException, HTTPException, HTTPError, OSError) as seen:
        raise Unreachable(f"listened to the Docker engine and it went away: {seen}.") from seen
    raise Unreachable("listened to the Docker engine and it ended.")
