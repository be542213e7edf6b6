"""What an HTTP client raises when no server answers, for those who may not import one."""

import httpx

NO_ANSWER: tuple[type[Exception], ...] = (httpx.TransportError,)
"""Refused, unknown host, timed out, cut off."""
