"""The session: what is begun is journaled, what fails is undone, and the error says which state the stack is in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pawpaw_ops.clients import engine
from pawpaw_ops.errors import ConfigError, HalfDone, LockHeld, OpsError, PreconditionError, Undone, VerificationError
from pawpaw_ops.models.database import ToolImage
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.session.dead import recover
from pawpaw_ops.session.in_use import being_read, reading
from pawpaw_ops.session.journal import Journal, Step, Undo, alive, dead, holder_at_work, steps
from pawpaw_ops.session.lock import holder, stack_lock
from pawpaw_ops.session.session import open_session
from pawpaw_ops.session.undo import end_tools, newest_first, remove_folder, staging
from pawpaw_ops.session.verdict import RUNBOOK
from tests.unit.support_stacks import stack_of


@pytest.fixture
def stack(tmp_path: Path) -> StackSettings:
    return stack_of(tmp_path)


def audit(stack: StackSettings) -> list[str]:
    lines = (stack.state_dir / "audit.jsonl").read_text().splitlines()
    return [json.loads(line)["result"] for line in lines]


def nothing() -> None:
    pass


def fail() -> None:
    raise PreconditionError("no good")


def test_success_clears_scratch_and_is_recorded(stack: StackSettings) -> None:
    with open_session(stack, verb="v", purpose="p", run_id="r1") as do:
        scratch = do.scratch_folder()
        (scratch / "x").write_text("x")
        assert alive(stack.state_dir, "r1")
    assert not scratch.exists()
    assert audit(stack) == ["ok"]
    assert not alive(stack.state_dir, "r1")


def test_who_is_at_work_is_told_and_a_dead_holders_note_is_nobody(stack: StackSettings) -> None:
    assert holder_at_work(stack.state_dir) == ""
    with open_session(stack, verb="deploy", purpose="p", run_id="r1"):
        note = (stack.state_dir / "lock").read_bytes()
        assert holder_at_work(stack.state_dir) == "deploy"
    assert holder_at_work(stack.state_dir) == ""
    (stack.state_dir / "lock").write_bytes(note)
    assert holder_at_work(stack.state_dir) == ""


def test_scratch_may_go_before_the_end_and_changes_may_not(stack: StackSettings) -> None:
    kept = staging(stack.state_dir) / "kept"
    with open_session(stack, verb="v", purpose="p", run_id="r1") as do:
        scratch = do.scratch_folder()
        do.step("a change", kept.mkdir, undo=remove_folder(kept))
        do.clear("make scratch folder", "a change", "never begun")
        assert not scratch.exists()
        assert kept.exists()
        do.commit("made")
    assert kept.exists()


def test_failure_before_a_change_leaves_as_it_is(stack: StackSettings) -> None:
    with pytest.raises(PreconditionError), open_session(stack, verb="v", purpose="p", run_id="r1") as do:
        do.scratch_folder()
        fail()
    assert audit(stack) == ["precondition"]


def test_failure_after_a_change_is_undone(stack: StackSettings) -> None:
    """An `Untouched` that is raised after the first change is not believed."""
    made = staging(stack.state_dir) / "made"
    with pytest.raises(Undone) as caught, open_session(stack, verb="v", purpose="p", run_id="r1") as do:
        do.step("make", lambda: made.mkdir(parents=True), undo=remove_folder(made))
        fail()
    assert not made.exists()
    assert caught.value.cause_code == "precondition"


def test_failure_after_the_commit_keeps_the_change(stack: StackSettings) -> None:
    made = staging(stack.state_dir) / "made"
    with pytest.raises(VerificationError), open_session(stack, verb="v", purpose="p", run_id="r1") as do:
        do.step("make", lambda: made.mkdir(parents=True), undo=remove_folder(made))
        do.commit("made")
        fail()
    assert made.exists()


def test_an_undo_that_fails_is_half_done_and_stays_for_the_next(stack: StackSettings) -> None:
    with pytest.raises(HalfDone) as caught, open_session(stack, verb="v", purpose="p", run_id="r1") as do:
        do.step("odd", nothing, undo=Undo(kind="no such undo"))
        fail()
    assert caught.value.next_step == RUNBOOK
    manual = Path(__file__).parents[3] / "docs" / "manual-operaciones.md"
    assert f"\n## {RUNBOOK}\n" in manual.read_text(encoding="utf-8")
    with pytest.raises(HalfDone, match="run r1 died"), open_session(stack, verb="v", purpose="p", run_id="r2"):
        pass


def test_rotate_ROT_23_an_undo_that_fails_does_not_stop_those_of_the_steps_before_it(stack: StackSettings) -> None:
    """Neither in the run that failed, nor in the next one, which clears up after it; and all that failed is named."""
    paths = [staging(stack.state_dir) / name for name in ("first", "last")]
    with (
        pytest.raises(HalfDone, match=r"odd: .*no such undo"),
        open_session(stack, verb="v", purpose="p", run_id="r1") as do,
    ):
        for path in paths:
            do.step(path.name, lambda path=path: path.mkdir(parents=True), undo=remove_folder(path))  # type: ignore[misc]
            do.step("odd", nothing, undo=Undo(kind="no such undo"))
        do.step("odd too", nothing, undo=Undo(kind="nor this one"))
        fail()
    assert [path.exists() for path in paths] == [False, False]
    for path in paths:
        path.mkdir()
    with pytest.raises(HalfDone, match=r"'odd too' could not be undone.*'odd' could not be undone"):
        recover(stack, run_id="r2")
    assert [path.exists() for path in paths] == [False, False]
    assert [path.stem for path, _ in dead(stack.state_dir)] == ["r1"]


def test_a_second_session_is_told_who_holds_the_lock(stack: StackSettings) -> None:
    with (
        open_session(stack, verb="restore-db", purpose="restaurar", run_id="r1", actor="Ana"),
        pytest.raises(LockHeld, match=r"restore-db \(restaurar\), run r1, started by Ana"),
        open_session(stack, verb="v", purpose="p", run_id="r2"),
    ):
        pass


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda note: note.write_text("{"), lambda note: note.rename(note.parent / "x")]
)
def test_deploy_D7_removing_the_note_of_who_holds_the_lock_frees_nothing(
    stack: StackSettings, spoil: Callable[[Path], object]
) -> None:
    """There is no `unlock`: the kernel frees it with its holder, and nobody else can."""
    with open_session(stack, verb="v", purpose="p", run_id="r1"):
        spoil(stack.state_dir / "lock")
        with pytest.raises(LockHeld, match="is locked"), open_session(stack, verb="w", purpose="p", run_id="r2"):
            pass
    with open_session(stack, verb="w", purpose="p", run_id="r3"):
        pass


def test_deploy_D5_where_no_lock_can_be_taken_nothing_runs(stack: StackSettings) -> None:
    stack.state_dir.parent.mkdir(parents=True, exist_ok=True)
    stack.state_dir.write_text("a file in the folder's place")
    with pytest.raises(ConfigError, match="cannot write"), open_session(stack, verb="v", purpose="p", run_id="r1"):
        pytest.fail("it ran")


def test_deploy_L5_others_may_work_while_a_session_waits_for_a_yes(stack: StackSettings) -> None:
    with open_session(stack, verb="v", purpose="p", run_id="r1") as do:
        with do.unlocked("waiting"), open_session(stack, verb="w", purpose="p", run_id="r2"):
            assert alive(stack.state_dir, "r1")
        with pytest.raises(LockHeld), stack_lock(stack.state_dir, holder(run_id="r3", verb="", purpose="", actor="")):
            pass


def test_a_dead_run_is_cleared_up_by_the_next(stack: StackSettings) -> None:
    left = staging(stack.state_dir) / "left"
    left.mkdir(parents=True)
    journal = Journal(stack.state_dir, "dead")
    journal.write("step", "make", step=Step(name="make", undo=remove_folder(left)).model_dump(mode="json"))
    assert list(dead(stack.state_dir)) == []
    journal.close(finished=False)
    assert recover(stack, run_id="next") == ["dead"]
    assert not left.exists()
    assert recover(stack, run_id="next") == []


def test_a_commit_is_final_for_the_next_run_too(stack: StackSettings) -> None:
    """What a dead run had committed stays; its scratch goes, and so does what it began after that."""
    paths = {name: staging(stack.state_dir) / name for name in ("scratch", "committed", "begun")}
    journal = Journal(stack.state_dir, "dead")
    for name, path in paths.items():
        path.mkdir(parents=True)
        if name == "begun":
            journal.write("commit", "done")
        step = Step(name=name, undo=remove_folder(path), scratch=name == "scratch")
        journal.write("step", name, step=step.model_dump(mode="json"))
    journal.close(finished=False)
    recover(stack, run_id="next")
    assert [name for name, path in paths.items() if path.exists()] == ["committed"]


def test_a_torn_last_line_was_never_acted_on(stack: StackSettings) -> None:
    journal = Journal(stack.state_dir, "r1")
    journal.write("step", "a", step=Step(name="a").model_dump(mode="json"))
    journal.close(finished=False)
    with journal.path.open("ab") as stream:
        stream.write(b'{"event": "step", "na')
    assert [step.name for step in steps(journal.path)] == ["a"]


def test_only_scratch_folders_of_the_stack_are_ever_removed(stack: StackSettings, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    with pytest.raises(OpsError), open_session(stack, verb="v", purpose="p", run_id="r1") as do:
        do.step("odd", nothing, undo=remove_folder(precious))
        fail()
    assert precious.exists()


def test_a_backup_in_use_is_known_while_it_is_read(stack: StackSettings) -> None:
    with reading(stack.state_dir, "b1"):
        assert being_read(stack.state_dir) == {"b1"}
    assert being_read(stack.state_dir) == frozenset()


def test_what_still_runs_is_ended_before_anything_is_taken_back() -> None:
    """Else a dump that outlived its run would write into a folder that is being removed."""
    image = ToolImage(id="i", container="c", name="db", engine="unix:///d.sock", owner="0:0", run_id="r1")
    tools = Step(name="tools", undo=end_tools(image), scratch=True)
    steps = [tools, *(Step(name=name, undo=remove_folder(Path("/x"))) for name in ("one", "two")), Step(name="three")]
    assert [step.name for step in newest_first(steps)] == ["tools", "three", "two", "one"]
    assert tools.undo == Undo(kind="end-containers", args={"engine": "unix:///d.sock", "run_id": "r1"})


def test_what_is_only_temporary_and_cannot_be_cleared_up_is_not_half_done(
    stack: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead run's containers, on a host that has no Docker CLI any more: nothing is between two states."""
    image = ToolImage(id="i", container="c", name="db", engine="unix:///d.sock", owner="0:0", run_id="r1")
    journal = Journal(stack.state_dir, "r1")
    journal.write("step", "tools", step=Step(name="tools", undo=end_tools(image), scratch=True).model_dump())
    journal.close(finished=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(engine, "AWAY_S", 0.1)
    with pytest.raises(PreconditionError, match=r"'tools' could not be cleared up.*docker"):
        recover(stack, run_id="r2")
    assert [path.stem for path, _ in dead(stack.state_dir)] == ["r1"]


def test_deploy_M1_a_run_that_fails_tells_when_its_cause_was_named_and_what_it_cost(stack: StackSettings) -> None:
    """What it cost can be counted only when it has been taken back, which may cost something too."""
    there = staging(stack.state_dir) / "made"

    def look(seen: BaseException) -> None:
        do.facts |= {"there": there.exists(), "why": str(seen)}
        raise PreconditionError("the engine is away")  # hides nothing of how the run ended

    with pytest.raises(Undone), open_session(stack, verb="v", purpose="p", run_id="r1", head_start_s=100.0) as do:
        do.after_failure = look
        do.step("make", lambda: there.mkdir(parents=True), undo=remove_folder(there))
        fail()
    [line] = (stack.state_dir / "audit.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert (record["there"], record["result"]) == (False, "undone")
    assert "no good" in record["why"]
    assert record["cause_named_s"] >= 100.0


def test_a_run_that_ends_well_has_no_cause_and_no_cost_of_a_failure(stack: StackSettings) -> None:
    with open_session(stack, verb="v", purpose="p", run_id="r1") as do:
        do.after_failure = lambda _: fail()
    assert "cause_named_s" not in (stack.state_dir / "audit.jsonl").read_text()
