"""What was measured, one record per measurement; on disk at once, so that a run that was ended can go on."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Results:
    """The records of a run.

    Args:
        path: Where they are kept; None keeps them in memory alone.
        resume: Whether to go on with what is there.
    """

    def __init__(self, path: Path | None, *, resume: bool = False) -> None:
        self.path = path
        self.records: list[Record] = []
        if path is not None and resume and path.exists():
            self.records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        elif path is not None:
            path.write_text("", encoding="utf-8")

    def has(self, what: str, size: str, number: int) -> bool:
        """Whether that was measured already."""
        return any((r["what"], r["size"], r["round"]) == (what, size, number) for r in self.records)

    def take(self, what: str, size: str, number: int, measure: Callable[[], Record]) -> None:
        """Measure, unless it is there already, and keep it."""
        if self.has(what, size, number):
            return
        record = {"what": what, "size": size, "round": number, **measure()}
        self.records.append(record)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
        told = ", ".join(f"{key} {value}" for key, value in record.items() if isinstance(value, float))
        print(f"{size:>7} {what:<14} {number + 1}: {told}", flush=True)

    def rows(self, what: str, size: str) -> list[Record]:
        """Return the records of one measurement in the order of their rounds."""
        found = [r for r in self.records if (r["what"], r["size"]) == (what, size)]
        return sorted(found, key=lambda r: int(r["round"]))

    def values(self, what: str, size: str, key: str) -> list[float]:
        """Return one value of each round."""
        return [float(r[key]) for r in self.rows(what, size)]

    def tasks(self, what: str, size: str) -> dict[str, float]:
        """Return the median seconds of each task of a flow."""
        rows = self.rows(what, size)
        return {name: statistics.median(row["tasks"][name] for row in rows) for name in rows[0]["tasks"]}


def ratios(ours: list[float], theirs: list[float]) -> list[float]:
    """Return ours in units of theirs, pair by pair."""
    return [one / other for one, other in zip(ours, theirs, strict=False)]
