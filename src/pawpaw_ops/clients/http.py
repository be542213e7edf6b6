"""What an HTTP client raises when no server answers, for those who may not import one."""

import httpx

NO_ANSWER: tuple[type[Exception], ...] = (httpx.TransportError,)
"""Refused, unknown host, timed out, cut off."""


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
        headers = {"Authorization": f"Bearer {token}"} if token else None
        answer = httpx.get(url, timeout=timeout_s, follow_redirects=False, trust_env=False, headers=headers)
    except NO_ANSWER as seen:
        return 0, f"{url}: {seen}"
    said = f"redirects to {answer.headers['location']}" if answer.has_redirect_location else answer.text[:200].strip()
    return answer.status_code, f"{url}: {answer.status_code} {said}".strip()


def answers(url: str, *, timeout_s: float = 2.0) -> bool:
    """Whether a server answers this address with a success."""
    try:
        return httpx.get(url, timeout=timeout_s).is_success
    except NO_ANSWER:
        return False
