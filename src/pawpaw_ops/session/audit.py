"""The audit record: one line per run, on disk before the run ends."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pawpaw_ops.clients.files import append_line
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.redaction import redact_all
from pawpaw_ops.session.lock import Holder


def append(stack: StackSettings, entry: dict[str, object]) -> None:
    """Append one record to `audit.jsonl`, without a secret, and wait until it is on disk."""
    line = json.dumps({"at": utc_now().isoformat(), **redact_all(entry)}, ensure_ascii=False)
    append_line(stack.state_dir / "audit.jsonl", line)


def record(stack: StackSettings, who: Holder, more: Mapping[str, object]) -> None:
    """Append the record of a run: who did what, why, and what came of it."""
    append(stack, {**who.model_dump(include={"run_id", "verb", "purpose", "actor"}), **more})


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
