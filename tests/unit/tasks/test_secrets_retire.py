"""When an old secret is to end, where somebody sets the clock meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from pyrage import x25519

from pawpaw_ops.clients import rotations
from pawpaw_ops.clients.clock import moment
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Moment
from pawpaw_ops.models.secrets import Rotation, State, Target
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.session import open_session
from pawpaw_ops.tasks import secrets_retire
from pawpaw_ops.tasks.secrets_retire import find_due
from pawpaw_ops.tasks.secrets_roll import reached
from pawpaw_ops.tasks.secrets_rotate import Times
from tests.unit.support_stacks import stack_of

GRACE, LITTLE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def stack(tmp_path: Path) -> StackSettings:
    key = tmp_path / "rotation.key"
    key.touch(mode=0o600)
    key.write_text(f"{x25519.Identity.generate()}\n")
    return stack_of(tmp_path).model_copy(update={"rotation_key": key})


def note(stack: StackSettings, rotation: Rotation, due: dict[Target, timedelta], since: Moment, *, again: bool) -> None:
    """Write down when the old secrets end, by the commit of a session as a rotation does."""
    times = {target: since.at + left for target, left in due.items()}
    with open_session(stack, verb="v", purpose="p", run_id=f"r{len(due)}") as do:
        step = reached(do, rotation, State.CURRENT, due=times, counted_from=None if again else since)
        do.commit("in use", then=[step])


@pytest.fixture
def since(stack: StackSettings) -> Moment:
    """The commit of a rotation of everything, of which Redis' old password has ended already."""
    now = moment()
    values = {"DB_PASSWORD": SecretStr("x" * 43)}
    made = Rotation(generation=1, targets=tuple(Target), old=values, accept=values, began_at=now.at, run_id="r")
    rotations.save(stack, made)
    note(stack, made, dict.fromkeys(Target, GRACE), now, again=False)
    note(stack, made, {Target.DATABASE: GRACE, Target.JWT: 8 * GRACE}, now, again=True)
    return now


def due(stack: StackSettings, since: Moment, patch: pytest.MonkeyPatch, passed: timedelta, **more: object) -> list[str]:
    """Return what is due when so much time went by, and the clock was set."""
    set_by, boot = more.pop("set_by", timedelta(0)), more.pop("boot", since.boot)
    assert isinstance(set_by, timedelta)
    now = Moment(at=since.at + passed + set_by, boot=str(boot), up_s=since.up_s + passed.total_seconds())
    patch.setattr(secrets_retire, "moment", lambda: now)
    return [str(target) for target in find_due.fn(stack, now=bool(more))]


def test_of_what_there_can_be_only_one_no_old_one_is_left_to_end() -> None:
    now = moment().at
    made = Rotation(generation=1, targets=tuple(Target), old={}, accept={}, began_at=now, run_id="r")
    times = Times(grace=GRACE, sessions=8 * GRACE)
    assert times.due(made, now) == dict.fromkeys((Target.DATABASE, Target.REDIS), now + GRACE)
    assert times.due(made.model_copy(update={"targets": (Target.GRAFANA,)}), now) == {}


@pytest.mark.parametrize("set_by", [-DAY, timedelta(0), DAY])
def test_rotate_ROT_24_a_clock_that_is_set_by_a_day_neither_ends_a_grace_nor_makes_it_longer(
    stack: StackSettings,
    since: Moment,
    set_by: timedelta,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert due(stack, since, monkeypatch, GRACE - LITTLE, set_by=set_by) == []
    assert ("the clock was set by" in caplog.text) == bool(set_by), "not silently"
    assert due(stack, since, monkeypatch, GRACE + LITTLE, set_by=set_by) == ["database"]
    assert due(stack, since, monkeypatch, 8 * GRACE - LITTLE, set_by=set_by) == ["database"]
    assert due(stack, since, monkeypatch, 8 * GRACE + LITTLE, set_by=set_by) == ["database", "jwt"]


def test_rotate_ROT_24_a_machine_that_started_with_its_clock_behind_ends_nothing_but_what_it_is_told(
    stack: StackSettings, since: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PreconditionError, match="how much time went by is unknown"):
        due(stack, since, monkeypatch, GRACE, set_by=-DAY, boot="another")
    assert due(stack, since, monkeypatch, GRACE, set_by=-DAY, boot="another", now=True) == ["database", "jwt"]
    assert due(stack, since, monkeypatch, GRACE - LITTLE, boot="another") == []
    assert due(stack, since, monkeypatch, GRACE, boot="another") == ["database"]
