"""The gateway's files and the containers that there are."""

from pawpaw_ops.plans.reconcile import drift
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.plans.upstreams import Member, Members, render


def seen(service: str, number: int, address: str, *, image: str = "sha256:1", health: str = "healthy") -> Seen:
    return Seen(
        service=service, name=f"shop-{service}-{number}", status="running", health=health, number=number,
        id=f"{service[0].replace('f', 'a')}{number}" * 6, address=address, image=image,
    )  # fmt: skip


BACKEND = (seen("backend", 1, "172.20.0.5"), seen("backend", 2, "172.20.0.6"))
FRONTEND = seen("frontend", 1, "172.20.0.7")


def files(*containers: Seen) -> dict[str, str]:
    members = [
        Members(
            service=service,
            port=port,
            addresses=tuple(
                Member(address=one.address, container_id=one.id, name=one.name)
                for one in containers
                if one.service == service
            ),
        )
        for service, port in (("backend", 4000), ("frontend", 8080))
    ]
    return render(members, release="v1-1", generation=3)


LIVE = files(*BACKEND, FRONTEND)


def test_what_is_true_does_not_drift() -> None:
    assert drift(LIVE, [*BACKEND, FRONTEND]).wrong == {}


def test_without_files_names_serve() -> None:
    assert drift({}, [*BACKEND, FRONTEND]).wrong == {}


def test_deploy_C5_a_replica_with_a_new_address_is_found() -> None:
    moved = BACKEND[0].model_copy(update={"address": "172.20.0.99"})
    found = drift(LIVE, [moved, BACKEND[1], FRONTEND])
    assert set(found.wrong) == {"backend"}
    assert "shop-backend-1 at 172.20.0.99" in found.wrong["backend"]
    assert render(found.members, release="v1-1", generation=3) == files(moved, BACKEND[1], FRONTEND)


def test_a_replica_that_was_scaled_up_by_hand_belongs_there() -> None:
    third = seen("backend", 3, "172.20.0.8")
    assert len(drift(LIVE, [*BACKEND, third, FRONTEND]).members[0].addresses) == 3


def test_a_replica_of_another_release_or_one_that_is_not_up_does_not() -> None:
    new = seen("backend", 3, "172.20.0.8", image="sha256:2")
    sick = seen("backend", 4, "172.20.0.9", health="starting")
    assert drift(LIVE, [*BACKEND, new, sick, FRONTEND]).wrong == {}


def test_when_none_is_up_nothing_is_changed_and_it_is_said() -> None:
    found = drift(LIVE, [FRONTEND])
    assert (found.silent, found.wrong, found.members) == (("backend",), {}, ())


def test_when_all_are_others_those_that_are_up_serve() -> None:
    others = [seen("backend", 7, "172.20.0.70", image="sha256:2")]
    assert [one.name for one in drift(LIVE, [*others, FRONTEND]).members[0].addresses] == ["shop-backend-7"]


def test_deploy_G4_a_warm_replica_of_the_same_image_does_not_belong_there() -> None:
    third = seen("backend", 3, "172.20.0.8")
    assert drift(LIVE, [*BACKEND, third, FRONTEND], warm={third.id}).wrong == {}


def test_a_listed_replica_that_the_engine_has_not_looked_at_yet_stays() -> None:
    """As right after a rollback, which does not wait for that look; one that is unhealthy goes."""
    fresh = BACKEND[0].model_copy(update={"health": "starting", "running_s": 1.0})
    assert drift(LIVE, [fresh, BACKEND[1], FRONTEND]).wrong == {}
    sick = fresh.model_copy(update={"health": "unhealthy"})
    assert "backend" in drift(LIVE, [sick, BACKEND[1], FRONTEND]).wrong
