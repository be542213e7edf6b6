"""The audit record: one line per run, on disk before the run ends."""

import json
from collections.abc import Iterator
from typing import Any

from pawpaw_ops.clients.files import append_line
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.redaction import redact_all


def append(stack: StackSettings, entry: dict[str, object]) -> None:
    """Append one record to `audit.jsonl`, without a secret, and wait until it is on disk."""
    line = json.dumps({"at": utc_now().isoformat(), **redact_all(entry)}, ensure_ascii=False)
    append_line(stack.state_dir / "audit.jsonl", line)


def entries(stack: StackSettings) -> Iterator[dict[str, Any]]:
    """Read the record, oldest first; a line that was torn says nothing."""
    path = stack.state_dir / "audit.jsonl"
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue
