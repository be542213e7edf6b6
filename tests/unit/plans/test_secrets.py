"""What a rotation changes, decided without touching anything."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.secrets import Rotation, State, Target
from pawpaw_ops.plans.env_values import edit, variables
from pawpaw_ops.plans.secrets import (
    NewValues,
    changed_since,
    changes,
    check_blocks,
    check_radius,
    consumers,
    in_clear,
    moves,
    next_kid,
    other_login,
    plan_values,
    random_secret,
)

ENV = {
    "DB_USER": "pawpaw_app_a",
    "DB_PASSWORD": "old-db",
    "REDIS_APP_PASSWORD": "old-redis",
    "REDIS_ADMIN_PASSWORD": "admin",
    "JWT_SECRET": "old-jwt",
    "JWT_KID": "1",
    "GRAFANA_ADMIN_PASSWORD": "old-grafana",
}


def test_rotate_ROT_17_a_thousand_secrets_come_back_from_a_url_and_a_dotenv_file() -> None:
    made = {random_secret() for _ in range(1000)}
    assert len(made) == 1000
    for one in made:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", one)  # 43 × 6 bits hold 256
        assert urlsplit(f"postgres://user:{one}@host:5432/db").password == one
        assert dict(variables(edit("A=x\n", {"DB_PASSWORD": one})))["DB_PASSWORD"] == one


def test_the_two_logins_take_turns() -> None:
    assert other_login("pawpaw_app_a") == "pawpaw_app_b"
    assert other_login("pawpaw_app_b") == "pawpaw_app_a"
    with pytest.raises(PreconditionError, match="no other login"):
        other_login("postgres")


@pytest.mark.parametrize(
    ("current", "previous", "wanted"),
    [("1", "", "2"), ("2", "1", "3"), ("1", "2", "3"), ("key", "", "key1"), ("k9", "k8", "k10")],
)
def test_a_key_gets_a_name_that_none_has(current: str, previous: str, wanted: str) -> None:
    assert next_kid(current, previous) == wanted


@given(st.lists(st.integers(0, 3), max_size=6))
def test_a_key_never_gets_the_name_of_one_that_is_accepted(turns: list[int]) -> None:
    current, previous = "1", ""
    for _ in turns:
        made = next_kid(current, previous)
        assert made not in {current, previous}
        current, previous = made, current


def test_rotate_JWT_01_every_replica_accepts_the_new_key_before_one_signs_with_it() -> None:
    values = plan_values([Target.JWT], ENV, make=lambda: "new")
    assert in_clear(values.accept) == {"JWT_PREVIOUS_SECRET": "new", "JWT_PREVIOUS_KID": "2"}
    assert in_clear(values.sign) == {
        "JWT_SECRET": "new",
        "JWT_KID": "2",
        "JWT_PREVIOUS_SECRET": "old-jwt",
        "JWT_PREVIOUS_KID": "1",
    }
    assert in_clear(values.retire) == {"JWT_PREVIOUS_SECRET": None, "JWT_PREVIOUS_KID": None}
    assert in_clear(values.old) == {
        "JWT_SECRET": "old-jwt",
        "JWT_KID": "1",
        "JWT_PREVIOUS_SECRET": None,
        "JWT_PREVIOUS_KID": None,
    }


def rotation(state: State, values: NewValues) -> Rotation:
    return Rotation(generation=1, targets=(Target.JWT,), state=state, began_at=utc_now(), run_id="r", **dict(values))


def test_rotate_JWT_02_no_key_signs_before_every_replica_accepts_it() -> None:
    """The only way to values is by the state on disk: each leads to the next one, and to no other."""
    three, one = plan_values([Target.JWT], ENV), plan_values([Target.JWT], ENV, abrupt=True)
    allowed = {
        (State.GENERATED, State.ACCEPTED): three.accept,
        (State.ACCEPTED, State.ACCEPTED): three.accept,
        (State.ACCEPTED, State.CURRENT): three.sign,
        (State.CURRENT, None): three.retire,
    }
    for state in State:
        for to in (*State, None):
            if (state, to) in allowed:
                assert changes(rotation(state, three), to) == allowed[state, to]
            else:
                with pytest.raises(PreconditionError, match=f"is {state} and cannot become"):
                    changes(rotation(state, three), to)
    assert changes(rotation(State.GENERATED, one), State.CURRENT) == one.accept, "everybody has to log in again"
    with pytest.raises(PreconditionError, match="cannot become"):
        changes(rotation(State.GENERATED, one), State.ACCEPTED)


def test_rotate_JWT_02_a_key_that_somebody_took_out_of_the_env_again_is_missed() -> None:
    accepted = rotation(State.ACCEPTED, plan_values([Target.JWT], ENV, make=lambda: "new"))
    both = {**ENV, "JWT_PREVIOUS_SECRET": "new", "JWT_PREVIOUS_KID": "2"}
    assert changed_since(accepted, both) == ()
    assert changed_since(accepted, ENV) == ("JWT_PREVIOUS_SECRET", "JWT_PREVIOUS_KID")
    assert changed_since(accepted, {**both, "JWT_PREVIOUS_SECRET": "another"}) == ("JWT_PREVIOUS_SECRET",)


def test_an_abrupt_one_knows_the_old_key_no_more() -> None:
    values = plan_values([Target.JWT], ENV, abrupt=True, make=lambda: "new")
    assert in_clear(values.accept) == {
        "JWT_SECRET": "new",
        "JWT_KID": "2",
        "JWT_PREVIOUS_SECRET": None,
        "JWT_PREVIOUS_KID": None,
    }
    assert values.sign == values.retire == {}


def test_rotate_JWT_04_a_key_that_anybody_knows_is_given_up_at_once_or_not_at_all() -> None:
    env = {**ENV, "JWT_SECRET": "changeme_jwt_secret"}
    with pytest.raises(PreconditionError, match="anybody knows"):
        plan_values([Target.JWT], env)
    assert "changeme_jwt_secret" not in in_clear(plan_values([Target.JWT], env, abrupt=True).accept).values()
    for nothing in ({**ENV, "JWT_SECRET": ""}, {name: value for name, value in ENV.items() if name != "JWT_SECRET"}):
        with pytest.raises(PreconditionError, match="no JWT_SECRET"):
            plan_values([Target.JWT], nothing)


def test_all_at_once_is_one_set_of_values_each_with_a_secret_of_its_own() -> None:
    values = plan_values(list(Target), ENV)
    new = in_clear(values.accept)
    assert new["DB_USER"] == "pawpaw_app_b"
    made = {
        new[name] for name in ("DB_PASSWORD", "REDIS_APP_PASSWORD", "JWT_PREVIOUS_SECRET", "GRAFANA_ADMIN_PASSWORD")
    }
    assert len(made - {None} - set(ENV.values())) == 4
    assert {name: value for name, value in in_clear(values.old).items() if value} == {
        name: value for name, value in ENV.items() if name != "REDIS_ADMIN_PASSWORD"
    }


@pytest.mark.parametrize("missing", ENV)
def test_what_is_missing_in_the_env_is_named(missing: str) -> None:
    with pytest.raises(PreconditionError, match=missing):
        plan_values(list(Target), {name: value for name, value in ENV.items() if name != missing})


def test_grafana_has_one_password_that_no_replica_uses() -> None:
    values = plan_values([Target.GRAFANA], ENV, make=lambda: "new")
    assert in_clear(values.accept) == {"GRAFANA_ADMIN_PASSWORD": "new"}
    assert in_clear(values.old) == {"GRAFANA_ADMIN_PASSWORD": "old-grafana"}
    assert values.sign == values.retire == {}
    assert not moves([Target.GRAFANA])
    assert moves([Target.GRAFANA, Target.REDIS])


def test_rotate_GH_10_a_login_of_a_prefect_block_is_not_rotated_under_it() -> None:
    """No block holds what is rotated, so that no saving of one can fail half-way; one that would is named first."""
    rotated = {Target.DATABASE: ["pawpaw_app_a", "pawpaw_app_b"], Target.REDIS: ["pawpaw_app"]}
    apart = {Target.DATABASE: ["postgres"], Target.REDIS: ["pawpaw_backup"]}
    check_blocks(rotated, apart)
    check_blocks({}, {Target.DATABASE: ["pawpaw_app_a"]})
    check_blocks({Target.REDIS: ["pawpaw_app"]}, {Target.DATABASE: ["pawpaw_app"]})
    with pytest.raises(PreconditionError, match="logs in as pawpaw_app_b, and would be left"):
        check_blocks(rotated, {**apart, Target.DATABASE: ["postgres", "pawpaw_app_b"]})
    with pytest.raises(PreconditionError, match="logs in as pawpaw_app, and"):
        check_blocks(rotated, {**apart, Target.REDIS: ["pawpaw_app"]})


def test_who_is_made_from_a_secret_is_read_off_the_compose_file() -> None:
    raw = {
        "services": {
            "backend": {"environment": {"DB_PASSWORD": "${DB_PASSWORD:?is required}", "PORT": "4000"}},
            "roles": {"environment": {"PASS": "${DB_PASSWORD}", "KID": "${JWT_KID:-1}"}},
            "nginx": {"environment": {"NOT": "${DB_PASSWORD_OF_OTHERS}"}},
            "loki": {},
        }
    }
    assert consumers(raw, ["DB_PASSWORD", "JWT_KID"]) == {
        "backend": (("DB_PASSWORD", "DB_PASSWORD"),),
        "roles": (("KID", "JWT_KID"), ("PASS", "DB_PASSWORD")),
    }


def test_rotate_ROT_18_a_database_that_would_be_made_anew_is_named_and_refused() -> None:
    before = {"backend": "1", "postgres": "2", "redis": "3", "nginx": "4"}
    assert check_radius(before, {**before, "backend": "x"}, may=["backend"], stays=[]) == ("backend",)
    with pytest.raises(PreconditionError, match="would also change postgres"):
        check_radius(before, {**before, "backend": "x", "postgres": "y"}, may=["backend"], stays=["redis"])
    assert check_radius(before, {**before, "redis": "x"}, may=["backend"], stays=["redis"]) == ("redis",)
