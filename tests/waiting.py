"""Waiting for a condition instead of for a time."""

import os
import time
from collections.abc import Callable

DEADLINE_S = 60.0
EVERY_S = 0.05
SOAK = os.environ.get("PAWPAW_SOAK", "") not in {"", "0"}
"""Whether there is time for every kill point and for many rounds, as in `make soak`."""


def wait_until(
    holds: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S, every_s: float = EVERY_S
) -> float:
    """Poll until a condition holds; returns how long that took, in seconds."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < deadline_s, f"not within {deadline_s:g} s: {what}"
        time.sleep(every_s)
    return time.monotonic() - start
