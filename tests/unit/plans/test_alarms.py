"""A21: what is odd about a backup that was proven."""

from datetime import UTC, datetime, timedelta

import pytest

from pawpaw_ops.plans.alarms import alarms
from tests.unit.support_backups import contents

AT = datetime(2026, 8, 1, tzinfo=UTC)
BEFORE = contents(AT - timedelta(days=1), rows={"public.a": 1000, "public.b": 100, "public.c": 0}, size=1000)


def test_A21_an_ordinary_day_has_no_alarm() -> None:
    new = contents(AT, rows={"public.a": 800, "public.b": 0, "public.c": 0, "public.new": 5}, size=500)
    assert alarms(new, previous=BEFORE, freshness_h=None) == ()
    assert alarms(new, previous=None, freshness_h=None) == ()


def test_A21_a_small_dump_is_odd() -> None:
    new = contents(AT, rows={"public.a": 1000, "public.b": 100, "public.c": 0}, size=499)
    assert alarms(new, previous=BEFORE, freshness_h=None) == (f"the dump has 499 bytes; {BEFORE.backup_id} had 1000.",)


def test_A21_lost_rows_and_lost_tables_are_odd() -> None:
    new = contents(AT, rows={"public.a": 799, "public.c": 0})
    assert alarms(new, previous=BEFORE, freshness_h=None) == (
        f"table public.a has 799 rows; {BEFORE.backup_id} had 1000.",
        f"table public.b is gone; {BEFORE.backup_id} had it with 100 rows.",
    )


@pytest.mark.parametrize(
    ("newest_at", "said"),
    [
        (AT - timedelta(hours=26), ()),
        (AT - timedelta(hours=27), ("the newest row is 27.0 h old, the limit is 26 h.",)),
        (datetime(2026, 7, 31, 12, 0), ()),  # noqa: DTZ001 - a column without time zone answers so
        (None, ("the freshness query found no row.",)),
    ],
)
def test_A21_an_old_newest_row_is_odd(newest_at: datetime | None, said: tuple[str, ...]) -> None:
    new = contents(AT, rows={"public.a": 1000, "public.b": 100, "public.c": 0}, newest_at=newest_at)
    assert alarms(new, previous=BEFORE, freshness_h=26) == said
