"""The password of Grafana is rotated on a double of its API: it has one, which is the old or the new one."""

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.logging.handlers import APILogHandler
from pyrage import x25519

from blocks import BackupStore, ComposeProject, PostgresDatabase, Stack
from flows.rotate_secrets import rotate_secrets
from pawpaw_ops.clients import grafana, rotations
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.errors import HalfDone, OpsError, PreconditionError, Undone, Unreachable, VerificationError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.secrets import Rotation, State, Target
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans.secrets import GRAFANA_PASSWORD, known
from pawpaw_ops.session import Session, open_session
from pawpaw_ops.tasks.check_secrets import see_grafana
from pawpaw_ops.tasks.secrets_begin import chosen, find_unfinished, generate
from pawpaw_ops.tasks.secrets_grafana import change_grafana
from pawpaw_ops.testing import at_entry
from tests.integration.support_canaries import ArgvSampler, files
from tests.integration.support_child import Child
from tests.integration.support_grafana import MOST_TRIES, GrafanaDouble, grafana_double
from tests.integration.support_limits import make_limit
from tests.integration.support_redis import free_port
from tests.waiting import SOAK

NAME = "dashboards"
STEP = "change the password of Grafana"
OLD = "canary-old-0123456789-0123456789-0123456789"
COMPOSE = """services:
  backend: {image: backend}
  grafana:
    image: grafana
    profiles: [dashboards]
    environment: {GF_SECURITY_ADMIN_PASSWORD: "${GRAFANA_ADMIN_PASSWORD:?is required}"}
    ports: ["127.0.0.1:${GRAFANA_PORT}:3000"]
"""
COMMIT = ("commit", "generation 1 is in use")
KILLS: list[dict[str, Any]] = [
    {"kill": ("done", "keep the new secrets sealed")},
    {"kill": ("done", "write secrets into the .env")},
    {"kill": ("done", STEP)},
    {"kill": COMMIT},
]
EVERY: list[dict[str, Any]] = [{"kill_entry": entry} for entry in range(1, 30)]
"""Where CI kills, and where `make soak` does."""


@pytest.fixture
def there() -> Iterator[GrafanaDouble]:
    with grafana_double(OLD) as double:
        yield double
    assert double.violations == []


@pytest.fixture
def stack(prefect_api: None, there: GrafanaDouble, tmp_path: Path) -> StackSettings:
    """A stack of which nothing but Grafana has to run."""
    folder, key = tmp_path / "project", tmp_path / "rotation.key"
    folder.mkdir()
    (folder / "compose.yml").write_text(COMPOSE)
    (folder / ".env").write_text(
        f"# ours\nSTACK_NAME=t\nCOMPOSE_PROFILES=dashboards\nGRAFANA_PORT={there.port}\n{GRAFANA_PASSWORD}={OLD}\n"
    )
    key.touch(mode=0o600)
    key.write_text(f"{x25519.Identity.generate()}\n")
    (tmp_path / "store").mkdir()
    Stack(
        state_dir=tmp_path / "state",
        database=PostgresDatabase(name="shop", host="127.0.0.1", port=9),
        store=BackupStore(folder=tmp_path / "store"),
        project=ComposeProject(folder=folder, file="compose.yml"),
        rotation_key=key,
    ).save(NAME, overwrite=True)
    make_limit(NAME)
    return Stack.named(NAME).settings()


def session(stack: StackSettings, run_id: str) -> AbstractContextManager[Session]:
    return open_session(stack, verb="rotate-secrets", purpose="the test", run_id=run_id)


def text(stack: StackSettings) -> str:
    return stack.its_project().env_file.read_text()


def in_env(stack: StackSettings) -> str:
    return read_env(stack.its_project().env_file)[GRAFANA_PASSWORD]


def edit(stack: StackSettings, old: str, new: str) -> None:
    before = text(stack)
    assert old in before
    stack.its_project().env_file.write_text(before.replace(old, new))


def fail() -> None:
    raise VerificationError("as the test wants it")


def rotate() -> int:
    made: int = rotate_secrets(stack=NAME, which="grafana")
    return made


def test_grafana_has_the_new_password_and_so_has_the_env(stack: StackSettings, there: GrafanaDouble) -> None:
    before = text(stack)
    assert rotate() == 1
    assert there.password == in_env(stack) != OLD
    assert text(stack) == before.replace(OLD, there.password)
    assert rotations.find_open(stack) is None, "there is no old one that holds for a while"
    assert [(turn.what, turn.variables) for turn in rotations.turns(stack.state_dir)] == [
        ("current", (GRAFANA_PASSWORD,))
    ]
    assert there.tries == 2, "one before and one after: far from what blocks the login"
    assert rotate() == 2
    assert there.password == in_env(stack)


def test_killed_anywhere_it_is_the_old_or_the_new_one_and_the_next_run_goes_on(
    stack: StackSettings, there: GrafanaDouble, tmp_path: Path
) -> None:
    log, before, code, ends = tmp_path / "log", text(stack), 0, []
    for kill in EVERY if SOAK else KILLS:
        there.window_over()
        code = Child("rotate-secrets", str(log), **kill, stack=NAME, which="grafana").wait()
        made = rotations.find_open(stack)
        new = known(made.accept[GRAFANA_PASSWORD]).get_secret_value() if made else in_env(stack)
        assert there.password in {OLD, new}, "never neither"
        with session(stack, f"after-{kill}"):
            assert there.password == in_env(stack), kill
            ends.append(there.password == OLD)
        if not ends[-1]:
            break
        assert code == -signal.SIGKILL, log.read_text()[-3000:]
        assert text(stack) == before
    assert ends == sorted(ends, reverse=True)
    assert not ends[-1], "what is committed stays"
    assert [turn.generation for turn in rotations.turns(stack.state_dir)] == [1], "no second set of secrets was made"
    assert rotations.find_open(stack) is None


@pytest.mark.parametrize("event", ["step", "done"])
def test_what_fails_after_it_takes_it_back(stack: StackSettings, there: GrafanaDouble, event: str) -> None:
    before = text(stack)
    with at_entry(event, STEP, fail), pytest.raises(Undone, match="as the test wants it"):
        rotate()
    assert (there.password, text(stack)) == (OLD, before)
    assert rotations.find_open(stack) is None
    assert there.tries < MOST_TRIES


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_password_that_grafana_does_not_take_leaves_all_as_it_was(
    stack: StackSettings, there: GrafanaDouble, status: int
) -> None:
    before, there.faults = text(stack), [("PUT", status)]
    with pytest.raises(Undone, match=f"did not take another password for admin: it answered {status}"):
        rotate()
    assert (there.password, text(stack), there.changes) == (OLD, before, 0)
    assert there.tries < MOST_TRIES


def test_an_answer_that_got_lost_does_no_harm(stack: StackSettings, there: GrafanaDouble) -> None:
    there.faults = [("PUT", 0)]
    assert rotate() == 1
    assert there.password == in_env(stack) != OLD
    assert there.changes == 1


def test_a_blocked_login_is_no_refused_one(stack: StackSettings, there: GrafanaDouble) -> None:
    """Both answer the same; neither is a reason to begin, nor a proof."""
    before, there.tries = text(stack), MOST_TRIES
    with pytest.raises(PreconditionError, match="has blocked the login"):
        rotate()
    assert (text(stack), there.changes) == (before, 0)


def test_a_login_that_is_blocked_half_way_is_taken_back_when_the_block_is_over(
    stack: StackSettings, there: GrafanaDouble
) -> None:
    before = text(stack)

    def block_and_fail() -> None:
        there.tries = MOST_TRIES
        fail()

    with at_entry("done", STEP, block_and_fail), pytest.raises(HalfDone, match=STEP):
        rotate()
    made = rotations.find_open(stack)
    assert made is not None, "only there is the old password"
    assert there.password == known(made.accept[GRAFANA_PASSWORD]).get_secret_value()
    with pytest.raises(HalfDone), session(stack, "r2"):
        pytest.fail("something new began on a stack that is between two states")
    there.window_over()
    with session(stack, "r3"):
        assert (there.password, text(stack)) == (OLD, before)
    assert rotate() == made.generation
    assert there.password == known(made.accept[GRAFANA_PASSWORD]).get_secret_value(), "it goes on with the same one"


@pytest.mark.parametrize(
    ("blocked", "raises"),
    [(True, nullcontext()), (False, pytest.raises(VerificationError, match="takes the old one still"))],
)
def test_what_is_seen_of_the_old_one_after_the_commit_takes_nothing_back(
    stack: StackSettings,
    there: GrafanaDouble,
    caplog: pytest.LogCaptureFixture,
    *,
    blocked: bool,
    raises: AbstractContextManager[object],
) -> None:
    """A refusal that may be a block is said to be not verified, and the login is as it shall be when that is over."""

    def change() -> None:
        there.tries, there.anybody = (MOST_TRIES, False) if blocked else (0, True)

    with at_entry(*COMMIT, change), raises:
        rotate()
    assert there.password == in_env(stack) != OLD
    assert ("not verified: Grafana refuses the old password and the new one" in caplog.text) == blocked
    assert rotations.find_open(stack) is None


def test_who_lets_anybody_in_proves_nothing(stack: StackSettings, there: GrafanaDouble) -> None:
    there.anybody = True
    with pytest.raises(PreconditionError, match="lets admin in with any password"):
        rotate()
    assert there.changes == 0


def test_another_password_than_that_of_the_env_is_told_first(stack: StackSettings, there: GrafanaDouble) -> None:
    there.password = "of-somebody-in-the-browser"
    before = text(stack)
    with pytest.raises(PreconditionError, match="with the password of the"):
        rotate()
    assert (there.password, text(stack)) == ("of-somebody-in-the-browser", before)


def test_a_grafana_that_is_away_is_told_first(stack: StackSettings, there: GrafanaDouble) -> None:
    edit(stack, f"GRAFANA_PORT={there.port}", f"GRAFANA_PORT={free_port()}")
    before = text(stack)
    with pytest.raises(Unreachable, match="asked Grafana at"):
        rotate()
    assert text(stack) == before
    with pytest.raises(Unreachable):
        see_grafana(stack.its_project(), read_env(stack.its_project().env_file))


def test_a_stack_without_one_is_told_and_all_leaves_it_out_aloud(
    stack: StackSettings, there: GrafanaDouble, caplog: pytest.LogCaptureFixture
) -> None:
    with session(stack, "r1") as do:
        assert chosen(do, "all") == tuple(Target)
    edit(stack, "COMPOSE_PROFILES=dashboards", "COMPOSE_PROFILES=logs")
    with pytest.raises(PreconditionError, match="the stack has no Grafana: COMPOSE_PROFILES"):
        rotate()
    with session(stack, "r2") as do:
        assert set(chosen(do, "all")) == set(Target) - {Target.GRAFANA}
        assert "grafana" in str(do.facts["left_out"])
    assert "left out: grafana, because the stack has no Grafana" in caplog.text
    assert there.changes == there.tries == 0
    assert see_grafana(stack.its_project(), read_env(stack.its_project().env_file)) == []


def accepted(do: Session) -> Rotation:
    """Generate a rotation of Grafana's password together with the key of tokens, and let its first step be over."""
    edit(do.stack, "# ours\n", f"# ours\nJWT_SECRET={OLD[::-1]}\nJWT_KID=1\n")
    made = generate.fn(do, (Target.JWT, Target.GRAFANA), abrupt=False, why="the test")
    change_grafana.fn(do, made, State.ACCEPTED)
    reached = made.model_copy(update={"state": State.ACCEPTED})
    rotations.save(do.stack, reached)
    return reached


def test_with_a_key_of_tokens_it_changes_in_the_first_step_and_later_ones_leave_it_alone(
    stack: StackSettings, there: GrafanaDouble
) -> None:
    with session(stack, "r1") as do:
        made = accepted(do)
        new = known(made.accept[GRAFANA_PASSWORD]).get_secret_value()
        assert there.password == new != OLD
    with session(stack, "r2") as do:
        assert find_unfinished.fn(do, (Target.JWT,), "resume") == made, (
            "as `all` goes on when Grafana was put away since"
        )
        change_grafana.fn(do, made, State.ACCEPTED)
    assert there.password == new, "the first step once more"
    there.window_over()
    with pytest.raises(Undone), session(stack, "r3") as do:
        change_grafana.fn(do, made, State.ACCEPTED)
        fail()
    assert there.password == new, "what was committed before is not taken back"
    tries = there.tries
    with session(stack, "r4") as do:
        change_grafana.fn(do, made, State.CURRENT)
    assert (there.password, there.tries, there.changes) == (new, tries, 1)


def test_the_check_holds_the_env_against_what_grafana_takes(
    stack: StackSettings, there: GrafanaDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal is asked again when a block would be over, and is only then a finding."""
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        there.window_over()

    monkeypatch.setattr(grafana, "time", SimpleNamespace(sleep=wait))

    def seen() -> tuple[str, Verdict]:
        (one,) = see_grafana(stack.its_project(), read_env(stack.its_project().env_file))
        return one.name, one.verdict

    name = f"{GRAFANA_PASSWORD}: Grafana"
    assert seen() == (name, Verdict.VERIFIED)
    there.tries = MOST_TRIES
    assert seen() == (name, Verdict.VERIFIED), "it was blocked, not refused"
    there.password = "of-somebody-in-the-browser"
    assert seen() == (name, Verdict.FAILED)
    assert waited == [grafana.BLOCKED_S] * 2


def test_rotate_SEC_01_no_password_of_grafana_is_left_anywhere(
    stack: StackSettings, there: GrafanaDouble, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Prefect's database and files, logs, journals and records, errors, arguments: nothing but the `.env` has one."""
    words, told = {OLD}, ""
    with ArgvSampler() as argv:
        for status in (500, 0):
            there.faults = [("PUT", status)]
            try:
                rotate()
            except OpsError as seen:
                told += f"{seen} {seen.__cause__}"
            words.add(there.password)
            there.window_over()
    assert len(words) == 2
    APILogHandler().flush()
    places = {"logs": caplog.text.encode(), "errors": told.encode(), "arguments": "\n".join(argv.seen).encode()}
    places |= {str(path): path.read_bytes() for path in files(stack.state_dir, tmp_path / "store")}
    assert [(where, word[:12]) for where, held in places.items() for word in words if word.encode() in held] == []
    assert "it answered 500" in told
    assert any("compose" in line for line in argv.seen)
    assert any(STEP.encode() in held for where, held in places.items() if where.startswith(str(stack.state_dir)))
    assert any(NAME.encode() in held for where, held in places.items() if ".db" in where), "the database was read"
