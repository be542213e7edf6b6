"""Doubles and fault points for tests of this product and of what is built on it; public, and used by our own tests."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.session import journal

T = TypeVar("T")


class RecordingRunner:
    """A runner that runs nothing: it writes commands down and answers queries from a table.

    Args:
        answers: Command line of a query -> the output that its parser gets. A question without an answer is an error.
    """

    def __init__(self, answers: Mapping[str, str] | None = None) -> None:
        self.answers = dict(answers or {})
        self.ran: list[str] = []

    def run(self, command: Command, *, while_running: Callable[[], None] | None = None) -> str:
        """Write the command line down and return its answer, or nothing."""
        del while_running
        self.ran.append(str(command))
        return self.answers.get(str(command), "")

    def ask(self, query: Query[T]) -> T:
        """Answer from the table."""
        line = str(query.command)
        if line not in self.answers:
            raise AssertionError(f"an unexpected question: {line}")
        return query.parse(self.answers[line])


def kill_at(entry: int) -> None:
    """Kill this process with SIGKILL once its journals have *entry* entries, counted from 1. For child processes."""
    left = iter(range(entry - 1, -1, -1))

    def count(event: str, name: str) -> None:
        del event, name
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    journal.on_entry = count


def signal_at(event: str, name: str, number: signal.Signals) -> None:
    """Send this process a signal after that entry: SIGTERM is how Prefect cancels a run. For child processes."""

    def check(seen_event: str, seen_name: str) -> None:
        if (seen_event, seen_name) == (event, name):
            os.kill(os.getpid(), number)

    journal.on_entry = check


@contextlib.contextmanager
def at_entry(event: str, name: str, action: Callable[[], None]) -> Iterator[None]:
    """Do something once, right after an entry of this event and step is on disk, while the block lasts.

    Args:
        event: `step` before the change, `done` after it, `commit`, `unlock`, …
        name: The step.
        action: What to do; what it raises is raised in the run.
    """
    waiting = [action]

    def check(seen_event: str, seen_name: str) -> None:
        if (seen_event, seen_name) == (event, name) and waiting:
            waiting.pop()()

    before, journal.on_entry = journal.on_entry, check
    try:
        yield
    finally:
        journal.on_entry = before
