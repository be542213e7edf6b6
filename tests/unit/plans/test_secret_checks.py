"""What is said of secrets, from what was found."""

from datetime import UTC, datetime, timedelta

import pytest

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.secrets import State, Target, Turn
from pawpaw_ops.plans import secret_checks as plan
from pawpaw_ops.plans.preflight import Finding
from pawpaw_ops.plans.secret_checks import OpenRotation

NOW = datetime(2026, 8, 1, tzinfo=UTC)
LONG, OTHER = "a" * 40, "b" * 40


def said(findings: list[Finding]) -> dict[str, str]:
    return {one.name.partition(":")[0]: str(one.verdict) for one in findings}


def rotation(state: State = State.CURRENT, **due: datetime) -> OpenRotation:
    return OpenRotation(
        generation=3, targets=tuple(Target), state=state, due={Target(name): at for name, at in due.items()}
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "is empty"),
        ("changeme_jwt_secret", "known to anybody"),
        ("short-one", "fewer than 32"),
        (OTHER, "the same"),
    ],
)
def test_a_secret_that_is_none_is_told_and_not_shown(value: str, words: str) -> None:
    found = plan.strength({"JWT_SECRET": value, "DB_PASSWORD": OTHER, "DB_NAME": "shop"})
    wrong = [one for one in found if one.verdict is Verdict.FAILED and one.name.startswith("JWT_SECRET")]
    assert words in wrong[0].says
    assert all(not value or value not in f"{one}" for one in found)


def test_good_ones_hold_and_a_missing_key_of_tokens_is_told() -> None:
    assert said(
        plan.strength({"JWT_SECRET": LONG, "DB_PASSWORD": OTHER, "SEED_USER_PASSWORD": "short"})
    ) == dict.fromkeys(("JWT_SECRET", "DB_PASSWORD", "SEED_USER_PASSWORD"), "verified")
    assert said(plan.strength({"DB_PASSWORD": OTHER}))["JWT_SECRET"] == "failed"


def test_a_container_that_was_made_with_another_is_named() -> None:
    uses = {"backend": (("DB_PASSWORD", "DB_PASSWORD"),), "exporter": (("PASS", "EXPORTER_DB_PASSWORD"),)}
    made_with = {
        "backend/b-1": {"DB_PASSWORD": LONG},
        "backend/b-2": {"DB_PASSWORD": OTHER},
        "exporter/e-1": {"PASS": LONG},
        "nginx/n-1": {},
    }
    found = plan.running({"DB_PASSWORD": LONG, "EXPORTER_DB_PASSWORD": LONG}, made_with, uses)
    assert said(found) == {"DB_PASSWORD": "failed", "EXPORTER_DB_PASSWORD": "verified"}
    assert "b-2" in found[0].says
    assert "b-1" not in found[0].says


def test_what_a_server_says_has_three_answers() -> None:
    assert said(plan.accepted("PostgreSQL", {"A": True, "B": False, "C": None})) == {
        "A": "verified",
        "B": "failed",
        "C": "not verified",
    }


def test_a_door_that_no_rotation_needs_is_told() -> None:
    assert plan.other_login("x_b", may_log_in=True, rotation=None).verdict is Verdict.FAILED
    assert plan.other_login("x_b", may_log_in=True, rotation=rotation()).verdict is Verdict.VERIFIED
    assert plan.other_login("x_b", may_log_in=False, rotation=None).verdict is Verdict.VERIFIED
    assert plan.one_password({"app": 2, "admin": 1}, None).verdict is Verdict.FAILED
    assert plan.one_password({"app": 2, "admin": 1}, rotation()).verdict is Verdict.VERIFIED
    assert plan.one_password({"app": 1}, None).verdict is Verdict.VERIFIED


def test_a_rotation_that_was_left_alone_is_told() -> None:
    assert plan.unfinished(None, now=NOW).verdict is Verdict.VERIFIED
    assert plan.unfinished(rotation(State.GENERATED), now=NOW).verdict is Verdict.FAILED
    assert plan.unfinished(rotation(jwt=NOW + timedelta(hours=1)), now=NOW).verdict is Verdict.VERIFIED
    assert plan.unfinished(rotation(jwt=NOW - timedelta(minutes=30)), now=NOW).verdict is Verdict.VERIFIED
    late = plan.unfinished(rotation(jwt=NOW - timedelta(hours=2)), now=NOW)
    assert late.verdict is Verdict.FAILED
    assert "jwt" in late.says


def test_the_login_in_use_is_the_one_that_the_env_names() -> None:
    env = {"DB_USER": "x_a", "DB_PASSWORD": LONG, "BACKUP_DB_PASSWORD": OTHER}
    assert plan.postgres_users(env) == {"DB_PASSWORD": "x_a", "BACKUP_DB_PASSWORD": "pawpaw_backup"}


def test_what_github_has_is_of_the_last_rotation_or_told() -> None:
    turns = [Turn(generation=1, what="current", targets=(), variables=("A", "B"), at=NOW, run_id="r")]
    there = {"": {"A": NOW - timedelta(seconds=40), "B": NOW - timedelta(days=2), "OTHER": NOW}, "production": {}}
    found = plan.on_github({"": ["A", "B"], "production": ["A"]}, there, turns)
    assert [(one.name, str(one.verdict)) for one in found] == [
        ("A: GitHub", "verified"),
        ("B: GitHub", "failed"),
        ("A: GitHub production", "failed"),
    ]
    assert "before the last rotation" in found[1].says
    assert plan.on_github({"": ["C"]}, {"": {"C": NOW}}, turns)[0].verdict is Verdict.VERIFIED


def test_rotate_ROT_14_a_standby_that_the_primary_would_not_let_in_anew_is_named() -> None:
    found = plan.standby({"one": "accepted", "two": "refused", "three": "unreachable"})
    assert {one.name: (one.verdict, one.says) for one in found} == {
        "REPLICATOR_DB_PASSWORD of one: the primary": (Verdict.VERIFIED, "takes it"),
        "REPLICATOR_DB_PASSWORD of two: the primary": (Verdict.FAILED, "refuses it"),
        "REPLICATOR_DB_PASSWORD of three: the primary": (Verdict.NOT_VERIFIED, "cannot be asked"),
    }
