"""What GitHub's answers to a request about secrets mean, and which secret hides which."""

from collections.abc import Collection, Mapping
from enum import StrEnum

LONGEST_WAIT_S = 60.0
"""No server makes us wait longer, whatever it says."""
TOO_MANY, FORBIDDEN, UNPROCESSABLE, SERVER_ERROR = 429, 403, 422, 500


class Meaning(StrEnum):
    """What to do about an answer."""

    GOOD = "good"
    AGAIN = "again"
    OTHER_KEY = "other key"
    FINAL = "final"


def meaning(status: int, headers: Mapping[str, str]) -> Meaning:
    """Read an answer. A limit is told by 429, or by 403 with the time to wait; any other 403 is a missing right.

    Source: docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
    """
    limited = status == FORBIDDEN and ("retry-after" in headers or headers.get("x-ratelimit-remaining") == "0")
    if status >= SERVER_ERROR or status == TOO_MANY or limited:
        return Meaning.AGAIN
    if status == UNPROCESSABLE:
        return Meaning.OTHER_KEY
    return Meaning.GOOD if status < 300 else Meaning.FINAL  # noqa: PLR2004 - the successes of HTTP


def wait_s(headers: Mapping[str, str], *, otherwise: float) -> float:
    """Return how long to wait before the next try, in seconds."""
    said = headers.get("retry-after", "")
    return min(float(said), LONGEST_WAIT_S) if said.isdecimal() else otherwise


def hidden(ours: Mapping[str, Collection[str]], there: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return the repository's secrets of ours that a workflow does not get, as its environment has others of that name.

    Args:
        ours: Environment, empty for the repository -> secrets that we write.
        there: The same -> secrets that there are.
    """
    return tuple(
        sorted(
            name
            for environment, names in there.items()
            if environment
            for name in names
            if name in ours.get("", ()) and name not in ours.get(environment, ())
        )
    )
