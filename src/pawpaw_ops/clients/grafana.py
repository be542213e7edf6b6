"""The password of Grafana's administrator, through its HTTP API. It has one, so that the old one ends with the change.

Source: grafana.com/docs/grafana/latest/developers/http_api/user. A login with five wrong tries in five minutes is
blocked and then answers like one with a wrong password, word for word (github.com/grafana/grafana/issues/109138): a
refusal alone says nothing.
"""

import time
from collections.abc import Mapping

import httpx
from pydantic import SecretStr

from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.commands import compose
from pawpaw_ops.errors import PreconditionError, Unreachable
from pawpaw_ops.models.project import Project
from pawpaw_ops.runner import Runner

SERVICE, USER = "grafana", "admin"
TIMEOUT_S = 10.0
BLOCKED_S = 310.0
"""After so long a login that was blocked is not any more."""
UNAUTHORIZED = 401


def is_part(project: Project, runner: Runner) -> bool:
    """Whether the stack has one: its Compose profile may be left out.

    Raises:
        CommandError: Compose refuses the file or the `.env`; its words name what.
    """
    return SERVICE in runner.ask(compose.services(project))


def address(project: Project) -> str:
    """Return where it is published on this host."""
    return f"http://127.0.0.1:{read_env(project.env_file).get('GRAFANA_PORT') or 3001}"


def lets_in(where: str, password: SecretStr) -> bool:
    """Whether the administrator may come with a password; no means that it is wrong, or that the login is blocked.

    Raises:
        Unreachable: Grafana did not answer, or is not well.
    """
    answer = _ask("GET", f"{where}/api/user", password)
    if answer.status_code == UNAUTHORIZED:
        return False
    if not answer.is_success:
        raise Unreachable(f"Grafana answered {answer.status_code} at {where}.")
    return True


def accepts(where: str, password: SecretStr) -> bool:
    """Whether a password is the administrator's; a no is asked again when a block is over. Errors as in `lets_in`."""
    if lets_in(where, password):
        return True
    time.sleep(BLOCKED_S)
    return lets_in(where, password)


def refuses(where: str, password: SecretStr, *, beside: SecretStr) -> bool | None:
    """Whether a password is refused; None where the right one, asked after it, is refused too, which is no answer.

    Args:
        where: The address.
        password: The one that should be wrong.
        beside: The right one.

    Raises:
        Unreachable: Grafana did not answer, or is not well.
    """
    if lets_in(where, password):
        return False
    return True if lets_in(where, beside) else None


def change(where: str, old: SecretStr, new: SecretStr) -> None:
    """Give the administrator a new password, and see it taken; one that it has already is no matter.

    Raises:
        PreconditionError: Grafana does not take it, has another than both, or has blocked the login.
        Unreachable: Grafana did not answer; which of the two it has is unknown.

    Touches:
        That password. Whoever is logged in stays so.
    """
    body = {"oldPassword": old.get_secret_value(), "newPassword": new.get_secret_value()}
    try:
        answer = _ask("PUT", f"{where}/api/user/password", old, body)
        said = f"it answered {answer.status_code} {answer.text[:200]}"
    except Unreachable as seen:  # perhaps only its answer was lost
        said = str(seen)
    if not lets_in(where, new):
        raise PreconditionError(
            f"Grafana did not take another password for {USER}: {said}",
            hint="401: it has another than the .env, or has blocked the login for 5 minutes after wrong tries.",
        )


def _ask(method: str, url: str, password: SecretStr, body: Mapping[str, str] | None = None) -> httpx.Response:
    login = (USER, password.get_secret_value())
    try:
        return httpx.request(method, url, auth=login, json=body, timeout=TIMEOUT_S, trust_env=False)
    except httpx.TransportError as seen:
        raise Unreachable(f"asked Grafana at {url} and it did not answer: {seen}.") from seen
