"""The images of a build themselves, started as production starts them, on servers that are thrown away."""

import secrets
import tempfile
import time
from pathlib import Path

from pawpaw_ops.clients import compose_project, docker
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.clients.http import probe
from pawpaw_ops.clients.services import read_services
from pawpaw_ops.commands import compose, suites
from pawpaw_ops.errors import CommandError, OpsError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.release import Build
from pawpaw_ops.models.stack import Workplace
from pawpaw_ops.plans.services import Kind, Service
from pawpaw_ops.plans.startup import Seen, standing
from pawpaw_ops.plans.suites import SuiteResult, smoked, throwaway_env
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.sources import Sources

POLL_S = 0.5
OK = 200
Tested = dict[str, str]


@operation("start images on empty servers")
def smoke(place: Workplace, sources: Sources, build: Build, *, timeout_s: float) -> tuple[SuiteResult, Tested]:
    """Start the build's images with a database and a Redis of their own: roles, migrations, health, readiness, a page.

    Returns:
        What came of it; and service -> id of each image of the build that ran.

    Touches:
        A Compose project of its own, which goes again with its volumes.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pawpaw-smoke-") as folder:
        project = Project(
            name=f"{place.project.name}-smoke-{secrets.token_hex(3)}",
            file=sources.project.file,
            env_file=Path(folder) / "env",
            upstreams=Path(folder),
            engine=place.project.engine,
        )
        _write_env(project, place, build)
        verdict, says, tested = _try(project, build, timeout_s)
    took_s = round(time.monotonic() - began, 1)
    result = SuiteResult(name="smoke", verdict=verdict, says=says, took_s=took_s)
    (report.logger().info if verdict is Verdict.VERIFIED else report.logger().error)("smoke: %s", result.line)
    return result, tested


def _write_env(project: Project, place: Workplace, build: Build) -> None:
    raw = LocalRunner().ask(compose.config(place.project, env={}, interpolate=False))["services"]
    env = read_env(place.project.env_file)
    made = throwaway_env(project.file.read_text(), raw, env, name=project.name, make=lambda: secrets.token_urlsafe(24))
    made |= {one.variable: one.id for one in build.images}
    write_whole(project.env_file, "".join(f"{name}={value}\n" for name, value in made.items()), mode=0o600)


def _try(project: Project, build: Build, timeout_s: float) -> tuple[Verdict, str, Tested]:
    """Try it; what goes wrong before anything of the build ran says nothing of the build."""
    runner = LocalRunner()
    ids = {one.service: one.id for one in build.images}
    try:
        services = read_services(project, runner)
        chosen = smoked(services, build)
        if not chosen:
            return Verdict.NOT_VERIFIED, "no image of the build can be asked whether it is ready", {}
        why = _start(runner, project, chosen)
        failed, found = _wait(project, services, chosen, timeout_s)
        tested = {one.service: one.image for one in found if ids.get(one.service) == one.image}
        if failed or why:
            return (Verdict.FAILED if failed else Verdict.NOT_VERIFIED), failed or why, tested
        wrong = [said for service in chosen for said in _ask(service, found)]
        if wrong:
            return Verdict.FAILED, "; ".join(wrong), tested
        return Verdict.VERIFIED, f"{', '.join(one.name for one in chosen)} healthy, ready and serving", tested
    except OpsError as seen:
        return Verdict.NOT_VERIFIED, seen.message, {}
    finally:
        runner.run(suites.remove_throwaway(project))


def _start(runner: LocalRunner, project: Project, chosen: tuple[Service, ...]) -> str:
    """Start them; what Compose says of a failure is worth less than what the containers show."""
    try:
        runner.run(suites.start_throwaway(project, [one.name for one in chosen]))
    except CommandError as seen:
        return seen.stderr_tail or seen.message
    return ""


def _wait(
    project: Project, services: tuple[Service, ...], chosen: tuple[Service, ...], timeout_s: float
) -> tuple[str, tuple[Seen, ...]]:
    """Wait until all is up; returns why it will not be, and the containers."""
    once = tuple(one.name for one in services if one.kind is Kind.ONCE)
    until = time.monotonic() + timeout_s
    while True:
        found = compose_project.containers_of(project)
        now = standing([one.name for one in chosen], found, once=once)
        if now.failed:
            return "; ".join(f"{name} {why}: {_last_words(project, name)}" for name, why in now.failed), found
        if now.all_up or not found:
            return "", found
        if time.monotonic() > until:
            return f"not healthy after {timeout_s:g} s: {', '.join(now.waiting)}", found
        time.sleep(POLL_S)


def _last_words(project: Project, container: str) -> str:
    return " | ".join(docker.log_tail(project.engine, container, lines=5))


def _ask(service: Service, found: tuple[Seen, ...]) -> list[str]:
    """Ask every replica whether it is ready, and for a page; returns what was wrong."""
    wrong = []
    for one in (seen for seen in found if seen.service == service.name):
        for path in filter(None, (service.ready, service.smoke)):
            status, said = probe(f"http://{one.address}:{service.port}{path}", timeout_s=10.0)
            if status != OK:
                wrong.append(f"{service.name}: {said}")
    return wrong
