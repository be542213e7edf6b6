"""What an HTTP client raises when no server answers, for those who may not import one."""

import httpx

NO_ANSWER: tuple[type[Exception], ...] = (httpx.TransportError,)
"""Refused, unknown host, timed out, cut off."""


def probe(url: str, *, timeout_s: float = 2.0) -> tuple[int, str]:
    """Ask an address once and follow nothing.

    Returns:
        The status, 0 where nobody answered; and what was seen, for people: a redirect's target, or the text.
    """
    try:
        answer = httpx.get(url, timeout=timeout_s, follow_redirects=False, trust_env=False)
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
