"""Services of a stack, stopped and started, and known to be up."""

import time
from collections.abc import Sequence

from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.commands import docker as command
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.project import Project
from pawpaw_ops.runner import Runner

POLL_S = 0.2
UP_S = 120.0
GRACE_S = 30.0


def stop(project: Project, names: Sequence[str], runner: Runner) -> None:
    """Stop containers; they finish what they have begun.

    Raises:
        CommandError: Docker could not.

    Touches:
        Those containers.
    """
    runner.run(command.stop(project.engine, *names, grace_s=GRACE_S))


def start_one_by_one(project: Project, names: Sequence[str], runner: Runner) -> None:
    """Start containers, each when the one before is up. One that runs is left alone, one that was removed is no matter.

    Raises:
        CommandError: Docker could not start one.
        PreconditionError: One did not come up.

    Touches:
        Those containers.
    """
    there = {one.name: one for one in containers_of(project)}
    for name in names:
        if name not in there:
            continue
        if there[name].status != "running":
            runner.run(command.start(project.engine, name))
        _wait_up(project, name)


def _wait_up(project: Project, name: str) -> None:
    until = time.monotonic() + UP_S
    while True:
        found = [one for one in containers_of(project) if one.name == name]
        if not found or found[0].up:
            return
        if found[0].failed or time.monotonic() > until:
            why = found[0].failed or f"is not healthy after {UP_S:g} s"
            raise PreconditionError(f"{name} {why}.", hint=f"`docker logs {name}` says why.")
        time.sleep(POLL_S)
