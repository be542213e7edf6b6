"""The stack's lock: one `flock` on its folder, which the kernel frees when the holder dies; in it stands who holds it.

Not on the note: whoever removed it would let the next run in beside its holder.
"""

import contextlib
import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from pawpaw_ops.errors import ConfigError, LockHeld
from pawpaw_ops.models.base import Noun, utc_now

log = logging.getLogger(__name__)
POLL_S = 0.1
NOTE = "lock"


class Holder(Noun):
    """Who holds a stack's lock."""

    run_id: str
    verb: str
    purpose: str
    actor: str
    since: datetime
    pid: int
    host: str


def holder(*, run_id: str, verb: str, purpose: str, actor: str) -> Holder:
    """Describe this process as a holder."""
    return Holder(
        run_id=run_id,
        verb=verb,
        purpose=purpose,
        actor=actor,
        since=utc_now(),
        pid=os.getpid(),
        host=socket.gethostname(),
    )


@contextlib.contextmanager
def stack_lock(state_dir: Path, who: Holder, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the stack's lock while the block lasts.

    Args:
        state_dir: The stack's folder.
        who: Written beside the lock, for whoever is refused.
        wait_s: How long to wait for it, in seconds.

    Raises:
        LockHeld: Another run has it; the message says which.
        ConfigError: The folder cannot be made or written to.

    Touches:
        `lock` in the stack's folder.
    """
    with _opened(state_dir, os.O_RDONLY | os.O_DIRECTORY) as folder:
        until = time.monotonic() + wait_s
        while not try_lock(folder):
            if time.monotonic() >= until:
                raise LockHeld(_held_by(state_dir), hint="Wait for it, or cancel it in the Prefect UI.")
            time.sleep(POLL_S)
        with _opened(state_dir, os.O_RDWR | os.O_CREAT, NOTE) as note:
            os.ftruncate(note, 0)
            try:
                os.pwrite(note, who.model_dump_json().encode(), 0)
            except OSError as seen:  # on a full disk the lock holds all the same, and a prune must go on
                log.warning("whoever is refused will not hear by whom: %s", seen)
            try:
                yield
            finally:
                os.ftruncate(note, 0)


def try_lock(number: int) -> bool:
    """Take a `flock` on an open file if nobody else has it."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def still_there(number: int, path: Path) -> bool:
    """Whether an open file is the one that has that name: a lock on another one keeps nobody out."""
    try:
        return os.path.samestat(os.fstat(number), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _opened(state_dir: Path, flags: int, name: str = "") -> Iterator[int]:
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        number = os.open(state_dir / name, flags | os.O_CLOEXEC, 0o640)
    except OSError as seen:
        raise ConfigError(
            f"cannot write to the stack's folder {state_dir}: {seen.strerror}.",
            hint="Mend its rights, or state_dir in the Stack block.",
        ) from seen
    try:
        yield number
    finally:
        os.close(number)


def read_note(state_dir: Path) -> Holder | None:
    """Return who wrote the note of the lock; a dead holder's stays, and on a full disk there is none."""
    try:
        return Holder.model_validate(json.loads((state_dir / NOTE).read_bytes()))
    except (OSError, ValueError, ValidationError):
        return None


def _held_by(state_dir: Path) -> str:
    who = read_note(state_dir)
    if who is None:
        return "the stack is locked by a run that has not written its name yet."
    return (
        f"the stack is locked by {who.verb} ({who.purpose}), run {who.run_id}, started by {who.actor}"
        f" at {who.since:%Y-%m-%dT%H:%M:%SZ}, process {who.pid} on {who.host}."
    )
