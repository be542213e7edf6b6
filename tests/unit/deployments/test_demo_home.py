import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments.demo import home as homes
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import LockHeld
from pawpaw_ops.runner import LocalRunner, Process

SLEEP = ("sleep", "600")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[homes.Home]:
    monkeypatch.setenv("PAWPAW_HOME", str(tmp_path / "here"))
    made = homes.Home(homes.place(), "token-1")
    made.begin()
    yield made
    shutil.rmtree(made.scratch, ignore_errors=True)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    made = LocalRunner().spawn(Command(argv=SLEEP), log=tmp_path / "log")
    yield made
    made.end()


def test_a_second_process_finds_what_the_first_started_and_ends_it(
    home: homes.Home, process: Process, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    home.note("sleeper", process)
    home.note_folder(elsewhere)
    found = homes.found()
    assert found is not None
    assert (found.token, found.running, found.folders) == ("token-1", home.running, [str(home.scratch), str(elsewhere)])
    assert homes.stop()
    assert process.popen.wait(timeout=10) == -signal.SIGTERM
    assert not elsewhere.exists()
    assert not homes.place().parent.exists()
    assert not homes.stop()


def test_a_process_of_the_same_number_that_was_born_later_is_left_alone(home: homes.Home, process: Process) -> None:
    """Numbers are used again; only the number and the time of birth together name a process."""
    home.note("sleeper", process)
    home.running[0] = homes.Running("sleeper", process.pid, "born in another life", signal.SIGTERM, 1.0)
    home.end()
    assert process.alive()


def test_a_process_that_does_not_listen_is_killed(home: homes.Home, tmp_path: Path) -> None:
    log = tmp_path / "log"
    stubborn = LocalRunner().spawn(Command(argv=("sh", "-c", "trap '' TERM; echo deaf; sleep 600")), log=log)
    deadline = time.monotonic() + 30
    try:
        while not log.read_text(encoding="utf-8"):
            assert time.monotonic() < deadline
        home.note("stubborn", stubborn, grace_s=0.2)
        home.end()
        assert stubborn.popen.wait(timeout=10) == -signal.SIGKILL
    finally:
        stubborn.end()


@pytest.mark.parametrize(("token", "dies"), [("token-1", True), ("token-2", False)])
def test_who_inherited_the_demos_token_goes_with_it(home: homes.Home, tmp_path: Path, token: str, dies: bool) -> None:  # noqa: FBT001
    """A flow run that outlived its worker is nobody's child, and is still ours."""
    run = LocalRunner().spawn(Command(argv=SLEEP, env={homes.MARK: token}), log=tmp_path / "log")
    try:
        until(lambda: token.encode() in Path(f"/proc/{run.pid}/environ").read_bytes())
        home.end()
        if dies:
            until(lambda: not run.alive())
        assert run.alive() is not dies
    finally:
        run.end()


def until(holds: Callable[[], bool]) -> None:
    """Poll for a process to have begun or ended, at most 10 s."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_demo_at_a_time(home: homes.Home) -> None:
    with homes.alone(), pytest.raises(LockHeld, match="a demo is at work"):
        homes.stop()


def test_a_process_is_born_once() -> None:
    assert homes.born(os.getpid())
    assert homes.born(os.getpid()) == homes.born(os.getpid())


def test_a_process_that_ended_was_not_born(process: Process) -> None:
    process.popen.kill()
    until_reaped = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert until_reaped is not None
    assert homes.born(process.pid) == ""
    assert homes.born(2**22 + 1) == ""
