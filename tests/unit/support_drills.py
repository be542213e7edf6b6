"""Builders of drill records for the tests of plans and evidence."""

from datetime import UTC, datetime
from typing import Any

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.plans import ladder
from pawpaw_ops.plans.ladder import DrillRecord

AT = datetime(2026, 8, 2, 5, 0, tzinfo=UTC)


def record(**more: Any) -> DrillRecord:
    """Return the record of a drill in which all was well."""
    rungs = ladder.results((), dict.fromkeys(ladder.RUNGS, 1.5))
    base: dict[str, Any] = {
        "at": AT,
        "run_id": "run",
        "stack": "shop",
        "database": "tienda ñ",
        "backup_id": "20260802T030000Z-00000001",
        "location": "folder /backups",
        "taken_at": AT,
        "manifest_sha256": "0" * 64,
        "verdict": Verdict.VERIFIED,
        "rungs": rungs,
        "restore_s": 12.0,
        "database_bytes": 5_000_000,
        "rows": 1000,
        "server_version_num": 150018,
        "jobs": 2,
    }
    return DrillRecord(**(base | more))
