"""How the shop's own suites are run in containers that reach nothing.

Source: docs.docker.com/reference/cli/docker/container/run, docs.docker.com/reference/cli/docker/buildx/build.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pawpaw_ops.commands.command import Command
from pawpaw_ops.commands.compose import LONG_S, compose
from pawpaw_ops.commands.contained import RUN_LABEL, at_engine
from pawpaw_ops.models.project import Project

LIMITS = (
    *("--init", "--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
    *("--memory=2g", "--pids-limit=1024", "--shm-size=256m"),
)


def build_image(
    engine: str,
    context: Path,
    tag: str,
    *,
    arguments: Mapping[str, str],
    env: Mapping[str, str],
    log: Path,
    file: Path | None = None,
    target: str = "",
) -> Command:
    """Build an image for a suite from a stage or another Dockerfile of a service.

    Touches:
        An image on the engine; makes *log*.
    """
    given = tuple(word for name, value in sorted(arguments.items()) for word in ("--build-arg", f"{name}={value}"))
    where = (*(("--file", str(file)) if file else ()), *(("--target", target) if target else ()))
    argv = ("docker", "build", "--force-rm", "--tag", tag, *where, *given, str(context))
    return Command(argv=argv, env={**at_engine(engine), **env}, stdout=log, timeout_s=LONG_S)


def run(
    engine: str, image: str, *argv: str, name: str, run_id: str, mounts: Mapping[Path, str], log: Path, timeout_s: float
) -> Command:
    """Run a suite in a container of its own, which stays when it ends: its results are still to be fetched.

    Touches:
        A container; makes *log*.
    """
    binds = tuple(f"--mount=type=bind,source={source},target={to},readonly" for source, to in mounts.items())
    words = ("docker", "run", "--name", name, "--label", f"{RUN_LABEL}={run_id}", "--env=NO_COLOR=1", "--env=CI=1")
    full = (*words, *LIMITS, *binds, image, *argv)
    return Command(argv=full, env=at_engine(engine), stdout=log, timeout_s=timeout_s, inside=argv[0])


def start_throwaway(project: Project, services: Sequence[str]) -> Command:
    """Start one replica of services and what they depend on, from images that are there.

    Touches:
        Containers, networks and volumes of that project.
    """
    scale = tuple(f"--scale={service}=1" for service in sorted(services))
    words = ("up", "--detach", "--no-build", "--pull", "never", *scale, *sorted(services))
    return compose(project, *words, timeout_s=LONG_S)


def remove_throwaway(project: Project) -> Command:
    """Remove everything of a project, its data too.

    Touches:
        Containers, networks and volumes of that project.
    """
    words = ("down", "--volumes", "--remove-orphans", "--timeout", "5")
    return compose(project, *words, timeout_s=LONG_S)
