"""The gateway: which requests it has under way, and whether it shows the maintenance page."""

import re

import httpx

from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.errors import PreconditionError, Unreachable
from pawpaw_ops.models.project import Project

STATUS_PORT = 8081
TIMEOUT_S = 2.0
MAINTENANCE = "maintenance.on"
OTHERS = "the maintenance page is on, and {who} put it there."


def ask(project: Project, path: str) -> str:
    """Return what the gateway says on the port that is not published.

    Raises:
        Unreachable: It does not answer.
        PreconditionError: It is not running.
    """
    found = [one for one in containers_of(project, project.gateway) if one.address]
    if not found:
        raise PreconditionError(f"the gateway of {project.name!r} is not running.", hint="Start the stack: `make up`.")
    url = f"http://{found[0].address}:{STATUS_PORT}{path}"
    try:
        return httpx.get(url, timeout=TIMEOUT_S, trust_env=False).raise_for_status().text
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
