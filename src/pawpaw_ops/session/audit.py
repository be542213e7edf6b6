"""The audit record: one line per run, on disk before the run ends."""

import json
import os
from collections.abc import Iterator
from typing import Any

from pawpaw_ops.clients.files import fsync
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.stack import StackSettings


def append(stack: StackSettings, entry: dict[str, object]) -> None:
    """Append one record to `audit.jsonl` and wait until it is on disk."""
    path = stack.state_dir / "audit.jsonl"
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    try:
        os.write(number, json.dumps({"at": utc_now().isoformat(), **entry}, ensure_ascii=False).encode() + b"\n")
    finally:
        os.close(number)
    fsync(path)


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
