"""What the audit record comes to, as numbers for Prometheus."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any


def run_numbers(entries: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Count the runs on record, and say of each verb and result when it was last and how long it took.

    Args:
        entries: Lines of the audit record, oldest first; those of no verb (a recovery's) are left out.

    Returns:
        Metric with its labels -> value; times in seconds since 1970, durations in seconds.
    """
    counts: Counter[str] = Counter()
    numbers: dict[str, float] = {}
    for entry in entries:
        if "verb" not in entry:
            continue
        labels = f'{{verb="{entry["verb"]}",result="{entry["result"]}"}}'
        counts[labels] += 1
        numbers[f"pawpaw_run_last_end_timestamp_seconds{labels}"] = datetime.fromisoformat(entry["at"]).timestamp()
        numbers[f"pawpaw_run_last_duration_seconds{labels}"] = entry["duration_s"]
    return numbers | {f"pawpaw_runs_total{labels}": float(count) for labels, count in counts.items()}
