"""What an operator sees of a deploy before it begins."""

from dataclasses import replace
from datetime import UTC, datetime

from pawpaw_ops.clients.images import ImageFacts
from pawpaw_ops.models.release import Release
from pawpaw_ops.plans.deploy import DeployPlan, Roll
from pawpaw_ops.plans.services import Kind, Service
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.plans.upstreams import Marker
from pawpaw_ops.tasks.deploy_look import Aim, Wanted
from pawpaw_ops.tasks.deploy_plan import Row, plan_rows

OLD, NEW = (f"sha256:{digit * 64}" for digit in "ab")
FACTS = ImageFacts(id=NEW, digests=(), labels={}, architecture="amd64", checked=True, size_bytes=1)
RELEASE = Release(
    number=1, id="v1-1", version="v1", images={"BACKEND_IMAGE": OLD}, compose_sha256="then",
    env_prints={"BACKEND_IMAGE": "1", "JWT_SECRET": "2", "OLD_ONE": "3", "LOG_LEVEL": "4"},
    generation=7, schema_version=1, contract=False, run_id="r", actor="Ana", why="w",
    at=datetime(2026, 8, 1, tzinfo=UTC),
)  # fmt: skip
SERVING = Marker(7, "v1-1")
ROLL = Roll(service="backend", add=2, retire=("1", "2"), why="image")


def wanted(roll: Roll = ROLL, **more: object) -> Wanted:
    made = Wanted(
        aim=Aim(version="v2", images={"BACKEND_IMAGE": NEW}),
        settings={"BACKEND_IMAGE": NEW},
        services=(Service(name="backend", kind=Kind.ROLLING, image="b", port=4000),),
        images={"backend": FACTS},
        found=tuple(
            Seen(service="backend", name=f"backend-{one}", status="running", id=one, image=OLD) for one in ("1", "2")
        ),
        plan=DeployPlan(rolls=(roll,)),
        ledger=(RELEASE,),
        compose_sha256="now",
        env_prints={"BACKEND_IMAGE": "9", "JWT_SECRET": "5", "LOG_LEVEL": "4", "NEW_ONE": "6"},
        warm=None,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def rows(service: str, found: Wanted, serving: Marker | None = SERVING) -> list[Row]:
    return [row for row in plan_rows(found, "nginx", serving) if row["service"] == service]


def test_a_service_that_changes_shows_its_old_and_its_new_image() -> None:
    [row] = rows("backend", wanted())
    assert row == {
        "service": "backend",
        "what": "2 new, 2 go, 0 stay",
        "image": f"{'a' * 12} → {'b' * 12}",
        "why": "image",
    }


def test_where_only_settings_change_there_is_one_image() -> None:
    same = tuple(one.model_copy(update={"image": NEW}) for one in wanted().found)
    assert rows("backend", wanted(found=same))[0]["image"] == "b" * 12


def test_the_gateway_shows_what_it_serves_and_what_it_will() -> None:
    assert [row["what"] for row in rows("nginx", wanted())] == ["generation 7 → generation 8: 2 backend"]
    assert [row["what"] for row in rows("nginx", wanted(), None)] == ["names → addresses: 2 backend"]


def test_a_deploy_of_nothing_behind_the_gateway_leaves_it_alone() -> None:
    assert rows("nginx", wanted(plan=DeployPlan())) == []


def test_deploy_I2_variables_that_changed_are_named_without_their_values() -> None:
    assert [row["what"] for row in rows(".env", wanted())] == ["JWT_SECRET changed", "NEW_ONE added", "OLD_ONE removed"]


def test_deploy_G1_a_rollback_says_what_it_does_not_bring_back() -> None:
    """Variables and Compose file are not as they were then; its images are, since that is what it brings."""
    back = Aim(version="v1", images=RELEASE.images, back_from="v2", back_to=RELEASE)
    serving = RELEASE.model_copy(update={"id": "v2-2", "env_prints": wanted().env_prints})
    found = wanted(aim=back, ledger=(RELEASE, serving))
    names = ("JWT_SECRET", "NEW_ONE", "OLD_ONE")
    assert [row["what"] for row in rows(".env", found)] == [f"{name} stays as it is now" for name in names]
    assert [row["why"] for row in rows("Compose file", found)] == ["not as with v1-1; a rollback changes images alone"]
    same = wanted(aim=back, ledger=(RELEASE,), compose_sha256="then", env_prints=RELEASE.env_prints)
    assert rows(".env", same) == rows("Compose file", same) == []
