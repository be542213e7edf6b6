"""How long this machine has been up."""

from datetime import UTC, datetime
from pathlib import Path

from pawpaw_ops.clients.clock import moment


def test_it_counts_from_the_start_of_the_machine() -> None:
    before = float(Path("/proc/uptime").read_text().split()[0])
    first, second = moment(), moment()
    after = float(Path("/proc/uptime").read_text().split()[0])
    assert before - 0.02 <= first.up_s <= second.up_s <= after + 0.02  # the file has hundredths
    assert first.boot == second.boot != ""
    assert abs((datetime.now(UTC) - first.at).total_seconds()) < 60
