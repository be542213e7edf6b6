"""Services of a stack, stopped and started, and known to be up."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.commands import compose
from pawpaw_ops.commands import docker as command
from pawpaw_ops.commands.contained import remove
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans.log_targets import log_targets
from pawpaw_ops.plans.services import Service, parse_services
from pawpaw_ops.runner import Runner

POLL_S = 0.2
UP_S = 120.0
GRACE_S = 30.0


def read_services(project: Project, runner: Runner, *, env: Mapping[str, str] | None = None) -> tuple[Service, ...]:
    """Return the services of the project's Compose file.

    Args:
        project: The project.
        runner: Starts processes.
        env: Variables that have another value than in the `.env`.

    Raises:
        CommandError: Compose refuses the file or the `.env`; its words name what.
    """
    with ThreadPoolExecutor(1) as beside:
        plain = beside.submit(runner.ask, compose.config(project, env={}, interpolate=False))
        config = runner.ask(compose.config(project, env=env or {}))
        return parse_services(config, plain.result())


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


def recreate(project: Project, names: Sequence[str], settings: Mapping[str, str], runner: Runner) -> None:
    """Stop services and make them anew, then wait until they are up; errors as in `start_one_by_one`.

    Args:
        project: The project.
        names: The services.
        settings: Variables that have another value than in the `.env`.
        runner: Starts processes.

    Touches:
        The containers of those services.
    """
    runner.run(compose.start_services(project, names, env=settings, recreate=True))
    for one in containers_of(project):
        if one.service in names:
            _wait_up(project, one.name)


def remove_others(project: Project, service: str, keep: Sequence[str], runner: Runner) -> None:
    """Remove the containers of a service whose ids are not to be kept.

    Touches:
        Those containers.
    """
    remove_ids(project, [one.id for one in containers_of(project, service) if one.id not in keep], runner)


def retire(project: Project, ids: Sequence[str], runner: Runner, *, grace_s: float) -> None:
    """Stop containers, all at once, and remove them; those that are gone are no matter.

    Touches:
        Those containers.
    """
    there = {one.id: one for one in containers_of(project)}
    running = [one for one in ids if one in there and there[one].status == "running"]
    if running:
        runner.run(command.stop(project.engine, *running, grace_s=grace_s))
    remove_ids(project, [one for one in ids if one in there], runner)


def tell_the_shipper(project: Project) -> None:
    """Write down whose log files the log shipper reads; nothing where the stack has none.

    Raises:
        OSError: It cannot be written.

    Touches:
        `containers.json` in the folder that the shipper has mounted.
    """
    if project.log_targets is None:
        return
    project.log_targets.mkdir(parents=True, exist_ok=True)
    write_whole(project.log_targets / "containers.json", log_targets(project.name, containers_of(project)))


def remove_ids(project: Project, ids: Sequence[str], runner: Runner) -> None:
    """Remove containers at once.

    Touches:
        Those containers.
    """
    if ids:
        runner.run(remove(project.engine, tuple(ids)))


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
