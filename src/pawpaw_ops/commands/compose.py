"""How Docker Compose is spoken to.

Source: docs.docker.com/reference/cli/docker/compose.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.commands.contained import at_engine
from pawpaw_ops.models.project import Project

LONG_S = 1800.0


def compose(
    project: Project, *words: str, env: Mapping[str, str | SecretStr] | None = None, timeout_s: float = 120.0
) -> Command:
    """Say *words* to Compose about *project*.

    Touches:
        What the words touch.
    """
    where = (
        "--project-name",
        project.name,
        "--project-directory",
        str(project.file.parent),
        "--file",
        str(project.file),
    )
    argv = ("docker", "compose", *where, "--env-file", str(project.env_file), *words)
    return Command(argv=argv, env={**at_engine(project.engine), **(env or {})}, timeout_s=timeout_s)


def services(project: Project) -> Query[tuple[str, ...]]:
    """Ask which services the project has.

    Errors: exit code 1 where a required variable has no value; its text names the variable.
    """
    return Query(command=compose(project, "config", "--services"), parse=lambda out: tuple(sorted(out.split())))


def config(project: Project, *, env: Mapping[str, str], interpolate: bool = True) -> Query[dict[str, Any]]:
    """Ask for the whole configuration; with *interpolate* it holds secrets, which are nobody's to print.

    Errors: as in `services`.
    """
    words = ("config", "--format", "json", *(() if interpolate else ("--no-interpolate",)))
    return Query(command=compose(project, *words, env=env), parse=json.loads)


def hashes(project: Project, *, env: Mapping[str, str] | Mapping[str, SecretStr]) -> Query[dict[str, str]]:
    """Ask for each service's hash: containers made from the same settings carry the same one as a label."""
    command = compose(project, "config", "--hash", "*", env=env)
    return Query(command=command, parse=lambda out: dict(line.split() for line in out.splitlines()))


def build(project: Project, *, env: Mapping[str, str] | None = None) -> Command:
    """Build the images that the project builds itself.

    Touches:
        Images on the engine.
    """
    return compose(project, "build", "--quiet", env=env, timeout_s=LONG_S)


def up(project: Project) -> Command:
    """Start what is not running, and recreate what changed.

    Touches:
        Containers, networks and volumes of the project; containers of services that are no more are left alone.
    """
    return compose(project, "up", "--detach", "--quiet-pull", timeout_s=LONG_S)


def add_replicas(project: Project, counts: Mapping[str, int], *, env: Mapping[str, str]) -> Command:
    """Start replicas until each service has so many containers; those that are there stay as they are.

    Touches:
        New containers of those services.
    """
    scale = tuple(f"--scale={service}={count}" for service, count in sorted(counts.items()))
    words = ("up", "--detach", "--no-deps", "--no-recreate", "--no-build", "--pull", "never")
    return compose(project, *words, *scale, *sorted(counts), env=env, timeout_s=LONG_S)


def start_services(
    project: Project, names: Sequence[str], *, env: Mapping[str, str], recreate: bool = False
) -> Command:
    """Start services, and what they depend on where it has no container yet; with *recreate*, anew and alone.

    Touches:
        Containers of those services.
    """
    how = ("--force-recreate", "--no-deps") if recreate else ("--no-recreate",)
    words = ("up", "--detach", "--no-build", "--quiet-pull", *how, *sorted(names))
    return compose(project, *words, env=env, timeout_s=LONG_S)


def down(project: Project) -> Command:
    """Stop and remove the containers and networks; volumes stay.

    Touches:
        Containers and networks of the project.
    """
    return compose(project, "down", "--remove-orphans", timeout_s=LONG_S)


def run_once(
    project: Project,
    service: str,
    *argv: str,
    env: Mapping[str, SecretStr] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Command:
    """Run *argv* in a container of its own made from *service*, and remove it.

    Args:
        project: The project.
        service: Whose image, network and variables it has.
        argv: What runs; nothing runs what the service runs.
        env: More variables for it. Their values travel in the environment; the command line has their names alone.
        settings: Variables of the Compose file that have another value than in the `.env`.

    Touches:
        What *argv* touches.
    """
    names = tuple(word for name in env or {} for word in ("--env", name))
    words = ("run", "--rm", "--no-deps", "-T", *names, service, *argv)
    return compose(project, *words, env={**(settings or {}), **(env or {})}, timeout_s=LONG_S)
