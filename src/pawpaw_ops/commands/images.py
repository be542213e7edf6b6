"""How images are built through the Compose file, and named.

Source: docs.docker.com/reference/cli/docker/compose/build, docs.docker.com/reference/compose-file/build.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.commands.compose import LONG_S, compose
from pawpaw_ops.commands.contained import RUN_LABEL, at_engine
from pawpaw_ops.models.project import Project

ENGINES_OWN = {"DOCKER_BUILDKIT": "0"}
"""Makes the CLI build with the engine's own builder; the Dockerfiles build with both."""
ATTEST = ("--sbom=true", "--provenance=mode=max")
VERSION = re.compile(r"v?\d+\.\d+\S*")
RUNNING = re.compile(r"---> Running in ([0-9a-f]{12})$", re.MULTILINE)
REMOVED = re.compile(
    r"^(?:Removing intermediate container|Removed intermediate container) ([0-9a-f]{12})", re.MULTILINE
)


def buildx() -> Query[str]:
    """Ask for the version of the CLI's buildx; empty where it has none (exit code 1)."""
    command = Command(argv=("docker", "buildx", "version"), ok_codes=(0, 1, 125))
    return Query(command=command, parse=_version)


def build(
    project: Project,
    service: str,
    *,
    env: Mapping[str, str | SecretStr],
    labels: Mapping[str, str],
    log: Path,
    attest: bool = False,
) -> Command:
    """Build one service's image.

    Args:
        project: The project; its file is the one of the sources that are built.
        service: Which.
        env: Variables of the Compose file that have another value than in the `.env`: the image's name is one of them.
        labels: What is written on the image. They stand in a second Compose file, on standard input: `build` has no
            option for them.
        log: Where it goes what is built, line by line.
        attest: Keep a list of what is in the image, and of how it was made, beside it.

    Touches:
        An image on the engine, under that name; makes *log*.
    """
    more = {"services": {service: {"build": {"labels": dict(labels)}}}}
    words = ("--file", "-", "build", *(ATTEST if attest else ()), service)
    command = compose(project, *words, env=env, timeout_s=LONG_S)
    return replace(command, stdin=json.dumps(more), stdout=log)


def tag(engine: str, image: str, name: str) -> Command:
    """Give an image one more name; the name is taken from any other image.

    Touches:
        That name.
    """
    return Command(argv=("docker", "image", "tag", image, name), env=at_engine(engine))


def untag(engine: str, *names: str) -> Command:
    """Take names away, and images that had no other; what the builder remembers stays. One that is gone is no error.

    Touches:
        Those names.
    """
    return Command(argv=("docker", "image", "rm", "--no-prune", *names), env=at_engine(engine), ok_codes=(0, 1))


def create(engine: str, image: str, *, run_id: str) -> Command:
    """Make a container of an image and do not start it: it shows that the engine has all of the image.

    Touches:
        A container with the run's label.
    """
    words = ("create", "--network=none", "--pull=never", f"--label={RUN_LABEL}={run_id}", image)
    return Command(argv=("docker", *words), env=at_engine(engine))


def remove_container(engine: str, container: str) -> Command:
    """Remove a container that has ended; a running one and one that is gone are left as they are, its volumes too.

    Touches:
        That container.
    """
    return Command(argv=("docker", "rm", container), env=at_engine(engine), ok_codes=(0, 1))


def left_running(log: str) -> tuple[str, ...]:
    """Return the containers that the engine's own builder says it made and does not say it removed.

    It leaves the one in which a build failed, and Compose cannot tell it not to.
    """
    removed = set(REMOVED.findall(log))
    return tuple(found for found in dict.fromkeys(RUNNING.findall(log)) if found not in removed)


def _version(out: str) -> str:
    found = VERSION.search(out)
    return found[0] if found else ""
