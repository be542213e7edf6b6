"""How old secrets are, from what was seen of them."""

from datetime import UTC, datetime, timedelta

from pawpaw_ops.models.secrets import Acquaintances, Turn
from pawpaw_ops.plans.secret_ages import ages, by_hand, meet

NOW, DAY = datetime(2026, 8, 1, tzinfo=UTC), timedelta(days=1)
OLDEST = 180 * DAY
NOBODY = Acquaintances(salt="ab" * 32)


def turn(what: str, at: datetime, *variables: str) -> Turn:
    return Turn(generation=1, what=what, targets=(), variables=variables, at=at, run_id="r")


def said(known: Acquaintances, *turns: Turn, now: datetime) -> dict[str, tuple[str, str]]:
    found = ages(known, turns, now=now, oldest=OLDEST)
    return {one.name.partition(":")[0]: (str(one.verdict), one.says) for one in found}


def test_a_secret_is_as_old_as_its_last_rotation() -> None:
    known = meet({"A": "one", "B": "two", "C": "three"}, NOBODY, now=NOW)
    turns = (
        turn("current", NOW - 200 * DAY, "A", "B"),
        turn("current", NOW - 9 * DAY, "A"),
        turn("dropped", NOW, "B"),
    )
    assert said(known, *turns, now=NOW) == {
        "A": ("verified", "9 days"),
        "B": ("failed", "200 days"),
        "C": ("not verified", "at least 0 days"),
    }


def test_of_one_that_nobody_rotates_it_is_known_how_old_it_is_at_least_and_exactly_once_it_changes() -> None:
    first = meet({"STRIPE_SECRET_KEY": "sk_one"}, NOBODY, now=NOW)
    again = meet({"STRIPE_SECRET_KEY": "sk_one"}, first, now=NOW + 30 * DAY)
    assert again == first
    assert said(again, now=NOW + 30 * DAY) == {"STRIPE_SECRET_KEY": ("not verified", "at least 30 days")}
    assert said(again, now=NOW + 181 * DAY) == {"STRIPE_SECRET_KEY": ("failed", "at least 181 days")}
    changed = meet({"STRIPE_SECRET_KEY": "sk_two"}, again, now=NOW + 40 * DAY)
    assert said(changed, now=NOW + 45 * DAY) == {"STRIPE_SECRET_KEY": ("verified", "5 days")}


def test_no_value_is_kept_and_equal_ones_cannot_be_looked_up() -> None:
    known = meet({"A": "canary-0123456789", "B": "canary-0123456789"}, NOBODY, now=NOW)
    assert "canary" not in known.model_dump_json()
    other = meet({"A": "canary-0123456789"}, Acquaintances(salt="cd" * 32), now=NOW)
    assert other.met["A"].print != known.met["A"].print


def test_a_variable_that_is_gone_is_forgotten() -> None:
    known = meet({"A": "one", "B": "two"}, NOBODY, now=NOW)
    assert list(meet({"B": "two"}, known, now=NOW + DAY).met) == ["B"]


def test_the_list_for_people_has_what_no_rotation_changes() -> None:
    known = meet({"STRIPE_SECRET_KEY": "a", "SMTP_PASSWORD": "b", "DB_PASSWORD": "c"}, NOBODY, now=NOW)
    known = meet({"STRIPE_SECRET_KEY": "a", "SMTP_PASSWORD": "x", "DB_PASSWORD": "c"}, known, now=NOW + 200 * DAY)
    assert by_hand(ages(known, (), now=NOW + 200 * DAY, oldest=OLDEST)) == (
        "- [x] `SMTP_PASSWORD`: 0 days\n- [ ] `STRIPE_SECRET_KEY`: at least 200 days"
    )
