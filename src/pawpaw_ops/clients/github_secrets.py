"""Secrets of a repository on GitHub: sealed for it here, written, and seen to be written. They can never be read back.

Source: docs.github.com/en/rest/actions/secrets; each of repository and environment has a key of its own.
"""

import base64
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx
from nacl.public import PublicKey, SealedBox
from pydantic import AwareDatetime, SecretStr, TypeAdapter

from pawpaw_ops.clients.github import TIMEOUT_S, headers
from pawpaw_ops.errors import ConfigError, Unreachable, VerificationError
from pawpaw_ops.models.github import GitHub
from pawpaw_ops.plans.github_secrets import Meaning, meaning, wait_s

TRIES = 5
WAIT_S = 0.5
PAGE = 100
TIME = TypeAdapter(AwareDatetime)
RIGHTS = "The token of the GitHub Deployments block needs the right to write secrets, there and of the environment."


def list_secrets(where: GitHub, environment: str = "") -> dict[str, datetime]:
    """Return name -> when it was last written, of the secrets of the repository or of one of its environments.

    Raises:
        Unreachable: GitHub did not answer, or is not well.
        ConfigError: GitHub refused it.
    """
    said = _good(_ask(where, "GET", f"{_path(where, environment)}?per_page={PAGE}")).json()
    return {one["name"]: TIME.validate_python(one["updated_at"]) for one in said["secrets"]}


def put_secret(where: GitHub, environment: str, name: str, value: SecretStr) -> None:
    """Give a secret a value, and see that GitHub has taken it.

    Args:
        where: The repository.
        environment: Empty for the repository itself.
        name: Of the secret.
        value: Sealed before it leaves this process.

    Raises:
        Unreachable: GitHub did not answer, or is not well, also after all tries.
        ConfigError: GitHub refused it.
        VerificationError: GitHub says that it is older than that.

    Touches:
        That secret.
    """
    answer, since = _put(where, environment, name, value)
    if meaning(answer.status_code, answer.headers) is Meaning.OTHER_KEY:
        answer, since = _put(where, environment, name, value)  # with the key that it has now
    _good(answer)
    path = f"{_path(where, environment)}/{quote(name)}"
    written = TIME.validate_python(_good(_ask(where, "GET", path)).json()["updated_at"])
    if written < since:
        raise VerificationError(f"GitHub took the secret {name} and says that it is of {written:%Y-%m-%dT%H:%M:%SZ}.")


def _put(where: GitHub, environment: str, name: str, value: SecretStr) -> tuple[httpx.Response, datetime]:
    """Seal and write; returns the answer, and GitHub's time right before, to the second, as its times are."""
    path = _path(where, environment)
    asked = _good(_ask(where, "GET", f"{path}/public-key"))
    key = asked.json()
    box = SealedBox(PublicKey(base64.b64decode(key["key"])))
    sealed = base64.b64encode(box.encrypt(value.get_secret_value().encode())).decode()
    body = {"encrypted_value": sealed, "key_id": key["key_id"]}
    return _ask(where, "PUT", f"{path}/{quote(name)}", body), _time(asked.headers)


def _time(found: Mapping[str, str]) -> datetime:
    said = found.get("date")
    return parsedate_to_datetime(said) if said else datetime.min.replace(tzinfo=UTC)


def _path(where: GitHub, environment: str) -> str:
    inside = f"environments/{quote(environment, safe='')}/secrets" if environment else "actions/secrets"
    return f"/repos/{where.repository}/{inside}"


def _ask(where: GitHub, method: str, path: str, body: Any = None) -> httpx.Response:
    """Send a request that does no harm twice, until there is an answer that says something."""
    url, said = f"{where.api_url.rstrip('/')}{path}", ""
    for left in range(TRIES - 1, -1, -1):
        pause = WAIT_S * 2 ** (TRIES - 1 - left)
        try:
            answer = httpx.request(method, url, json=body, headers=headers(where), timeout=TIMEOUT_S)
        except httpx.TransportError as seen:
            said = str(seen)
        else:
            if meaning(answer.status_code, answer.headers) is not Meaning.AGAIN:
                return answer
            said, pause = f"it answered {answer.status_code}", wait_s(answer.headers, otherwise=pause)
        if left:
            time.sleep(pause)
    raise Unreachable(f"asked GitHub for {path.partition('?')[0]} {TRIES} times: {said}.")


def _good(answer: httpx.Response) -> httpx.Response:
    if meaning(answer.status_code, answer.headers) is Meaning.GOOD:
        return answer
    said = f"GitHub refused {answer.request.url.path} with {answer.status_code}: {answer.text[:200]}."
    raise ConfigError(said, hint=RIGHTS)
