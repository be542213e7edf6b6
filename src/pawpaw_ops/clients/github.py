"""GitHub's deployments, opened and given a status; and its pull requests.

Source: docs.github.com/en/rest/deployments.
"""

import time
from typing import Any

import httpx

from pawpaw_ops.errors import ConfigError, Unreachable
from pawpaw_ops.models.github import GitHub

VERSION = "2022-11-28"
TIMEOUT_S = 10.0
TRIES = 3
WAIT_S = 1.0
LONGEST = 140
"""Characters of a description."""
SERVER_ERROR = 500


def create_deployment(where: GitHub, *, ref: str, environment: str, description: str) -> int:
    """Open a deployment; a request that may have arrived is not sent again, so that there are never two.

    Args:
        where: The repository.
        ref: Commit.
        environment: `prod`.
        description: What is deployed; cut to what GitHub takes.

    Returns:
        Its id.

    Raises:
        Unreachable: GitHub did not answer, or is not well.
        ConfigError: GitHub refused it.

    Touches:
        The repository's deployments.
    """
    said = _post(
        where,
        f"/repos/{where.repository}/deployments",
        {
            "ref": ref,
            "environment": environment,
            "description": _cut(description),
            "auto_merge": False,
            # Whether the commit may be deployed is decided by run-tests here, not by checks there.
            "required_contexts": [],
        },
        again=(httpx.ConnectError, httpx.ConnectTimeout),
    )
    if "id" not in said:
        raise ConfigError(f"GitHub took a deployment of {ref} and did not open one: {said.get('message', 'no id')}.")
    return int(said["id"])


def set_status(where: GitHub, deployment: int, state: str, *, description: str, log_url: str = "") -> None:
    """Give a deployment a status; the same one twice does no harm.

    Args:
        where: The repository.
        deployment: Its id.
        state: `in_progress`, `success`, `failure`, `error` or `inactive`.
        description: Why; cut to what GitHub takes.
        log_url: Address of the run; empty for none.

    Raises:
        Unreachable: GitHub did not answer, or is not well.
        ConfigError: GitHub refused it.

    Touches:
        That deployment. GitHub makes older ones of the environment inactive when one succeeds.
    """
    body = {"state": state, "description": _cut(description), "auto_inactive": True}
    links = {"log_url": log_url, "environment_url": where.environment_url}
    path = f"/repos/{where.repository}/deployments/{deployment}/statuses"
    _post(where, path, body | {name: url for name, url in links.items() if url}, again=(httpx.TransportError,))


def open_pull(where: GitHub, *, head: str, base: str, title: str, body: str) -> str:
    """Ask for a branch to be taken over; a request that may have arrived is not sent again.

    Args:
        where: The repository.
        head: The branch that was pushed.
        base: The branch that shall take it over.
        title: One line.
        body: What it came with; markdown.

    Returns:
        The address of its page.

    Raises:
        Unreachable: GitHub did not answer, or is not well.
        ConfigError: GitHub refused it.

    Touches:
        The repository's pull requests.

    Source: docs.github.com/en/rest/pulls/pulls#create-a-pull-request.
    """
    wanted = {"head": head, "base": base, "title": _cut(title), "body": body, "maintainer_can_modify": True}
    again = (httpx.ConnectError, httpx.ConnectTimeout)
    return str(_post(where, f"/repos/{where.repository}/pulls", wanted, again=again)["html_url"])


def headers(where: GitHub) -> dict[str, str]:
    """Return what every request carries."""
    return {
        "Authorization": f"Bearer {where.token.get_secret_value()}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": VERSION,
    }


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _post(where: GitHub, path: str, body: dict[str, Any], *, again: tuple[type[Exception], ...]) -> dict[str, Any]:
    for left in range(TRIES - 1, -1, -1):
        try:
            answer = httpx.post(
                f"{where.api_url.rstrip('/')}{path}", json=body, headers=headers(where), timeout=TIMEOUT_S
            )
        except httpx.TransportError as seen:
            if left and isinstance(seen, again):
                time.sleep(WAIT_S)
                continue
            raise Unreachable(f"GitHub did not answer: {seen}.") from seen
        if answer.is_success:
            said: dict[str, Any] = answer.json()
            return said
        if answer.status_code >= SERVER_ERROR and left and httpx.TransportError in again:
            time.sleep(WAIT_S)
            continue
        raise _refused(answer)
    raise AssertionError(path)  # the last try returns or raises


def _refused(answer: httpx.Response) -> Exception:
    if answer.status_code >= SERVER_ERROR:
        return Unreachable(f"GitHub answered {answer.status_code}.")
    return ConfigError(
        f"GitHub refused {answer.request.url.path} with {answer.status_code}: {answer.text[:200]}.",
        hint="401, 403, 404: the token of the GitHub Deployments block must be able to write deployments there, and"
        " pull requests for audit-dependencies.",
    )
