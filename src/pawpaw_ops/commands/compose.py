"""How Docker Compose is spoken to.

Source: docs.docker.com/reference/cli/docker/compose.
"""

from collections.abc import Mapping

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query
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
    return Command(argv=argv, env=env or {}, timeout_s=timeout_s)


def services(project: Project) -> Query[tuple[str, ...]]:
    """Ask which services the project has.

    Errors: exit code 1 where a required variable has no value; its text names the variable.
    """
    return Query(command=compose(project, "config", "--services"), parse=lambda out: tuple(sorted(out.split())))


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


def down(project: Project) -> Command:
    """Stop and remove the containers and networks; volumes stay.

    Touches:
        Containers and networks of the project.
    """
    return compose(project, "down", "--remove-orphans", timeout_s=LONG_S)


def run_once(project: Project, service: str, *argv: str, env: Mapping[str, SecretStr]) -> Command:
    """Run *argv* in a container of its own made from *service*, and remove it.

    The variables' values travel in the environment; only their names stand in the command line.

    Touches:
        What *argv* touches.
    """
    names = tuple(word for name in env for word in ("--env", name))
    return compose(project, "run", "--rm", "--no-deps", "-T", *names, service, *argv, env=env, timeout_s=LONG_S)
