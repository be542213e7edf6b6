"""How far the archive of write-ahead log may be cut."""

from datetime import UTC, datetime, timedelta

import pytest

from pawpaw_ops.plans.wal_archive import Reader, Segment, plan_archive

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
KEEP = timedelta(hours=72)


def segment(number: int, age_h: float = 100, *, timeline: int = 1, suffix: str = "") -> Segment:
    at = NOW - timedelta(hours=age_h)
    return Segment(name=f"{timeline:08X}{number:016X}{suffix}", size_bytes=1 << 24, archived_at=at)


def reader(number: int | None, who: str = "the slot replica_1") -> Reader:
    return Reader(who=who, needs=None if number is None else segment(number).name)


SERVER = reader(99, "the server itself")


def numbers(found: tuple[Segment, ...]) -> list[int]:
    return [int(one.name[8:24], 16) for one in found]


@pytest.mark.parametrize(
    ("ages_h", "readers", "going", "held_by"),
    [
        ([100, 100, 100], [reader(2)], [0, 1], "the slot replica_1"),
        ([100, 100, 100], [reader(2), reader(1, "the reader standby")], [0], "the reader standby"),
        ([100, 100, 10], [reader(50)], [0, 1], "the last 72 h"),
        ([10, 100, 100], [reader(50)], [], "the last 72 h"),
        ([900, 900, 900], [reader(0)], [], "the slot replica_1"),
        ([-5, 100, 100], [reader(50)], [], "the last 72 h"),
        ([100, 100, 100], [], [0, 1, 2], "the server itself"),
        ([], [reader(3)], [], "the slot replica_1"),
    ],
    ids=["slot", "older reader", "age", "order, not age", "age alone", "from the future", "nobody reads", "empty"],
)
def test_only_what_nobody_needs_and_is_old_goes(
    ages_h: list[float], readers: list[Reader], going: list[int], held_by: str
) -> None:
    found = [segment(number, age) for number, age in enumerate(ages_h)]
    plan = plan_archive(found, [SERVER, *readers], keep=KEEP, now=NOW)
    assert (numbers(plan.going), plan.held_by, plan.unknown) == (going, held_by, "")
    assert plan.size_bytes == len(found) << 24
    assert plan.frees_bytes == len(going) << 24
    left = [one for one in found if one not in plan.going]
    again = plan_archive(left, [SERVER, *readers], keep=KEEP, now=NOW)
    assert again.going == ()


@pytest.mark.parametrize("readers", [[SERVER, reader(None)], [SERVER, reader(5), reader(None)], []])
def test_what_a_reader_needs_is_unknown_and_nothing_goes(readers: list[Reader]) -> None:
    plan = plan_archive([segment(0), segment(1)], readers, keep=KEEP, now=NOW)
    assert plan.unknown
    assert (plan.going, plan.anchor) == ((), "")


def test_timelines_are_one_log_and_a_partial_segment_has_its_place() -> None:
    """As pg_archivecleanup compares; the name that it is given is a whole segment's."""
    found = [
        segment(1, timeline=1),
        segment(2, suffix=".partial"),
        segment(3, timeline=2),
        segment(4, 1, suffix=".partial"),
    ]
    plan = plan_archive(found, [SERVER], keep=KEEP, now=NOW)
    assert numbers(plan.going) == [1, 2, 3]
    assert plan.anchor == segment(4).name
