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
SLOWEST_S = 15.0
"""How long we leave it alone at most before we ask again."""
SERVER_ERROR = 500
PERHAPS_AWAY: tuple[type[Exception], ...] = (*NO_ANSWER, PrefectHTTPStatusError)
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


def patiently(ask: Callable[[], T], *, patience_s: float | None = None, say: Callable[[str], None] | None = None) -> T:
    """Ask again while the server is away, less and less often; what it answers then, or instead, is raised.

    Args:
        ask: The question; asked twice, it must do nothing twice.
        patience_s: Longest wait in seconds; two minutes where nothing is said.
        say: Told once that the server is away, and once that it is back.
    """
    until = time.monotonic() + (PATIENCE_S if patience_s is None else patience_s)
    wait_s, away = POLL_S, False
    while True:
        try:
            found = ask()
        except PERHAPS_AWAY as seen:
            if not _is_away(seen) or time.monotonic() > until:
                raise
        else:
            if away and say:
                say("the Prefect server answers again")
            return found
        if say and not away:
            say("the Prefect server does not answer; asking again until it does")
        away = True
        time.sleep(min(wait_s, max(0.0, until - time.monotonic())))
        wait_s = min(2 * wait_s, SLOWEST_S)


def _is_away(seen: Exception) -> bool:
    return not isinstance(seen, PrefectHTTPStatusError) or seen.response.status_code >= SERVER_ERROR
