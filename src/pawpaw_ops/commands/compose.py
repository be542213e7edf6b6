"""How Docker Compose is spoken to.

Source: docs.docker.com/reference/cli/docker/compose.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field, SecretStr

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.models.base import Noun

LONG_S = 1800.0


class Project(Noun):
    """A Compose project on this host.

    Attributes:
        name: What Compose calls it; labels of its containers carry it.
        files: Compose files, the later over the earlier.
        env_file: File with the values of its variables.
        profiles: Profiles that are switched on.
    """

    name: str = Field(min_length=1)
    files: tuple[Path, ...] = Field(min_length=1)
    env_file: Path
    profiles: tuple[str, ...] = ()


def compose(
    project: Project,
    *words: str,
    env: Mapping[str, str | SecretStr] | None = None,
    timeout_s: float = 120.0,
    stdin: str | SecretStr | None = None,
) -> Command:
    """Say *words* to Compose about *project*.

    Touches:
        What the words touch.
    """
    files = tuple(word for file in project.files for word in ("--file", str(file)))
    profiles = tuple(word for profile in project.profiles for word in ("--profile", profile))
    return Command(
        argv=(
            "docker",
            "compose",
            "--project-name",
            project.name,
            "--project-directory",
            str(project.files[0].parent),
            *files,
            "--env-file",
            str(project.env_file),
            *profiles,
            *words,
        ),
        env=env or {},
        stdin=stdin,
        timeout_s=timeout_s,
    )


def services(project: Project) -> Query[tuple[str, ...]]:
    """Ask which services the project has under its profiles.

    Errors: exit code 1 where a required variable has no value; its text names the variable.
    """
    return Query(command=compose(project, "config", "--services"), parse=lambda out: tuple(sorted(out.split())))


def build(project: Project, *, env: Mapping[str, str] | None = None) -> Command:
    """Build the images that the project builds itself.

    Touches:
        Images on the engine.
    """
    return compose(project, "build", "--quiet", env=env, timeout_s=LONG_S)


def up(project: Project, names: Sequence[str] = ()) -> Command:
    """Start what is not running, and recreate what changed.

    Touches:
        Containers, networks and volumes of the project; containers of services that are no more are left alone.
    """
    return compose(project, "up", "--detach", "--quiet-pull", *names, timeout_s=LONG_S)


def down(project: Project, *, volumes: bool = False) -> Command:
    """Stop and remove the containers and networks.

    Touches:
        Containers and networks of the project; its data too, and for good, with *volumes*.
    """
    return compose(project, "down", "--remove-orphans", *(("--volumes",) if volumes else ()), timeout_s=LONG_S)


def run_once(
    project: Project,
    service: str,
    *argv: str,
    env: Mapping[str, str | SecretStr] | None = None,
    timeout_s: float = 300.0,
) -> Command:
    """Run *argv* in a container of its own made from *service*, and remove it.

    The variables' values travel in the environment; only their names stand in the command line.

    Touches:
        What *argv* touches.
    """
    names = tuple(word for name in env or {} for word in ("--env", name))
    return compose(project, "run", "--rm", "--no-deps", "-T", *names, service, *argv, env=env, timeout_s=timeout_s)
