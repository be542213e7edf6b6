"""Processes are started with little, ended with everything they started, and never hang us."""

import contextlib
import grp
import os
import pwd
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.errors import CommandError, CommandNotFound, CommandTimedOut, ConfigError
from pawpaw_ops.runner import DryRunner, LocalRunner

RUNNER = LocalRunner()


def sh(script: str, **more: object) -> Command:
    """Return a command that runs a script of the test's own."""
    return Command(argv=("/bin/sh", "-c", script), **more)  # type: ignore[arg-type]


def wait_until(holds: Callable[[], bool], *, within_s: float = 20.0) -> None:
    """Poll until *holds* is true."""
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether no such process runs; one that waits for its parent to notice counts as gone."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def pid_in(path: Path) -> int:
    """Wait for a process id to be written into *path*, and return it."""
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def test_the_output_is_returned() -> None:
    """Standard output comes back as text, standard error does not mix in."""
    assert RUNNER.run(sh("echo out; echo err >&2")) == "out\n"


def test_output_that_is_no_utf8_is_still_returned() -> None:
    """A byte that is no text is replaced, not an error."""
    assert RUNNER.run(sh(r"printf 'a\377b'")) == "a\ufffdb"


def test_the_output_goes_to_a_file_where_the_command_says_so(tmp_path: Path) -> None:
    """Nothing is kept in memory then."""
    assert RUNNER.run(sh("echo out", stdout=tmp_path / "out")) == ""
    assert (tmp_path / "out").read_text() == "out\n"


def test_a_query_is_asked_and_parsed() -> None:
    """The parser gets the standard output."""
    assert RUNNER.ask(Query(command=sh("echo 41"), parse=lambda text: int(text) + 1)) == 42


def test_an_exit_code_that_is_not_ok_is_an_error() -> None:
    """It carries the code, the end of standard error and the command line."""
    with pytest.raises(CommandError) as raised:
        RUNNER.run(sh("echo broken >&2; exit 3"))
    assert (raised.value.exit_code, raised.value.stderr_tail) == (3, "broken")
    assert "broken" in str(raised.value)
    assert "/bin/sh -c" in str(raised.value)


def test_an_exit_code_may_be_declared_ok() -> None:
    """Some programs answer by their exit code."""
    assert RUNNER.run(sh("echo no; exit 1", ok_codes=(0, 1))) == "no\n"


def test_death_by_signal_is_an_error() -> None:
    """The exit code is the negative number of the signal."""
    with pytest.raises(CommandError) as raised:
        RUNNER.run(sh("kill -KILL $$"))
    assert raised.value.exit_code == -signal.SIGKILL


@pytest.mark.parametrize("argv", [("no-such-program-of-ours",), ("/dev/null",), ("/dev/null/x",)])
def test_a_program_that_cannot_be_started_is_named(argv: tuple[str, ...]) -> None:
    """Missing, not executable, below a file: one error with the name."""
    with pytest.raises(CommandNotFound, match=argv[0]) as raised:
        RUNNER.run(Command(argv=argv))
    assert isinstance(raised.value, FileNotFoundError)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The folder to run in is part of starting."""
    with pytest.raises(CommandNotFound, match="nowhere"):
        RUNNER.run(sh("true", cwd=tmp_path / "nowhere"))


def test_standard_input_is_given(tmp_path: Path) -> None:
    """Text and secrets reach the process; with neither the input is empty."""
    assert RUNNER.run(Command(argv=("cat",), stdin="plain")) == "plain"
    assert RUNNER.run(Command(argv=("cat",), stdin=SecretStr("hidden"))) == "hidden"
    assert RUNNER.run(Command(argv=("cat",))) == ""


def test_input_that_nobody_reads_does_not_hang() -> None:
    """Neither a process that ends early nor one that sleeps on a full pipe holds us up."""
    much = "x" * 1_000_000
    assert RUNNER.run(sh("exit 0", stdin=much)) == ""
    with pytest.raises(CommandTimedOut):
        RUNNER.run(sh("sleep 60", stdin=much, timeout_s=0.2))


def test_much_standard_error_does_not_block() -> None:
    """A megabyte flows by; the last 200 lines are kept, and a line without end is cut."""
    with RUNNER.started(sh("seq 1 150000 >&2")) as process:
        process.finish()
        assert process.stderr_lines == tuple(str(n) for n in range(149_801, 150_001))
    with RUNNER.started(sh("head -c 5000000 /dev/zero >&2")) as process:
        process.finish()
        assert sum(map(len, process.stderr_lines)) < 2_000_000


def test_the_environment_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ours leaks in but a few harmless names; the command's own variables do."""
    monkeypatch.setenv("PREFECT_API_KEY", "canary")
    monkeypatch.setenv("PGPASSWORD", "canary")
    seen = RUNNER.run(Command(argv=("env",), env={"MINE": "1", "SECRET": SecretStr("s3cr3t")}))
    assert "canary" not in seen
    assert {"MINE=1", "SECRET=s3cr3t"} <= set(seen.splitlines())
    assert "PATH=" in seen


def test_secrets_are_in_no_error_and_no_argument() -> None:
    """Environment and input of a command that fails stay out of the error."""
    command = sh("exit 1", env={"PGPASSWORD": SecretStr("canary")}, stdin=SecretStr("canary"))
    with pytest.raises(CommandError) as raised:
        RUNNER.run(command)
    assert "canary" not in f"{raised.value} {raised.value!r} {command} {command!r}"


def test_ending_takes_the_whole_group(tmp_path: Path) -> None:
    """Children that the process started die with it, also those that ignore SIGTERM."""
    script = f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/child; sleep 60"
    with RUNNER.started(sh(script)) as process:
        child = pid_in(tmp_path / "child")
        process.end(grace_s=0.2)
        assert gone(process.pid)
        wait_until(lambda: gone(child))


def test_a_deadline_is_an_error_of_its_own(tmp_path: Path) -> None:
    """The error says the limit; what was written to standard error is kept."""
    with pytest.raises(CommandTimedOut, match=r"within 0\.3 s") as raised:
        RUNNER.run(sh(f"echo busy >&2; echo $$ > {tmp_path}/pid; sleep 60", timeout_s=0.3))
    assert raised.value.stderr_tail == "busy"
    assert gone(pid_in(tmp_path / "pid"))


def test_what_a_process_leaves_behind_is_ended(tmp_path: Path) -> None:
    """A child in the background does not outlive the call."""
    RUNNER.run(sh(f"sleep 60 & echo $! > {tmp_path}/child"))
    wait_until(lambda: gone(pid_in(tmp_path / "child")))


def test_a_stranger_with_our_pipe_does_not_hang_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that left the group and kept standard error open is not waited for."""
    monkeypatch.setattr("pawpaw_ops.runner.GRACE_S", 0.1)
    daemon = f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 60'"
    RUNNER.run(sh(f"{daemon} & while ! [ -s {tmp_path}/pid ]; do sleep 0.01; done"))
    stranger = pid_in(tmp_path / "pid")
    assert not gone(stranger)
    os.kill(stranger, signal.SIGKILL)


class Stop(Exception):
    """Raised by a watcher."""


def test_a_watcher_that_raises_ends_the_process(tmp_path: Path) -> None:
    """What `while_running` raises comes out, and the process is gone."""

    def watch() -> None:
        pid_in(tmp_path / "pid")
        raise Stop

    with pytest.raises(Stop):
        RUNNER.run(sh(f"echo $$ > {tmp_path}/pid; exec sleep 60"), while_running=watch)
    assert gone(pid_in(tmp_path / "pid"))


def test_a_watcher_is_not_called_after_the_end() -> None:
    """A process that ends at once needs no watching."""

    def watch() -> None:
        raise Stop

    assert RUNNER.run(sh("echo done"), while_running=watch) == "done\n"


def test_a_block_ends_its_process(tmp_path: Path) -> None:
    """Leaving the block by an error or not, nothing stays."""
    with contextlib.suppress(Stop), RUNNER.started(sh("exec sleep 60")) as process:
        assert process.alive()
        raise Stop
    assert gone(process.pid)
    assert not process.alive()


def test_a_background_process_writes_its_log_and_is_ended(tmp_path: Path) -> None:
    """Both outputs go to the log, which is added to; ending it twice is harmless."""
    log = tmp_path / "log"
    log.write_text("before\n")
    process = RUNNER.spawn(sh("echo out; echo err >&2; exec sleep 60"), log=log)
    try:
        wait_until(lambda: log.read_text() == "before\nout\nerr\n")
        assert process.alive()
    finally:
        process.end(first=signal.SIGINT)
    process.end()
    assert not process.alive()
    assert gone(process.pid)


def test_a_background_process_that_died_takes_its_children_along(tmp_path: Path) -> None:
    """Its group is swept when its death is noticed, not hours later when the number may be somebody else's."""
    process = RUNNER.spawn(sh(f"sleep 60 & echo $! > {tmp_path}/child"), log=tmp_path / "log")
    child = pid_in(tmp_path / "child")
    wait_until(lambda: not process.alive())
    wait_until(lambda: gone(child))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run a process as somebody else")
def test_another_user_keeps_nothing_of_root() -> None:
    """The process has that user's group and none of root's."""
    nobody = pwd.getpwnam("nobody")
    seen = RUNNER.run(Command(argv=("/bin/sh", "-c", "id -u; id -g; id -G"), user="nobody", cwd=Path("/")))
    assert seen.split() == [str(nobody.pw_uid), str(nobody.pw_gid), str(nobody.pw_gid)]
    assert grp.getgrgid(nobody.pw_gid).gr_gid != 0


def test_an_unknown_user_is_a_config_error() -> None:
    """The name is said."""
    with pytest.raises(ConfigError, match="no-such-user"):
        RUNNER.run(Command(argv=("true",), user="no-such-user"))


def test_a_dry_runner_asks_and_runs_nothing(tmp_path: Path) -> None:
    """Queries are real; commands are written down."""
    dry = DryRunner(RUNNER)
    change = sh(f"touch {tmp_path}/made")
    assert dry.run(change) == ""
    assert dry.ask(Query(command=sh("echo 1"), parse=str.strip)) == "1"
    assert dry.ran == [change]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("code", "kind", "seen", "exit_code"),
    [
        (1, CommandError, "pg_dump ended with exit code 1", 1),
        (125, CommandError, "pg_dump was not started or not waited for by the Docker engine", None),
        (126, CommandNotFound, "pg_dump is not in the container's image", None),
        (127, CommandNotFound, "pg_dump is not in the container's image", None),
        (137, CommandError, "pg_dump was ended by signal 9", -9),
    ],
)
def test_exit_codes_out_of_a_container(code: int, kind: type[CommandError], seen: str, exit_code: int | None) -> None:
    """Docker's own are told from the program's: only the latter say something about a backup."""
    with pytest.raises(kind, match=seen) as caught:
        RUNNER.run(sh(f"exit {code}", inside="pg_dump"))
    assert type(caught.value) is kind
    assert caught.value.exit_code == exit_code


def test_an_answered_question_is_no_complaint() -> None:
    """A7: only that line; whatever else is said is kept."""
    asks = sh("echo 'Password: ' >&2; read word; echo \"warning $word\" >&2", stdin="x\n", prompt="Password: ")
    with RUNNER.started(asks) as process:
        process.finish()
        assert process.stderr_lines == ("warning x",)
