"""What people look at in the Prefect UI. A report that cannot be written never fails the work."""

import logging
import re
import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.context import FlowRunContext
from prefect.exceptions import MissingContextError, PrefectHTTPStatusError
from prefect.logging import get_run_logger

from pawpaw_ops.clients.http import NO_ANSWER
from pawpaw_ops.redaction import redact, redact_all

THROTTLE_S = 1.5
KILO = 1000
T = TypeVar("T")
AWAY: tuple[type[Exception], ...] = (*NO_ANSWER, PrefectHTTPStatusError)
"""What a Prefect server is that fails no work of ours: away, or not well."""


def logger() -> "logging.Logger | logging.LoggerAdapter[logging.Logger]":
    """Return the run's logger, or an ordinary one outside a run."""
    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger("pawpaw_ops")


def key(*parts: str) -> str:
    """Return an artifact key: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


def table(name: str, rows: Sequence[dict[str, Any]], *, gist: str) -> None:
    """Show a table; *gist* is what its card says.

    Touches:
        An artifact in Prefect.
    """
    plain = redact_all(list(rows))
    _harmless("table", lambda: create_table_artifact(plain, key=key(name), description=redact(gist)))


def link(name: str, address: str, *, gist: str) -> None:
    """Show where something is; *gist* is what its card says.

    Touches:
        An artifact in Prefect.
    """
    _harmless("link", lambda: create_link_artifact(address, key=key(name), description=gist))


def markdown(name: str, text: str, *, gist: str) -> None:
    """Show a text; *gist* is what its card says.

    Touches:
        An artifact in Prefect.
    """
    _harmless("report", lambda: create_markdown_artifact(redact(text), key=key(name), description=redact(gist)))


def nothing_to_do(state: str, why: str) -> str:
    """Say that the world is as it shall be; returns *state*."""
    logger().info("nothing to do: %s (%s)", why, state or "no release on record")
    return state


class Progress:
    """A progress bar in the UI, written at most every 1.5 s."""

    def __init__(self, name: str, what: str) -> None:
        self.what = what
        self._id: uuid.UUID | None = None
        self._last = 0.0
        made = _harmless(
            "progress bar", lambda: create_progress_artifact(progress=0.0, key=key(name), description=what)
        )
        self._id = made if isinstance(made, uuid.UUID) else None

    def show(self, done: float, total: float) -> None:
        """Show *done* of *total*, in any unit."""
        now = time.monotonic()
        if self._id is None or now - self._last < THROTTLE_S:
            return
        self._last = now
        self._update(min(99.0, 100.0 * done / total) if total else 0.0)

    def finish(self) -> None:
        """Show that it is done."""
        if self._id is not None:
            self._update(100.0)

    def _update(self, percent: float) -> None:
        bar = self._id
        assert bar is not None
        _harmless("progress bar", lambda: update_progress_artifact(bar, progress=percent, description=self.what))


def _harmless(what: str, write: Callable[[], T]) -> T | None:
    """Write a report if there is a run to write it for; what goes wrong is logged and forgotten."""
    if FlowRunContext.get() is None:
        return None
    try:
        return write()
    except Exception as seen:  # noqa: BLE001 - a report that cannot be written never fails the work
        logger().warning("the %s could not be written: %s", what, seen)
        return None


def free_bytes(folder: Path) -> int:
    """Return what an ordinary user may still write to the folder's disk."""
    return shutil.disk_usage(folder).free


def human_bytes(size: float) -> str:
    """Write a size as people read it: `215.3 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < KILO:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= KILO
    return f"{size:.1f} TB"


def human_age(age: timedelta) -> str:
    """Write an age as people read it: `3 h 12 min`."""
    minutes = int(age.total_seconds() // 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
