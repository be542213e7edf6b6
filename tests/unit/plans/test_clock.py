"""Time that is counted although somebody sets the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Moment
from pawpaw_ops.plans.clock import TOLERANCE, hours, jumped, reckon

DAY = timedelta(days=1)
THEN = Moment(at=datetime(2026, 8, 1, 12, tzinfo=UTC), boot="one", up_s=1000.0)


def later(passed: timedelta, *, set_by: timedelta = timedelta(0), boot: str = "one") -> Moment:
    return Moment(at=THEN.at + passed + set_by, boot=boot, up_s=THEN.up_s + passed.total_seconds())


@given(st.timedeltas(timedelta(0), timedelta(days=30)), st.timedeltas(-DAY, DAY))
def test_rotate_ROT_24_what_is_counted_does_not_depend_on_the_clock(passed: timedelta, set_by: timedelta) -> None:
    now = later(passed, set_by=set_by)
    assert abs(reckon(THEN, now) - (THEN.at + passed)) < timedelta(milliseconds=1)
    assert bool(jumped(THEN, now)) == (abs(set_by) > TOLERANCE) or abs(abs(set_by) - TOLERANCE) < timedelta(
        milliseconds=1
    )


def test_after_a_start_of_the_machine_the_clock_is_believed_unless_it_is_behind_its_own_record() -> None:
    assert reckon(THEN, later(DAY, boot="two")) == THEN.at + DAY
    assert jumped(THEN, later(DAY, boot="two")) == timedelta(0)
    with pytest.raises(PreconditionError, match=r"says 2026-08-01T11:00Z, and it was 2026-08-01T12:00Z before"):
        reckon(THEN, later(timedelta(hours=-1), boot="two"))


def test_what_was_not_written_down_is_by_the_clock() -> None:
    assert reckon(None, later(DAY)) == THEN.at + DAY
    assert jumped(None, later(DAY)) == timedelta(0)


def test_how_far_a_clock_was_set_is_told_with_its_sign() -> None:
    assert [hours(DAY), hours(-DAY)] == ["+24.0 h", "-24.0 h"]
