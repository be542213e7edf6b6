"""Waiting for a condition instead of for a time."""

import os
import time
from collections.abc import Callable

DEADLINE_S = 60.0
EVERY_S = 0.05
LATER, LATEST_S = 0.05, 0.5
"""Of the time waited so far, how much passes until the next look, and how much at most: most looks start a program."""
SOAK = os.environ.get("PAWPAW_SOAK", "") not in {"", "0"}
"""Whether there is time for every kill point and for many rounds, as in `make soak`."""


def wait_until(
    holds: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S, every_s: float | None = None
) -> float:
    """Poll until a condition holds, ever less often unless *every_s* says how often; returns the seconds it took."""
    start = time.monotonic()
    while not holds():
        waited = time.monotonic() - start
        assert waited < deadline_s, f"not within {deadline_s:g} s: {what}"
        time.sleep(min(max(EVERY_S, LATER * waited), LATEST_S) if every_s is None else every_s)
    return time.monotonic() - start
