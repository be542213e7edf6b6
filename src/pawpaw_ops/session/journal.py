"""A run's journal: every step and its undo, on disk before the change. Its `flock` says whether the run lives."""

import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from pawpaw_ops.clients.files import append_whole, fsync
from pawpaw_ops.models.base import Noun, utc_now
from pawpaw_ops.session.lock import read_note, still_there, try_lock

log = logging.getLogger(__name__)


class Undo(Noun):
    """How one step is taken back, by this process or by another after it died. Names and numbers only, never a secret.

    Attributes:
        kind: Name in `pawpaw_ops.session.undo.UNDOERS`.
        args: Its arguments.
        last: Whether it takes away what the undos of other steps need; it waits until none of them is left.
    """

    kind: str
    args: Mapping[str, Any] = Field(default_factory=dict)
    last: bool = False


class Step(Noun):
    """One step that was begun.

    Attributes:
        scratch: Whether it only makes something temporary, undone on success too.
    """

    name: str
    undo: Undo | None = None
    scratch: bool = False


on_entry: Callable[[str, str], None] | None = None
"""Called after each entry is on disk, with its event and step; `pawpaw_ops.testing` kills or fails there."""


class Journal:
    """An open journal; one run's, while it lives.

    Args:
        state_dir: The stack's folder.
        run_id: The run.
    """

    def __init__(self, state_dir: Path, run_id: str) -> None:
        self.path = folder(state_dir) / f"{run_id}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        self._number = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try_lock(self._number)  # before it has its name, so that nobody takes it for a dead run's
        new.rename(self.path)
        fsync(self.path.parent)

    def write(self, event: str, name: str = "", **more: object) -> None:
        """Append one entry and wait until it is on disk.

        Raises:
            OSError: There is no room for it; the entries before it are whole.
        """
        entry = {"at": utc_now().isoformat(), "event": event, "name": name, **more}
        append_whole(self._number, self.path, json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        if on_entry is not None:
            on_entry(event, name)

    def note(self, event: str, name: str) -> None:
        """Write what helps people and no undo needs; on a full disk it is missing."""
        try:
            self.write(event, name)
        except OSError as seen:
            log.warning("the journal has no %r of %r: %s", event, name, seen)

    def close(self, *, finished: bool) -> None:
        """End it: a finished run's journal moves to `done/`, another stays for the next run to go on with."""
        try:
            if finished:
                finish(self.path)
        finally:
            os.close(self._number)


def folder(state_dir: Path) -> Path:
    """Return the folder of the journals of runs that are not over."""
    return state_dir / "journal"


def steps(path: Path) -> list[Step]:
    """Read the steps that are to be taken back; a torn last line was never acted on.

    A commit makes the steps before it final, but for scratch, and adds what is to be done after it, as
    `Session.commit` does.
    """
    found: list[Step] = []
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            break
        if entry["event"] == "step":
            found.append(Step.model_validate(entry["step"]))
        elif entry["event"] == "commit":
            found = [step for step in found if step.scratch]
            found += [Step.model_validate(step) for step in entry.get("then", ())]
    return found


def begun(path: Path) -> dict[str, str]:
    """Return when a journal's run began, its verb, its purpose, and who started it; empty where it died before that."""
    with path.open("rb") as file:
        try:
            first = json.loads(file.readline())
        except ValueError:
            first = {}
    return {
        "at": first.get("at", ""),
        "verb": first.get("name", ""),
        "purpose": first.get("purpose", ""),
        "actor": first.get("actor", ""),
    }


def dead(state_dir: Path) -> Iterator[tuple[Path, list[Step]]]:
    """Go through the journals whose run is no more, oldest first; each is locked while it is looked at."""
    for path in _oldest_first(state_dir):
        try:
            number = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:  # its run has just ended
            continue
        try:
            if try_lock(number) and still_there(number, path):
                yield path, steps(path)
        finally:
            os.close(number)


def _oldest_first(state_dir: Path) -> list[Path]:
    ages = {}
    for path in folder(state_dir).glob("*.jsonl"):
        with contextlib.suppress(FileNotFoundError):  # its run has just ended
            ages[path] = path.stat().st_mtime
    return sorted(ages, key=ages.__getitem__)


def alive(state_dir: Path, run_id: str) -> bool:
    """Whether a run still holds its journal."""
    path = folder(state_dir) / f"{run_id}.jsonl"
    try:
        number = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(number)
    finally:
        os.close(number)


def holder_at_work(state_dir: Path) -> str:
    """Return the verb that has the stack's lock; empty where nobody has it, or its holder is dead."""
    who = read_note(state_dir)
    return who.verb if who and alive(state_dir, who.run_id) else ""


def finish(path: Path) -> None:
    """Put away a journal that nothing is left to do for."""
    done = path.parent / "done"
    done.mkdir(exist_ok=True)
    path.rename(done / path.name)
    fsync(path.parent)
