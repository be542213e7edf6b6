"""With `PAWPAW_NO_SKIP=1` a test that is skipped, expected to fail or left out of the selection fails the run.

Without it, pytest's summary says what this machine could not run, and why.
"""

import os
from collections.abc import Generator, Sequence
from typing import Any, TypeVar

import pytest

STRICT = os.environ.get("PAWPAW_NO_SKIP", "") not in {"", "0"}
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
left_out: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one."""
    return _strict((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped module into a failed one."""
    return _strict((yield))


def _strict(report: Report) -> Report:
    if STRICT and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: nothing may skip (PAWPAW_NO_SKIP=1), but: {reason}"
    return report


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Remember what a `-k` or `-m` left out."""
    left_out.extend(item.nodeid for item in items)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a process that ran tests what it left out; all leave out the same."""
    left_out[:] = getattr(node, "workeroutput", {}).get("left_out", left_out)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that left something out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = left_out
    if STRICT and left_out and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out."""
    if STRICT and left_out:
        terminalreporter.write_line(f"nothing may be left out, but {len(left_out)} tests were, first {left_out[0]}")
