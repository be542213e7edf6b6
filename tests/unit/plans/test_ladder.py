"""The ladder of proof: nothing is green by omission, and alarms speak against no backup."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.corpus import KINDS
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.plans import ladder
from pawpaw_ops.plans.ladder import CODES, OF_DIFFERENCE, OF_SQLSTATE, RUNGS, finding
from tests.unit.support_backups import backup_id, entry
from tests.unit.support_drills import AT, record

V, F, N = Verdict.VERIFIED, Verdict.FAILED, Verdict.NOT_VERIFIED
ALL = dict.fromkeys(RUNGS, 1.0)


def test_every_code_has_a_rung_and_every_name_a_code() -> None:
    assert {rung for rung, _ in CODES.values()} == set(RUNGS)
    assert set(OF_DIFFERENCE.values()) | set(OF_SQLSTATE.values()) <= set(CODES)


def test_E1_the_corpus_has_every_kind_and_two_kinds_never_look_alike() -> None:
    """Each broken backup has a finding of its own."""
    wanted = (
        "healthy, killed, truncated, flipped, empty database, missing role, missing extension, missing index, row loss,"
        " stale data, sequence behind, collation changed, search_path function, wrong major, wrong key, wrong database"
    )
    assert set(wanted.split(", ")) <= set(KINDS)
    codes = [kind.expected for kind in KINDS.values()]
    assert len(set(codes)) == len(codes)
    assert all(code in CODES for expected in codes for code in expected)


@pytest.mark.parametrize(
    ("codes", "reached", "expected"),
    [
        ((), 8, V),
        ((), 7, N),
        ((), -1, N),
        (("digest",), -1, F),
        (("key",), 0, N),
        (("content",), 8, F),
        (("stale", "collation", "budget"), 8, V),
        (("extension",), 1, N),
        (("extension", "structure"), 1, F),
    ],
)
def test_the_verdict_of_a_climb(codes: tuple[str, ...], reached: int, expected: Verdict) -> None:
    seconds = {level: 1.0 for level in RUNGS if level <= reached}
    rungs = ladder.results([finding(code, "x") for code in codes], seconds)
    assert ladder.verdict(rungs) is expected


@given(st.lists(st.sampled_from(sorted(CODES))), st.sets(st.sampled_from(sorted(RUNGS))))
def test_only_a_whole_climb_is_green(codes: list[str], reached: set[int]) -> None:
    """Verified means: every rung was stood on, and nothing but alarms was found."""
    rungs = ladder.results([finding(code, "x") for code in codes], dict.fromkeys(reached, 1.0))
    green = reached == set(RUNGS) and all(CODES[code][1] is V for code in codes)
    failed = any(CODES[code][1] is F for code in codes)
    assert ladder.verdict(rungs) is (F if failed else V if green else N)


def test_the_level_of_a_record_is_the_last_green_rung() -> None:
    assert record().level == 8
    assert record(rungs=ladder.results((), {0: 1.0, 1: 1.0})).level == 1
    assert record(rungs=ladder.results([finding("digest", "x")], {0: 1.0})).level == -1
    fallen_elsewhere = finding("server", "x", rung=4)
    assert record(rungs=ladder.results([fallen_elsewhere], {0: 1, 1: 1, 2: 1})).level == 3 - 1


def test_E2_a_green_drill_expires() -> None:
    """What was proven a fortnight ago is not verified today."""
    ttl = {"ttl_days": 8.0}
    assert ladder.standing([], now=AT, **ttl)[0] is N
    assert ladder.standing([record()], now=AT + timedelta(days=8), **ttl)[0] is V
    assert ladder.standing([record()], now=AT + timedelta(days=9), **ttl) == (
        N,
        "the last drill is 9.0 d old; it counts 8 d.",
    )
    newer = record(at=AT + timedelta(days=1), verdict=F)
    assert ladder.standing([newer, record()], now=AT + timedelta(days=2), **ttl)[0] is F


def test_E5_slow_is_an_alarm_and_no_failure() -> None:
    assert ladder.over_budget(60, 1.0) == ()
    assert ladder.over_budget(61, None) == ()
    [found] = ladder.over_budget(90, 1.0)
    assert (found.code, found.verdict, found.text) == ("budget", V, "the restore took 1.5 min, 1 min are allowed.")


def test_E5_only_like_is_compared_with_like() -> None:
    """Another size, version or number of sessions is another tier; failed drills have no time."""
    same = record(at=AT - timedelta(days=7), database_bytes=9_000_000)
    others = [
        record(database_bytes=50_000_000),
        record(server_version_num=160003),
        record(jobs=4),
        record(verdict=F),
    ]
    assert ladder.trend([record(), *others, same], record()) == (same, record())


NOW = datetime(2026, 8, 1, tzinfo=UTC)


def test_the_newest_and_one_older_are_drilled_from_any_location() -> None:
    days = [NOW - timedelta(days=age) for age in range(6)]
    entries = [entry(at, location=where) for at in days for where in ("here", "s3")]
    entries += [entry(NOW + timedelta(days=1), verdict=F)]
    seen = [ladder.choose(entries, "newest", rng=random.Random(seed)) for seed in range(60)]
    assert {picked[0].backup_id for picked in seen} == {backup_id(days[0])}
    assert {picked[1].backup_id for picked in seen} == {backup_id(at) for at in days[1:]}
    assert {found.location for picked in seen for found in picked} == {"here", "s3"}


def test_a_copy_known_to_be_bad_is_not_chosen_and_a_wanted_one_is() -> None:
    entries = [
        entry(NOW, location="here", verdict=F),
        entry(NOW, location="s3"),
        entry(NOW - timedelta(days=1), verdict=F),
    ]
    rng = random.Random(1)
    assert [found.location for found in ladder.choose(entries, "newest", rng=rng)] == ["s3"]
    assert len(ladder.choose(entries, entries[2].backup_id, rng=rng)) == 1
    assert ladder.choose([], "newest", rng=rng) == ()
    assert ladder.choose(entries, "20200101T000000Z-00000000", rng=rng) == ()
