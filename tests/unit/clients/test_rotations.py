"""A rotation on disk: sealed, for its owner alone, with a key that lies elsewhere."""

import os
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr
from pyrage import x25519

from pawpaw_ops.clients import rotations
from pawpaw_ops.errors import ConfigError, WrongKey
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.secrets import Rotation, State, Target, Turn
from pawpaw_ops.models.stack import StackSettings
from tests.unit.support_stacks import stack_of

CANARY = "canary-0123456789"


@pytest.fixture
def stack(tmp_path: Path) -> StackSettings:
    key = tmp_path / "keys" / "rotation.key"
    key.parent.mkdir()
    key.write_text(f"# created: some day\n{x25519.Identity.generate()}\n")
    key.chmod(0o600)
    return stack_of(tmp_path).model_copy(update={"rotation_key": key})


def rotation(generation: int = 1) -> Rotation:
    return Rotation(
        generation=generation,
        targets=(Target.DATABASE, Target.JWT),
        old={"DB_USER": SecretStr("x_a"), "DB_PASSWORD": SecretStr("old"), "JWT_PREVIOUS_KID": None},
        accept={"DB_USER": SecretStr("x_b"), "DB_PASSWORD": SecretStr(CANARY)},
        due={Target.JWT: utc_now()},
        began_at=utc_now(),
        run_id="run",
    )


def test_what_is_kept_comes_back_and_is_forgotten(stack: StackSettings) -> None:
    assert rotations.find_open(stack) is None
    rotations.close(stack)
    rotations.save(stack, rotation())
    assert rotations.find_open(stack) == rotation().model_copy(
        update={name: getattr(rotations.find_open(stack), name) for name in ("due", "began_at")}
    )
    rotations.close(stack)
    assert rotations.find_open(stack) is None


def test_rotate_SEC_01_neither_disk_nor_text_shows_a_value(stack: StackSettings) -> None:
    rotations.save(stack, rotation())
    assert all(CANARY.encode() not in path.read_bytes() for path in stack.state_dir.rglob("*") if path.is_file())
    assert CANARY not in f"{rotation()!r} {rotation()}"


def test_rotate_SEC_03_another_key_opens_nothing_and_says_so(stack: StackSettings) -> None:
    rotations.save(stack, rotation())
    assert stack.rotation_key is not None
    stack.rotation_key.write_text(str(x25519.Identity.generate()))
    with pytest.raises(WrongKey, match=r"open\.age does not open with .*rotation\.key"):
        rotations.find_open(stack)


def test_rotate_SEC_04_only_its_owner_can_read_it_whatever_the_umask(stack: StackSettings) -> None:
    before = os.umask(0)
    try:
        rotations.save(stack, rotation())
    finally:
        os.umask(before)
    folder = stack.state_dir / "rotation"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_a_key_that_is_no_secret_is_refused(stack: StackSettings) -> None:
    assert stack.rotation_key is not None
    stack.rotation_key.chmod(0o640)
    with pytest.raises(ConfigError, match="others than its owner"):
        rotations.save(stack, rotation())


def test_a_key_beside_what_it_seals_is_refused(stack: StackSettings) -> None:
    assert stack.rotation_key is not None
    inside = stack.state_dir / "rotation.key"
    inside.parent.mkdir(parents=True, exist_ok=True)
    stack.rotation_key.rename(inside)
    with pytest.raises(ConfigError, match="beside what it seals"):
        rotations.read_key(stack.model_copy(update={"rotation_key": inside}))


@pytest.mark.parametrize("text", ["", "# nothing\n", "no key\n"])
def test_a_file_without_a_key_is_refused_and_not_quoted(stack: StackSettings, text: str) -> None:
    assert stack.rotation_key is not None
    stack.rotation_key.write_text(text)
    with pytest.raises(ConfigError, match="does not hold one age secret key"):
        rotations.read_key(stack)


def test_a_stack_without_a_key_is_told_how_to_make_one(stack: StackSettings) -> None:
    with pytest.raises(ConfigError, match="pawpaw new-key"):
        rotations.read_key(stack.model_copy(update={"rotation_key": None}))


def test_the_record_has_every_end_once(tmp_path: Path) -> None:
    turn = Turn(generation=1, what="current", targets=(Target.JWT,), at=utc_now(), run_id="run")
    rotations.record(tmp_path, turn)
    rotations.record(tmp_path, turn)
    rotations.record(tmp_path, turn.model_copy(update={"what": "retired"}))
    assert [one.what for one in rotations.turns(tmp_path)] == ["current", "retired"]


def test_a_rotation_knows_the_values_of_every_state() -> None:
    whole = rotation().model_copy(update={"sign": {"JWT_KID": SecretStr("2")}})
    assert whole.values_at(State.GENERATED) == whole.old
    accepted = whole.values_at(State.ACCEPTED)
    assert accepted["DB_USER"] == SecretStr("x_b")
    assert "JWT_KID" not in accepted
    assert whole.values_at(State.CURRENT)["JWT_KID"] == SecretStr("2")
