"""What a deploy does with what it finds."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.release import Release
from pawpaw_ops.plans.deploy import DeployPlan, Roll, choose_rollback, contracts_between, plan_deploy
from pawpaw_ops.plans.services import Kind, Service
from pawpaw_ops.plans.startup import Seen

SERVICES = (
    Service(name="backend", kind=Kind.ROLLING, image="b", replicas=2, port=4000),
    Service(name="postgres", kind=Kind.SINGULAR, image="p", why="it has a container name"),
    Service(name="migrate", kind=Kind.ONCE, image="b"),
)
WANTED = {"backend": "new", "postgres": "same", "migrate": "new"}


def seen(service: str, number: int = 1, *, config_hash: str = "same", status: str = "running", image: str = "") -> Seen:
    name = f"{service}-{number}"
    return Seen(service=service, name=name, id=name, number=number, status=status, config_hash=config_hash, image=image)


def plan(*found: Seen, **more: Any) -> DeployPlan:
    return plan_deploy(SERVICES, found, hashes=more.pop("hashes", WANTED), image_ids=more.pop("ids", {}), **more)


POSTGRES, MIGRATED = seen("postgres"), seen("migrate", config_hash="old", status="exited")


def test_old_replicas_go_when_as_many_new_ones_serve() -> None:
    found = plan(seen("backend", 1), seen("backend", 2), POSTGRES, MIGRATED)
    roll = Roll(service="backend", add=2, retire=("backend-1", "backend-2"), why="settings")
    assert found == DeployPlan(rolls=(roll,))


def test_deploy_I4_nothing_changed_is_nothing_to_do() -> None:
    new = [seen("backend", number, config_hash="new") for number in (1, 2)]
    assert plan(*new, POSTGRES, MIGRATED).nothing


def test_a_tag_that_moved_is_another_image() -> None:
    """The settings are the same word for word."""
    new = [seen("backend", number, config_hash="new", image="sha256:old") for number in (1, 2)]
    assert plan(*new, POSTGRES, ids={"backend": "sha256:new"}).rolls[0].why == "image"


def test_deploy_G4_warm_replicas_that_are_as_wanted_serve_again_and_others_end_first() -> None:
    warm = {"backend-1", "backend-2"}
    serving = [seen("backend", number, config_hash="now") for number in (3, 4)]
    old = [seen("backend", number, config_hash="before") for number in (1, 2)]
    back = plan(*old, *serving, POSTGRES, hashes=WANTED | {"backend": "before"}, warm=warm)
    roll = Roll(service="backend", keep=("backend-1", "backend-2"), retire=("backend-3", "backend-4"), why="settings")
    assert back == DeployPlan(rolls=(roll,))
    on = plan(*old, *serving, POSTGRES, warm=warm)
    roll = Roll(service="backend", add=2, retire=("backend-3", "backend-4"), why="settings")
    assert on == DeployPlan(rolls=(roll,), cold=("backend-1", "backend-2"))
    assert plan(*old, *serving, POSTGRES, hashes=WANTED | {"backend": "now"}, warm=warm).nothing


def test_the_first_deploy_starts_everything() -> None:
    assert plan().start == ("backend", "postgres")


def test_a_run_that_was_cut_short_is_gone_on_with() -> None:
    """One new replica is there already, and one of the old ones died meanwhile."""
    found = plan(
        seen("backend", 1), seen("backend", 2, status="exited"), seen("backend", 3, config_hash="new"), POSTGRES
    )
    expected = Roll(
        service="backend", keep=("backend-3",), add=1, retire=("backend-1",), dead=("backend-2",), why="settings"
    )
    assert found.rolls == (expected,)


@pytest.mark.parametrize(("there", "add", "retire"), [(1, 1, 0), (2, 0, 0), (4, 0, 2)])
def test_the_number_of_replicas_is_met(there: int, add: int, retire: int) -> None:
    rolls = plan(*[seen("backend", number, config_hash="new") for number in range(1, there + 1)], POSTGRES).rolls
    assert sum(roll.add for roll in rolls) == add
    assert [one for roll in rolls for one in roll.retire] == [f"backend-{n}" for n in range(3, 3 + retire)]


def test_deploy_I5_what_must_stop_to_change_is_left_unless_it_may_stop() -> None:
    backend = [seen("backend", number, config_hash="new") for number in (1, 2)]
    database = seen("postgres", config_hash="other")
    assert plan(*backend, database).left == {"postgres": "it has a container name"}
    assert plan(*backend, database).nothing
    assert plan(*backend, database, may_stop=["postgres"]).recreate == ("postgres",)


@pytest.mark.parametrize("name", ["backend", "migrate", "--help"])
def test_only_what_must_stop_may_be_told_to(name: str) -> None:
    with pytest.raises(PreconditionError, match="those are postgres"):
        plan(may_stop=[name])


def test_deploy_I6_a_service_that_is_no_more_is_an_orphan() -> None:
    backend = [seen("backend", number, config_hash="new") for number in (1, 2)]
    assert plan(*backend, POSTGRES, seen("worker")).orphans == ("worker-1",)


@given(
    st.lists(
        st.tuples(st.sampled_from(["new", "same"]), st.sampled_from(["running", "exited", "restarting"])), max_size=6
    )
)
def test_what_is_planned_is_planned_once(found: list[tuple[str, str]]) -> None:
    """Carry the plan out, plan again: nothing is left to do, and whoever serves well is never retired for nothing."""
    before = [seen("backend", n, config_hash=h, status=status) for n, (h, status) in enumerate(found, 1)]
    planned = plan(*before, POSTGRES)
    gone = {one for roll in planned.rolls for one in (*roll.retire, *roll.dead)}
    added = sum(roll.add for roll in planned.rolls) + (2 if "backend" in planned.start else 0)
    after = [one for one in before if one.id not in gone]
    after += [seen("backend", 100 + n, config_hash="new") for n in range(added)]
    assert plan(*after, POSTGRES).nothing
    assert len(after) == 2


def release(number: int, version: str, *, back_from: str = "", contract: bool = False) -> Release:
    return Release(
        number=number, id=f"{version}-{number}", version=version, images={}, compose_sha256="", env_prints={},
        generation=number, schema_version=1, contract=contract, back_from=back_from, run_id="r", actor="Ana", why="",
        at=datetime(2026, 11, 24, tzinfo=UTC),
    )  # fmt: skip


def test_deploy_G1_back_is_to_the_version_before() -> None:
    assert choose_rollback([release(1, "a"), release(2, "b"), release(3, "b")]).id == "a-1"


def test_deploy_G5_there_is_no_way_back_to_what_was_gone_back_from() -> None:
    """A rollback of a rollback would be the bad release again."""
    ledger = [release(1, "a"), release(2, "b"), release(3, "c"), release(4, "b", back_from="c")]
    assert choose_rollback(ledger).id == "a-1"
    with pytest.raises(PreconditionError, match="already gone back from"):
        choose_rollback([release(1, "a"), release(2, "b"), release(3, "a", back_from="b")])


@pytest.mark.parametrize("to", ["b", "b-2"])
def test_back_is_to_whatever_is_named(to: str) -> None:
    assert choose_rollback([release(1, "a"), release(2, "b"), release(3, "c")], to).id == "b-2"


@pytest.mark.parametrize("to", ["--help", "c-3", "b-9", "../x"])
def test_deploy_G7_what_is_no_earlier_release_is_refused(to: str) -> None:
    with pytest.raises(PreconditionError, match="those are a-1, b-2"):
        choose_rollback([release(1, "a"), release(2, "b"), release(3, "c")], to)


def test_without_releases_there_is_no_way_back() -> None:
    with pytest.raises(PreconditionError, match="no release is on record"):
        choose_rollback([])


def test_deploy_F4_migrations_that_the_target_cannot_work_with_are_named() -> None:
    ledger = [release(1, "a"), release(2, "b", contract=True), release(3, "c"), release(4, "d", contract=True)]
    assert contracts_between(ledger, ledger[0]) == ("b-2", "d-4")
    assert contracts_between(ledger, ledger[1]) == ("d-4",)
