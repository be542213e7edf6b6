"""Facts about the containers of a Compose project."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from docker.errors import DockerException, NotFound
from pydantic import AwareDatetime, TypeAdapter

from pawpaw_ops.clients.docker import address_in
from pawpaw_ops.clients.engine import Engine, connect, patiently
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.errors import ConfigError, Unreachable
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans.startup import Seen

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
ONE_OFF = "com.docker.compose.oneoff"
CONFIG_HASH = "com.docker.compose.config-hash"
NUMBER = "com.docker.compose.container-number"
STARTED = TypeAdapter(AwareDatetime)
UPSTREAMS = "gateway/upstreams.d"
LOG_TARGETS = "monitoring/log-targets"
TEXTFILE = "monitoring/textfile"
ACME = "gateway/acme"


def find_project(file: Path, env_file: Path, **more: Any) -> Project:
    """Return the project of a Compose file; its `.env` has its name and where the gateway's files are.

    Raises:
        ConfigError: There is no such file, or the `.env` cannot be read.
    """
    if not file.is_file():
        raise ConfigError(f"looked for the Compose file {file} and there is none.", hint="Name the stack's folder.")
    values, folder = read_env(env_file), file.resolve().parent
    return Project(
        name=values.get("STACK_NAME", "pawpaw"),
        file=file.resolve(),
        env_file=env_file.resolve(),
        upstreams=folder / values.get("UPSTREAMS_DIR", UPSTREAMS),
        log_targets=folder / values.get("LOG_TARGETS_DIR", LOG_TARGETS),
        textfile=folder / values.get("TEXTFILE_DIR", TEXTFILE),
        acme=folder / values.get("ACME_DIR", ACME),
        **more,
    )


def containers(connect: Callable[[], Engine], project: str, service: str = "") -> tuple[Seen, ...]:
    """Return every container of the project that belongs to a service, running or not; errors as in `inspections`."""
    return tuple(sorted((parse(one) for one in inspections(connect, project, service)), key=lambda seen: seen.name))


def inspections(connect: Callable[[], Engine], project: str, service: str = "") -> tuple[dict[str, Any], ...]:
    """Return the engine's inspection of every container of the project, or of one service, running or not.

    Raises:
        Unreachable: The Docker engine does not answer.
    """
    labels = [f"{PROJECT}={project}", f"{ONE_OFF}=False", *([f"{SERVICE}={service}"] if service else [])]
    with _answering(project), closing(connect()) as engine:
        found = engine.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
        return tuple(one.attrs for one in found)


def containers_of(project: Project, service: str = "") -> tuple[Seen, ...]:
    """Return the containers of a service, or of the whole project, also of an engine that is restarted.

    Errors as in `containers`.
    """
    return patiently(project.engine, lambda: containers(lambda: connect(project.engine), project.name, service))


@contextmanager
def watching(project: Project) -> Iterator[Callable[[Iterable[str]], dict[str, Seen]]]:
    """Look at a few containers again and again over one connection, which is much less to ask than for all of them.

    An engine that is restarted is waited for, and asked over another one.

    Yields:
        A function from ids to id -> container; those that are gone are not in it. Errors as in `containers`.
    """

    def reach() -> Engine:
        with _answering(project.name):
            found: Engine = connect(project.engine)
            return found

    engine = patiently(project.engine, reach)

    def ask(one: str) -> Seen | None:
        with _answering(project.name), suppress(NotFound):
            return parse(engine.containers.get(one).attrs)
        return None

    def look(ids: Iterable[str]) -> dict[str, Seen]:
        found = {one: patiently(project.engine, partial(ask, one)) for one in ids}
        return {one: seen for one, seen in found.items() if seen}

    with closing(engine):
        yield look


@contextmanager
def _answering(project: str) -> Iterator[None]:
    try:
        yield
    except (DockerException, OSError) as seen:  # a connection that broke is none of the SDK's own errors
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
        address=address_in(attributes),
        number=int(labels.get(NUMBER, 1)),
        log_file=attributes.get("LogPath", ""),
        id=attributes.get("Id", ""),
        image=attributes.get("Image", ""),
        config_hash=labels.get(CONFIG_HASH, ""),
        oom=state.get("OOMKilled", False),
    )
