"""What a climb up the ladder of proof has found so far, and what an error on the way means."""

import contextlib
import time
from collections.abc import Iterator

from pawpaw_ops.clients.postgres.connection import PostgresError
from pawpaw_ops.errors import (
    BackupCorrupt,
    CommandError,
    DiskTooSmall,
    ExtensionMissing,
    OpsError,
    StoreError,
    Unreachable,
    VersionMismatch,
    WrongKey,
)
from pawpaw_ops.plans import ladder
from pawpaw_ops.plans.ladder import Finding
from pawpaw_ops.tasks import report

LONGEST_TEXT = 2000
NOT_THE_BACKUP: tuple[tuple[type[OpsError], str], ...] = (
    (WrongKey, "key"),
    (VersionMismatch, "version"),
    (ExtensionMissing, "extension"),
    (DiskTooSmall, "room"),
    (StoreError, "store"),
)
"""Errors that say why we could not look, and nothing against the backup."""


class FellError(Exception):
    """A rung could not be climbed; what was found is written down already."""


class Climb:
    """What one climb has found so far."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.seconds: dict[int, float] = {}

    @contextlib.contextmanager
    def rung(self, level: int, code: str) -> Iterator[None]:
        """Stand on a rung; an error is a finding and ends the climb.

        Args:
            level: The rung.
            code: What the finding is called where the error speaks against the backup.
        """
        began = time.monotonic()
        try:
            yield
        except (OpsError, PostgresError) as seen:
            text = seen.message if isinstance(seen, OpsError) else str(seen).strip()
            self.find(_name(seen, code, level), text[:LONGEST_TEXT], rung=level)
            raise FellError from seen
        self.seconds[level] = self.seconds.get(level, 0.0) + time.monotonic() - began
        report.logger().info("rung %d: %s (%.1f s)", level, ladder.RUNGS[level], self.seconds[level])

    def find(self, code: str, text: str, *, rung: int | None = None) -> None:
        """Write down a finding."""
        found = ladder.finding(code, text, rung=rung)
        self.findings.append(found)
        report.logger().error("rung %d: %s: %s", found.rung, code, text)


def _name(seen: OpsError | PostgresError, code: str, level: int) -> str:
    """Name an error: by its class or SQLSTATE where it says that we could not look, else *code*."""
    if isinstance(seen, PostgresError):
        return code if seen.sqlstate and seen.sqlstate[:2] not in ("08", "53", "57") else "server"
    for kind, name in NOT_THE_BACKUP:
        if isinstance(seen, kind):
            return name
    if isinstance(seen, Unreachable):
        return "store" if level <= 1 else "server"
    if isinstance(seen, BackupCorrupt):
        return code
    ended = isinstance(seen, CommandError) and seen.exit_code is not None and seen.exit_code > 0
    return code if ended else "server"
