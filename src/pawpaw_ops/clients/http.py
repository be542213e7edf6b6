"""Questions over HTTP, and what is raised when no server answers, for those who may not import a client."""

import ssl
from collections.abc import Mapping
from functools import cache

import httpx

NO_ANSWER: tuple[type[Exception], ...] = (httpx.TransportError,)
"""Refused, unknown host, timed out, cut off."""


@cache
def _authorities() -> ssl.SSLContext:
    """Return what TLS needs; to read it anew takes longer than most answers."""
    return httpx.create_ssl_context(trust_env=False)


def get(url: str, *, timeout_s: float = 2.0, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Ask an address once, on a connection of its own; follow nothing and no proxy.

    Raises:
        httpx.TransportError: Nobody answered.
    """
    return httpx.get(url, timeout=timeout_s, trust_env=False, headers=headers, verify=_authorities())


def probe(url: str, *, timeout_s: float = 2.0, token: str = "") -> tuple[int, str]:
    """Ask an address once and follow nothing.

    Args:
        url: The address.
        timeout_s: How long it may take, in seconds.
        token: Bearer token; empty for none.

    Returns:
        The status, 0 where nobody answered; and what was seen, for people: a redirect's target, or the text.
    """
    try:
        answer = get(url, timeout_s=timeout_s, headers={"Authorization": f"Bearer {token}"} if token else None)
    except NO_ANSWER as seen:
        return 0, f"{url}: {seen}"
    said = f"redirects to {answer.headers['location']}" if answer.has_redirect_location else answer.text[:200].strip()
    return answer.status_code, f"{url}: {answer.status_code} {said}".strip()


def answers(url: str, *, timeout_s: float = 2.0) -> bool:
    """Whether a server answers this address with a success."""
    try:
        return httpx.get(url, timeout=timeout_s, verify=_authorities()).is_success
    except NO_ANSWER:
        return False
