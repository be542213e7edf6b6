"""What an HTTP client raises when no server answers, for those who may not import one."""

import httpx

NO_ANSWER: tuple[type[Exception], ...] = (httpx.TransportError,)
"""Refused, unknown host, timed out, cut off."""


def answers(url: str, *, timeout_s: float = 2.0) -> bool:
    """Whether a server answers this address with a success."""
    try:
        return httpx.get(url, timeout=timeout_s).is_success
    except NO_ANSWER:
        return False
