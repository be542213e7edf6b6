"""The context manager around every change."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TypeVar

from pawpaw_ops.errors import HalfDone, LockHeld, OpsError, PreconditionError
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.redaction import guarded
from pawpaw_ops.runner import LocalRunner, Runner
from pawpaw_ops.session import undo as undoing
from pawpaw_ops.session.audit import record
from pawpaw_ops.session.dead import recover
from pawpaw_ops.session.freeze import refuse_if_frozen
from pawpaw_ops.session.journal import Journal, Step, Undo
from pawpaw_ops.session.lock import Holder, holder, stack_lock
from pawpaw_ops.session.verdict import result_of

log = logging.getLogger(__name__)
T = TypeVar("T")
Queue = Callable[[], AbstractContextManager[None]]
RELOCK_S = 600.0


class Session:
    """A verb at work on a stack. `step` is the only way to change something."""

    def __init__(
        self, stack: StackSettings, who: Holder, *, runner: Runner, queue: Queue, head_start_s: float = 0.0
    ) -> None:
        self.stack = stack.for_run(who.run_id)
        self.who = who
        self._began = time.monotonic() - head_start_s
        self.runner = runner
        self.durations_s: dict[str, float] = {}
        self.was, self.became = "", ""
        self.facts: dict[str, object] = {}
        self.after_failure: Callable[[BaseException], None] = lambda _: None
        self.committed = False
        self.recovered: tuple[str, ...] = ()
        self._queue = queue
        self._held = ExitStack()
        self._steps: list[Step] = []
        self._journal: Journal | None = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.who.run_id

    @property
    def journal(self) -> Journal:
        """The open journal."""
        assert self._journal is not None
        return self._journal

    def age_s(self) -> float:
        """Return how long the run has been at work, in seconds; what it did before its session counts too."""
        return round(time.monotonic() - self._began, 3)

    def lock(self, *, wait_s: float) -> None:
        """Queue where people see it, then take the stack's lock."""
        with ExitStack() as held:
            held.enter_context(self._queue())
            held.enter_context(stack_lock(self.stack.state_dir, self.who, wait_s=wait_s))
            refuse_if_frozen(self.stack.state_dir, self.who.verb)
            self._held = held.pop_all()

    def unlock(self) -> None:
        """Let both go; harmless when they are not held."""
        self._held.close()

    def open_journal(self) -> None:
        """Open the journal; from here on it must be closed."""
        self._journal = Journal(self.stack.state_dir, self.run_id)

    def begin(self) -> None:
        """Begin the journal, and write down first how client tools in containers are ended."""
        self.journal.write("begin", self.who.verb, purpose=self.who.purpose, actor=self.who.actor)
        image = self.stack.database.tools.image
        if image is not None:
            self.step(f"use the image of {image.name}", lambda: None, undo=undoing.end_tools(image), scratch=True)

    def step(self, name: str, change: Callable[[], T], *, undo: Undo | None = None, scratch: bool = False) -> T:
        """Make one change: its undo is on disk before it begins.

        Args:
            name: What an operator would call it; appears in the journal and the audit record.
            change: Does it.
            undo: Takes it back; harmless when the change never began.
            scratch: Whether it only makes something temporary, which is removed on success too and is no change of
                the stack.

        Returns:
            What *change* returned.
        """
        began = time.monotonic()
        step = Step(name=name, undo=undo, scratch=scratch)
        self._steps.append(step)
        self.journal.write("step", name, step=step.model_dump(mode="json"))
        made = change()
        self.durations_s[name] = round(time.monotonic() - began, 3)
        self.journal.write("done", name)
        return made

    def commit(self, state: str, *, then: Sequence[Step] = ()) -> None:
        """Say that the stack is in its new *state*: from here on only scratch is cleared, whatever happens.

        Args:
            state: What people read.
            then: What is still to be done in that state, last first: scratch whose undo does it. It is on disk together
                with the commit, so that the next run does it where ours died.
        """
        self.journal.write("commit", state, then=[step.model_dump(mode="json") for step in then])
        self._steps = [*(step for step in self._steps if step.scratch), *then]
        self.committed = True
        self.became = state

    def scratch_folder(self) -> Path:
        """Return this run's scratch folder; it goes when the session ends."""
        path = undoing.staging(self.stack.state_dir) / self.run_id
        if not path.exists():
            self.step(
                "make scratch folder",
                lambda: path.mkdir(parents=True, mode=0o700),
                undo=undoing.remove_folder(path),
                scratch=True,
            )
        return path

    @contextlib.contextmanager
    def unlocked(self, why: str) -> Iterator[None]:
        """Let others work on the stack while the block lasts; the world must be asked again afterwards."""
        self.journal.write("unlock", why)
        self.unlock()
        try:
            yield
        finally:
            self.lock(wait_s=RELOCK_S)
            self.journal.write("lock", why)

    def clear(self, *names: str) -> None:
        """Take scratch steps back before the session ends; those that were never begun are no matter.

        Raises:
            OpsError: As the undo raised it; it is tried again when the session ends.
        """
        for step in [step for step in undoing.newest_first(self._steps) if step.scratch and step.name in names]:
            if step.undo is not None:
                undoing.run(step.undo, self.stack, run_id=self.run_id)
            self.journal.write("undone", step.name)
            self._steps.remove(step)

    def take_back(self) -> list[tuple[Step, Exception]]:
        """Undo every step, newest first; return what could not be undone, and why."""
        failed: list[tuple[Step, Exception]] = []
        self._steps = undoing.newest_first(self._steps)
        while self._steps:
            step = self._steps.pop(0)
            why = undoing.attempt(step, self.stack, run_id=self.run_id, failed=failed)
            if why is not None:
                failed.append((step, why))
            elif step.undo is not None:
                self.journal.note("undone", step.name)
        return failed

    @property
    def changed(self) -> bool:
        """Whether a step that is more than scratch was begun and is not committed."""
        return any(not step.scratch for step in self._steps)


@contextlib.contextmanager
def open_session(
    stack: StackSettings,
    *,
    verb: str,
    purpose: str,
    run_id: str,
    actor: str = "somebody",
    queue: Queue = contextlib.nullcontext,
    runner: Runner | None = None,
    wait_s: float = 0.0,
    exclusive: bool = True,
    head_start_s: float = 0.0,
) -> Iterator[Session]:
    """Work on a stack: locked, journaled, undone on failure, recorded.

    Args:
        stack: The stack.
        verb: What is done.
        purpose: Why; shown to whoever is refused meanwhile.
        run_id: The run; unique.
        actor: Who started it.
        queue: Where runs queue visibly before the lock; entered before it, left after it.
        runner: Starts processes.
        wait_s: How long to wait for the lock, in seconds.
        exclusive: Whether it needs the stack for itself. One that does not clears up after dead runs only while
            nobody else works on the stack, and then lets the lock go.
        head_start_s: How long the run was at work before this, in seconds.

    Raises:
        LockHeld: Another run works on this stack.
        Frozen: Nothing may change this stack.
        HalfDone: A dead run's changes, or ours, could not be undone.
        Undone: It failed and everything was undone.
        OpsError: It failed before anything changed (as raised), or after the commit.

    Touches:
        `lock`, `journal/`, `staging/`, `audit.jsonl` in the stack's folder; what dead runs left is undone first.
    """
    who = holder(run_id=run_id, verb=verb, purpose=purpose, actor=actor)
    session = Session(stack, who, runner=runner or LocalRunner(), queue=queue, head_start_s=head_start_s)
    try:
        with guarded():
            if exclusive:
                session.lock(wait_s=wait_s)
                session.recovered = tuple(recover(stack, run_id=run_id))
            else:
                _recover_if_free(session)
            session.open_journal()
            with _ending(session):
                session.begin()
                yield session
    finally:
        session.unlock()


@contextlib.contextmanager
def _ending(session: Session) -> Iterator[None]:
    """Undo or clear up, record, and decide what leaves; a journal with an undo that failed stays for the next run."""
    began, failed, recorded = time.monotonic(), [], False
    try:
        yield
        if session.changed:
            session.commit("done")
        failed = session.take_back()
        _record(session, began, "ok", failed)
        recorded = True
    except BaseException as seen:
        changed, committed = session.changed, session.committed
        failed += _taken_back(session, seen)
        result = result_of(seen, changed=changed, committed=committed, failed=failed)
        with _logged("the record of this run could not be written; the next one writes that it was cleared up"):
            _record(session, began, result.code if isinstance(result, OpsError) else type(seen).__name__, failed)
            recorded = True
        if result is seen:
            raise
        raise result from seen
    finally:
        with _logged("the journal could not be put away; the next run does it"):
            session.journal.close(finished=recorded and not failed)


def _taken_back(session: Session, seen: BaseException) -> list[tuple[Step, Exception]]:
    """Undo what a run that failed began; then it may look at what that cost."""
    session.facts["cause_named_s"] = session.age_s()
    failed = session.take_back()
    with _logged("what this run cost could not be told"):
        session.after_failure(seen)
    return failed


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    """Let a disk that is full at the very end, or an engine that is away, not hide how the run ended."""
    try:
        yield
    except (OSError, OpsError):
        log.exception(what)


def _recover_if_free(session: Session) -> None:
    """Clear up after dead runs while nobody else works on the stack; what cannot be cleared up waits for the others."""
    try:
        session.lock(wait_s=0.0)
        session.recovered = tuple(recover(session.stack, run_id=session.run_id))
    except (LockHeld, HalfDone, PreconditionError) as seen:
        log.warning("dead runs were not cleared up: %s", seen)
    finally:
        session.unlock()


def _record(session: Session, began: float, result: str, failed: list[tuple[Step, Exception]]) -> None:
    more = {"was": session.was, "became": session.became, "steps": session.durations_s, **session.facts}
    more |= {"duration_s": round(time.monotonic() - began, 3), "result": result}
    record(session.stack, session.who, more | {"not_undone": [f"{step.name}: {why}" for step, why in failed]})
