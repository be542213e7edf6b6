"""What expires and what never does."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.models.backup import CatalogEntry
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.store import StoreSettings
from pawpaw_ops.plans import retention
from pawpaw_ops.plans.retention import Action, RetentionPlan
from tests.unit.support_backups import backup_id, entry

NOW = datetime(2026, 8, 1, 3, 10, tzinfo=UTC)
MINUTES = timedelta(minutes=10)
DAY = timedelta(days=1)
SETTINGS = StoreSettings()
AT_ONCE = StoreSettings(grace_h=0)


def daily(count: int, *, last: datetime = NOW - MINUTES, skip: int = 0, **more: object) -> list[CatalogEntry]:
    """One backup a day, *count* of them, newest first, the newest *skip* left out."""
    return [entry(last - DAY * age, **more) for age in range(skip, count)]  # type: ignore[arg-type]


def plan(
    entries: Iterable[CatalogEntry],
    *,
    others: Mapping[str, Iterable[CatalogEntry]] | None = None,
    settings: StoreSettings = AT_ONCE,
    now: datetime = NOW,
    rehashed: Iterable[str] | None = None,
    **more: object,
) -> RetentionPlan:
    """Plan with every stored byte freshly read as good unless told otherwise."""
    entries = list(entries)
    good = frozenset(rehashed if rehashed is not None else (found.backup_id for found in entries))
    return retention.plan(entries, others=others or {}, settings=settings, now=now, rehashed=good, **more)  # type: ignore[arg-type]


def apply(entries: Iterable[CatalogEntry], made: RetentionPlan, *, now: datetime) -> list[CatalogEntry]:
    """Do to the catalog what the plan says."""
    action = {decision.backup_id: decision.action for decision in made.steps}
    marks = {Action.MARK: now, Action.UNMARK: None}
    return [
        found.model_copy(update={"marked_at": marks[action[found.backup_id]]}) if found.backup_id in action else found
        for found in entries
        if action.get(found.backup_id) is not Action.REMOVE
    ]


def actions(made: RetentionPlan, action: Action) -> set[str]:
    return {decision.backup_id for decision in made.decisions if decision.action is action}


def reason(made: RetentionPlan, wanted: CatalogEntry) -> str:
    return next(decision.reason for decision in made.decisions if decision.backup_id == wanted.backup_id)


@pytest.mark.parametrize(
    "now",
    [
        NOW,
        datetime(2026, 3, 1, 3, 10, tzinfo=UTC),
        datetime(2028, 3, 1, 3, 10, tzinfo=UTC),
        datetime(2026, 3, 29, 3, 10, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
        datetime(2026, 3, 8, 3, 0, tzinfo=ZoneInfo("America/Monterrey")),
        datetime(2026, 8, 1, 23, 59, tzinfo=timezone(timedelta(hours=14))),
    ],
    ids=["plain", "after february", "leap year", "summer time begins", "summer time ends", "Monterrey", "Kiritimati"],
)
def test_D1_day_31_removes_exactly_one(now: datetime) -> None:
    """After 30 daily backups, the 31st lets exactly the oldest go, whatever the calendar does."""
    last = now.astimezone(UTC) - MINUTES
    zoned = [found.taken_at.astimezone(now.tzinfo) for found in daily(31, last=last)]
    entries = [entry(at) for at in zoned]
    assert plan(entries[:30], now=now).steps == ()
    made = plan(entries, now=now)
    assert actions(made, Action.REMOVE) == {entries[30].backup_id}
    assert made.frozen == ""


def test_D1_a_year_of_days_holds_a_window_of_backups() -> None:
    """With a grace of a day the catalog settles at the window plus the one that is marked."""
    entries: list[CatalogEntry] = []
    sizes = []
    for day in range(120):
        now = NOW + DAY * day
        entries.append(entry(now - MINUTES))
        entries = apply(entries, plan(entries, settings=SETTINGS, now=now), now=now)
        sizes.append(len(entries))
    assert set(sizes[40:]) == {31}


def test_marked_first_and_removed_after_the_grace() -> None:
    entries = daily(31)
    made = plan(entries, settings=SETTINGS)
    assert actions(made, Action.MARK) == {entries[30].backup_id}
    entries = apply(entries, made, now=NOW)
    assert plan(entries, settings=SETTINGS, now=NOW + 23 * timedelta(hours=1)).steps == ()
    later = plan(entries, settings=SETTINGS, now=NOW + DAY)
    assert entries[30].backup_id in actions(later, Action.REMOVE)


@pytest.mark.parametrize("change", [{"pinned": True}, {"taken_at": "young"}])
def test_a_mark_is_taken_back_when_the_backup_no_longer_qualifies(change: dict[str, object]) -> None:
    old = entry(NOW - 31 * DAY, marked_at=NOW - 5 * DAY, pinned="pinned" in change)
    settings = StoreSettings() if "pinned" in change else StoreSettings(keep_days=60)
    made = plan([*daily(30), old], settings=settings)
    assert actions(made, Action.UNMARK) == {old.backup_id}


def test_a_mark_from_the_future_is_no_mark() -> None:
    old = entry(NOW - 31 * DAY, marked_at=NOW + 400 * DAY)
    made = plan([*daily(30), old], settings=SETTINGS)
    assert actions(made, Action.MARK) == {old.backup_id}


def test_D2_forty_days_of_failures_remove_nothing_and_say_why() -> None:
    """While backups fail nothing expires, marks are taken back, and the plan says it every day."""
    good = daily(60, skip=40)
    failed = daily(40, verdict=Verdict.FAILED)
    good[-1] = good[-1].model_copy(update={"marked_at": NOW - 39 * DAY})
    made = plan([*failed, *good])
    assert actions(made, Action.REMOVE) == set()
    assert actions(made, Action.UNMARK) == {good[-1].backup_id}
    assert "40.0 d old, the limit is 2.0 d: backups fail" in made.frozen
    assert reason(made, good[-2]).endswith(made.frozen)


def test_D2_without_any_verified_backup_nothing_expires() -> None:
    made = plan(daily(50, verdict=Verdict.NOT_VERIFIED))
    assert made.steps == ()
    assert made.frozen == "no backup here is verified."


def test_D3_corrupt_newest_ones_do_not_count() -> None:
    """When the newest are found corrupt, the floor is made of old ones."""
    bad = daily(3, verdict=Verdict.FAILED)
    old = [entry(NOW - age * DAY) for age in (31, 32, 33, 34)]
    fresh = entry(NOW - MINUTES, number=1)
    made = plan([fresh, *bad, *old], settings=StoreSettings(grace_h=0, keep_days=1))
    assert actions(made, Action.REMOVE) & {found.backup_id for found in old[:2]} == set()
    assert "1 newer verified" in reason(made, old[0])


def test_D3_what_is_due_waits_until_the_floor_was_read_again() -> None:
    """Nothing is removed on the word of old proofs: the plan asks for the floor's bytes first."""
    entries = daily(31)
    made = plan(entries, rehashed=[])
    assert made.steps == ()
    assert made.recheck == tuple(sorted(found.backup_id for found in entries[:3]))
    again = plan(entries, rehashed=made.recheck)
    assert actions(again, Action.REMOVE) == {entries[30].backup_id}
    assert again.recheck == ()


def test_D3_a_floor_found_bad_moves_down_until_three_are_good() -> None:
    """Reading the floor ends with three good ones, or with nothing removed."""
    entries, bad, good = daily(35), {backup_id(NOW - MINUTES - DAY * age) for age in (0, 2)}, set[str]()
    while recheck := (made := plan(entries, rehashed=good)).recheck:
        good |= set(recheck) - bad
        entries = [
            found.model_copy(update={"verdict": Verdict.FAILED}) if found.backup_id in bad & set(recheck) else found
            for found in entries
        ]
    assert good == {entries[age].backup_id for age in (1, 3, 4)}
    assert len(actions(made, Action.REMOVE)) == 5


def test_failed_and_unproven_ones_expire_by_age_and_never_count() -> None:
    failed = entry(NOW - 40 * DAY, verdict=Verdict.FAILED, readable=False)
    unproven = entry(NOW - 41 * DAY, verdict=Verdict.NOT_VERIFIED)
    assert actions(plan([*daily(30), failed, unproven]), Action.REMOVE) == {failed.backup_id, unproven.backup_id}
    few = [*daily(2), *daily(10, skip=2, verdict=Verdict.NOT_VERIFIED), failed]
    assert plan(few).steps == ()


def test_D6_pinned_and_used_ones_stay_and_say_so() -> None:
    pinned, used, free = (entry(NOW - age * DAY, pinned=age == 40) for age in (40, 41, 42))
    made = plan([*daily(30), pinned, used, free], in_use=[used.backup_id])
    assert actions(made, Action.REMOVE) == {free.backup_id}
    assert reason(made, pinned) == "pinned."
    assert "uses it" in reason(made, used)


def test_another_location_must_hold_a_verified_one_as_new() -> None:
    entries = daily(31)
    for elsewhere in ([], daily(31, verdict=Verdict.FAILED), [entry(NOW - 50 * DAY)]):
        made = plan(entries, others={"s3": elsewhere})
        assert made.steps == ()
        assert "no other location" in reason(made, entries[30])
    assert len(plan(entries, others={"s3": [], "far": daily(1)}).steps) == 1


def test_D7_a_clock_ten_years_ahead_freezes() -> None:
    """A jump shows as an old newest backup; taken under the wrong clock, as a hole in the history."""
    entries = daily(31)
    ahead = NOW + 3650 * DAY
    assert "clock jumped" in plan(entries, now=ahead).frozen
    more = [*(entry(ahead - DAY * age) for age in range(4)), *entries]
    made = plan(more, now=ahead + MINUTES)
    assert made.steps == ()
    assert "or the clock jumped; nothing expires before" in made.frozen


def test_D7_an_outage_freezes_for_as_long_as_it_lasted() -> None:
    """Ten days without backups are followed by ten days in which nothing expires."""
    before = [entry(NOW - DAY * age) for age in range(10, 45)]
    frozen = {}
    for day in range(20):
        now = NOW + DAY * day + MINUTES
        frozen[day] = bool(plan([*before, *(entry(NOW + DAY * past) for past in range(day + 1))], now=now).frozen)
    assert [day for day, is_frozen in frozen.items() if is_frozen] == list(range(10))


def test_D7_a_manifest_from_the_future_is_set_aside_and_freezes() -> None:
    entries, lie = daily(31), entry(NOW + 400 * DAY)
    made = plan([*entries, lie])
    assert made.steps == ()
    assert lie.backup_id in made.frozen
    assert "counts for nothing" in reason(made, lie)
    three = plan(
        [entry(NOW - MINUTES), entry(NOW - 40 * DAY), entry(NOW - 41 * DAY), entry(NOW + DAY), entry(NOW + 2 * DAY)]
    )
    assert "but 1 newer" in reason(three, entry(NOW - 40 * DAY))


def test_A18_a_clock_two_hours_back_freezes() -> None:
    assert "the clock went back" in plan(daily(31), now=NOW - timedelta(hours=2)).frozen


def test_A18_two_backups_of_one_second_are_two() -> None:
    """Same time, other ids: both are decided on, in a fixed order."""
    twins = [entry(NOW - 40 * DAY, number=number) for number in (1, 2)]
    made = plan([*daily(30), *twins])
    assert actions(made, Action.REMOVE) == {found.backup_id for found in twins}


def test_A21_an_alarm_on_the_newest_freezes() -> None:
    entries = [entry(NOW - MINUTES, alarms=("table public.a is gone.",)), *daily(31, skip=1)]
    entries += [entry(NOW - 40 * DAY)]
    assert "table public.a is gone." in plan(entries).frozen
    assert plan(entries).steps == ()


def test_a_thousand_hostile_backups_push_out_no_young_honest_one() -> None:
    """Counts only protect: a flood of new ones changes nothing for what is inside the window."""
    honest = daily(30)
    flood = [entry(NOW - timedelta(seconds=number + 1), number=number) for number in range(1000)]
    backdated = [entry(NOW - 200 * DAY - timedelta(seconds=number), number=number) for number in range(1000)]
    made = plan([*honest, *flood, *backdated])
    assert not actions(made, Action.REMOVE) & {found.backup_id for found in [*honest, *flood]}


def test_D8_emergency_removes_only_what_is_verified_elsewhere() -> None:
    entries = daily(10)
    elsewhere = [found.model_copy(update={"location": "s3"}) for found in entries[2:8]]
    elsewhere[-1] = elsewhere[-1].model_copy(update={"verdict": Verdict.FAILED})
    made = plan(entries, others={"s3": elsewhere}, settings=SETTINGS, emergency=True)
    assert actions(made, Action.REMOVE) == {found.backup_id for found in entries[3:7]}
    assert [decision.backup_id for decision in made.steps] == sorted(actions(made, Action.REMOVE))
    assert plan(entries, others={}, emergency=True).steps == ()
    assert plan(entries, others={"s3": elsewhere}, emergency=True, rehashed=[]).steps == ()


def test_D8_emergency_works_while_backups_fail_for_want_of_room() -> None:
    entries = daily(20, skip=10)
    made = plan(entries, others={"s3": daily(20, skip=10)}, emergency=True)
    assert len(made.steps) == 7


def test_leftovers_are_reaped_by_age_unless_they_run() -> None:
    old, young, running = (backup_id(NOW - timedelta(hours=age)) for age in (25, 23, 40))
    ahead = backup_id(NOW + DAY)
    made = retention.leftovers([young, ahead, old, running], now=NOW, running={running})
    assert [decision.backup_id for decision in made if decision.action is Action.REMOVE] == [old]


def test_times_at_the_edge_of_the_calendar_break_nothing() -> None:
    """A hostile manifest with an absurd time is only set aside or old."""
    first = entry(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))))
    last = entry(datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))))
    assert actions(plan([*daily(30), first]), Action.REMOVE) == {first.backup_id}
    assert plan([*daily(31), last]).steps == ()


MARKS = st.none() | st.integers(-60, 60).map(lambda hours: NOW + timedelta(hours=hours))


@st.composite
def catalogs(draw: st.DrawFn) -> list[CatalogEntry]:
    """Any mix of good and bad, old and new, pinned, marked, from the past or the future."""
    ages = draw(st.lists(st.integers(-50, 2500), max_size=25, unique=True))
    return [
        entry(
            NOW - timedelta(hours=age),
            verdict=draw(st.sampled_from([Verdict.VERIFIED, *Verdict])),
            readable=draw(st.integers(0, 9)) > 0,
            pinned=draw(st.integers(0, 9)) == 0,
            marked_at=draw(MARKS),
        )
        for age in ages
    ]


SETTING = st.builds(
    StoreSettings,
    keep_days=st.integers(1, 40),
    keep_verified=st.integers(1, 5),
    grace_h=st.sampled_from([0, 1, 24]),
    interval_h=st.sampled_from([1, 24, 168, 1000]),
)


def counted(entries: Iterable[CatalogEntry]) -> list[str]:
    """Ids of the verified, readable backups that are not from the future, newest first."""
    found = [each for each in entries if each.verdict is Verdict.VERIFIED and each.manifest and each.taken_at <= NOW]
    return [each.backup_id for each in sorted(found, key=lambda each: each.taken_at, reverse=True)]


@given(catalogs(), st.none() | catalogs(), SETTING, st.sets(st.sampled_from(["emergency", "rehashed"])))
def test_plan_apply_plan_again_is_nothing(
    entries: list[CatalogEntry], elsewhere: list[CatalogEntry] | None, settings: StoreSettings, flags: set[str]
) -> None:
    """Whatever the catalog: floor, pins and uses hold, and a second look finds nothing to do."""
    others = {} if elsewhere is None else {"s3": elsewhere}
    good = [found.backup_id for found in entries] if "rehashed" in flags else []
    in_use = [found.backup_id for found in entries[:2]]
    emergency = "emergency" in flags

    def again(these: list[CatalogEntry]) -> RetentionPlan:
        return plan(these, others=others, settings=settings, emergency=emergency, rehashed=good, in_use=in_use)

    made = again(entries)
    after = apply(entries, made, now=NOW)
    assert again(after).steps == ()
    assert counted(after)[: settings.keep_verified] == counted(entries)[: settings.keep_verified]
    gone = actions(made, Action.REMOVE)
    assert not gone & {found.backup_id for found in entries if found.pinned or found.backup_id in in_use}
    assert not gone or good
    if emergency:
        assert gone <= set(counted(elsewhere or []))
    elif made.frozen:
        assert not gone
        assert not actions(made, Action.MARK)
    if not emergency:
        window = NOW - timedelta(days=settings.keep_days)
        assert all(found.taken_at < window for found in entries if found.backup_id in gone)


def test_H4_ten_thousand_backups_are_planned() -> None:
    """Twenty-seven years of days: all but the window and its edge may go."""
    assert len(plan(daily(10_000)).steps) == 10_000 - 30
