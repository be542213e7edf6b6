"""A client of the Prefect server whose errors say what to do."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError

from pawpaw_ops.clients.http import NO_ANSWER
from pawpaw_ops.errors import Unreachable

POLL_S = 1.0
PATIENCE_S = 120.0
"""How long a server may be away while we wait for a run."""
SERVER_ERROR = 500
T = TypeVar("T")


@contextlib.contextmanager
def server() -> Iterator[SyncPrefectClient]:
    """Open a client of the Prefect server.

    Raises:
        Unreachable: It did not answer, or not as it should.
    """
    try:
        with get_client(sync_client=True) as client:
            yield client
    except NO_ANSWER as seen:
        raise Unreachable(
            f"the Prefect server did not answer: {seen}.", hint="Check PREFECT_API_URL and that the server runs."
        ) from seen
    except PrefectHTTPStatusError as seen:
        request = f"{seen.request.method} {seen.request.url.path}"
        raise Unreachable(
            f"the Prefect server answered {seen.response.status_code} to {request}.",
            hint="401 and 403: check PREFECT_API_AUTH_STRING. 5xx: see the server's log.",
        ) from seen


def patiently(ask: Callable[[], T]) -> T:
    """Ask again while the server is away, for two minutes; what it answers then, or instead, is raised."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return ask()
        except NO_ANSWER:
            if time.monotonic() > until:
                raise
        except PrefectHTTPStatusError as seen:
            if seen.response.status_code < SERVER_ERROR or time.monotonic() > until:
                raise
        time.sleep(POLL_S)
