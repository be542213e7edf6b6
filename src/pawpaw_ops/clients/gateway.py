"""The gateway: its upstream files, which requests it has under way, and its maintenance page."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import httpx

from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.clients.container_log import MOST, Reader
from pawpaw_ops.clients.docker import processes
from pawpaw_ops.clients.files import write_together, write_whole
from pawpaw_ops.clients.http import get, probe
from pawpaw_ops.commands import docker as command
from pawpaw_ops.errors import PreconditionError, Unreachable
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans import upstreams
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.runner import Runner

STATUS_PORT = 8081
TIMEOUT_S = 2.0
POLL_S = 0.1
DRAIN_S = 45.0
"""The gateway's worker_shutdown_timeout, and a margin."""
THROUGH_S = 30.0
MAINTENANCE = "maintenance.on"
INSIDE = "/etc/nginx/upstreams.d"
"""Where the gateway has the folder."""
OTHERS = "the maintenance page is on, and {who} put it there."


def ask(project: Project, path: str) -> str:
    """Return what the gateway says on the port that is not published.

    Raises:
        Unreachable: It does not answer.
        PreconditionError: It is not running.
    """
    return _ask(running(project), path)


def asking(project: Project, path: str) -> Callable[[], str]:
    """Look the gateway up once and return what asks it again and again; errors as in `ask`, from here and from there.

    Each question has a connection of its own, so that none is sure of the worker that answered the one before.
    """
    there = running(project)
    return lambda: _ask(there, path)


def _ask(gateway: Seen, path: str) -> str:
    url = f"http://{gateway.address}:{STATUS_PORT}{path}"
    try:
        return get(url, timeout_s=TIMEOUT_S).raise_for_status().text
    except httpx.HTTPError as seen:
        raise Unreachable(f"asked the gateway for {url} and got no answer: {seen}.", hint="Its log says why.") from seen


def in_flight(project: Project) -> int:
    """Return how many requests are under way; errors as in `ask`.

    Source: nginx.org/en/docs/http/ngx_http_stub_status_module.html; `Writing` counts this very question too.
    """
    text = ask(project, "/stub_status")
    found = re.search(r"Reading: (\d+) Writing: (\d+)", text)
    if found is None:
        raise Unreachable(f"asked the gateway for its status and cannot read the answer: {text[:200]!r}.")
    return int(found[1]) + int(found[2]) - 1


def live_files(project: Project) -> dict[str, str]:
    """Return name -> text of the upstream files that a deploy wrote; empty where none did."""
    return {path.name: path.read_text() for path in sorted(project.upstreams.glob("*.conf"))}


def check_files(project: Project, files: Mapping[str, str], runner: Runner) -> None:
    """Let the running gateway's nginx check files before they take the live names.

    Raises:
        CommandError: nginx refuses them; its words are in it.
        PreconditionError: The gateway is not running, or does not see the folder.

    Touches:
        A folder `.candidate` beside the live files.
    """
    candidate = project.upstreams / ".candidate"
    candidate.mkdir(exist_ok=True)
    candidate.chmod(0o755)
    _put(candidate, files)
    runner.run(command.inside(project.engine, running(project).name, "gateway-check", f"{INSIDE}/.candidate"))


def put_files(project: Project, files: Mapping[str, str]) -> None:
    """Give files the live names; those that are not among them go. The gateway reads them at its next reload.

    Raises:
        OSError: One cannot be written; all are as they were.

    Touches:
        The upstream files.
    """
    _put(project.upstreams, files)


def reload(project: Project, runner: Runner, *, checked: bool = False) -> None:
    """Let the gateway take the live files up; returns when no worker with the old ones takes requests.

    Args:
        project: The stack's project.
        runner: Starts processes.
        checked: Whether `check_files` has found these very files good: that is not done again. nginx reads them with
            the same eyes, and goes on with the old ones where it refuses them; it is only told later.

    Raises:
        CommandError: It refused them and goes on with the old ones.
        PreconditionError: It is not running.

    Touches:
        The gateway's workers.
    """
    runner.run(
        command.inside(project.engine, running(project).name, "gateway-reload", *(["--checked"] if checked else []))
    )


def old_workers(project: Project) -> int:
    """Return how many workers with older files still finish requests; errors as in `ask`."""
    return _old_workers(project, running(project))


def _old_workers(project: Project, gateway: Seen) -> int:
    titles = processes(project.engine, gateway.id)
    return sum("worker process is shutting down" in title for title in titles)


def find_again(project: Project) -> bool:
    """Write down where the listed replicas are now: a container that is started again may have another address.

    Returns:
        Whether one had. The gateway reads it at its next reload.

    Raises:
        OSError: A file cannot be written.

    Touches:
        The upstream files.
    """
    listed = live_files(project)
    now = {one.id: one.address for one in containers_of(project) if one.address}
    moved = upstreams.readdress(listed, now)
    if moved == listed:
        return False
    put_files(project, moved)
    return True


def wait_through(project: Project) -> None:
    """Wait until a backend takes requests from the gateway: a name that it looks up is known a moment late.

    A gateway of before cannot tell, which is no matter.

    Raises:
        PreconditionError: None does, with what was seen.
    """
    there, began = running(project), time.monotonic()
    url = f"http://{there.address}:{STATUS_PORT}/through/backend"
    while True:
        status, seen = probe(url, timeout_s=TIMEOUT_S)
        if status in (200, 404):
            return
        if time.monotonic() - began > THROUGH_S:
            raise PreconditionError(
                f"no backend takes requests from the gateway of {project.name!r} after {THROUGH_S:g} s: {seen}.",
                hint="Its log says which address it tried; `docker compose ps` says which backends run.",
            )
        time.sleep(POLL_S)


def drain(project: Project) -> float | None:
    """Wait until the workers with older files have ended; until then no replica that only they know may.

    Returns:
        How long that took, in seconds; None where some went on for longer than they may.
    """
    began, there = time.monotonic(), running(project)
    while _old_workers(project, there):
        if time.monotonic() - began > DRAIN_S:
            return None
        time.sleep(POLL_S)
    return round(time.monotonic() - began, 2)


def is_running(project: Project) -> bool:
    """Whether the gateway runs; one that does not comes up with the live files."""
    return bool(_found(project))


def access_log(project: Project, since: datetime, *, enough: int = MOST) -> Reader:
    """Return what reads the gateway's access log since then, each time what is new; errors as in `ask`.

    Of more than *enough* lines older ones may be left out.
    """
    return Reader(project.engine, running(project).id, since, enough=enough)


def _put(folder: Path, files: Mapping[str, str]) -> None:
    write_together(folder, files)
    for path in folder.glob("*.conf"):
        if path.name not in files:
            path.unlink()


def _found(project: Project) -> list[Seen]:
    return [one for one in containers_of(project, project.gateway) if one.address]


def running(project: Project) -> Seen:
    """Return the gateway's container.

    Raises:
        PreconditionError: It is not running.
    """
    found = _found(project)
    if not found:
        raise PreconditionError(f"the gateway of {project.name!r} is not running.", hint="Start the stack: `make up`.")
    return found[0]


def start_maintenance(project: Project, owner: str) -> None:
    """Answer every request with the maintenance page, at once.

    Args:
        project: The stack's project.
        owner: Run on whose behalf; it alone ends it.

    Raises:
        PreconditionError: Somebody else did so already.

    Touches:
        `maintenance.on` in the gateway's folder.
    """
    path = project.upstreams / MAINTENANCE
    if path.exists():
        who = path.read_text().strip() or "somebody"
        raise PreconditionError(OTHERS.format(who=who), hint=f"Remove {path}, or pass quiesce=none to leave it there.")
    write_whole(path, f"{owner}\n")


def end_maintenance(project: Project, owner: str) -> None:
    """Let requests through again; a page that somebody else shows stays.

    Touches:
        `maintenance.on` in the gateway's folder.
    """
    path = project.upstreams / MAINTENANCE
    if path.exists() and path.read_text().strip() == owner:
        path.unlink()
