"""When a stack counts as up."""

import pytest

from pawpaw_ops.plans.startup import Ending, Seen, standing


def seen(service: str, status: str = "running", **more: object) -> Seen:
    return Seen.model_validate({"service": service, "name": f"{service}-1", "status": status, **more})


def test_all_up_needs_every_service_healthy_and_every_one_shot_ended_well() -> None:
    found = (seen("db", health="healthy"), seen("web", running_s=5), seen("migrate", "exited"))
    assert standing(("db", "web", "migrate"), found, once=("migrate",)).all_up


@pytest.mark.parametrize(
    ("found", "waiting"),
    [
        (seen("db", health="starting"), ("db-1",)),
        (seen("db", health="unhealthy"), ("db-1",)),
        (seen("db", "created"), ("db-1",)),
        (seen("db", "restarting", restarts=1), ("db-1",)),
        (seen("db", "exited"), ("db-1",)),
        (seen("db", running_s=4.9), ("db-1",)),
        (seen("other", running_s=9), ("db",)),
    ],
)
def test_what_may_still_come_is_waited_for(found: Seen, waiting: tuple[str, ...]) -> None:
    now = standing(("db",), (found,))
    assert now.waiting == waiting
    assert not now.failed
    assert not now.all_up


def test_a_one_shot_that_still_runs_is_waited_for() -> None:
    assert standing(("migrate",), (seen("migrate"),), once=("migrate",)).waiting == ("migrate-1",)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (seen("db", "exited", exit_code=78), "ended with exit code 78"),
        (seen("db", "restarting", restarts=3), "was restarted 3 times"),
    ],
)
def test_what_failed_is_named_with_the_reason(found: Seen, why: str) -> None:
    now = standing(("db",), (found,))
    assert now.failed == (("db-1", why),)
    assert not now.all_up


def test_a_container_that_recovered_is_up_however_often_it_was_restarted() -> None:
    assert standing(("db",), (seen("db", health="healthy", restarts=9),)).all_up


def test_a_container_that_is_started_again_and_again_tells_its_last_exit_code() -> None:
    found = seen("db", "restarting", restarts=3, exit_code=78)
    assert found.failed == "was restarted 3 times, the last time after exit code 78"


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Ending(), ""),
        (Ending(oom=True, limit_bytes=64 << 20), ""),
        (Ending(exit_code=0), "ended with exit code 0"),
        (Ending(exit_code=1), "ended with exit code 1"),
        (
            Ending(exit_code=137, oom=True, limit_bytes=64 << 20),
            "ended with exit code 137: it was killed for taking more memory than the 64 MiB that it may",
        ),
        (
            Ending(exit_code=137, oom=True),
            "ended with exit code 137: it was killed for taking more memory than there is",
        ),
    ],
)
def test_an_ending_says_its_exit_code_and_whether_memory_was_the_cause(found: Ending, says: str) -> None:
    assert found.says == says


@pytest.mark.parametrize(
    ("found", "unwell"),
    [
        (Ending(), ""),
        (Ending(check_code=0, check_said="fine"), ""),
        (Ending(check_code=1), "its last health check ended with exit code 1 and said nothing"),
        (Ending(check_code=1, check_said="no\n"), "its last health check ended with exit code 1 and said 'no'"),
    ],
)
def test_an_ending_says_what_the_last_health_check_found(found: Ending, unwell: str) -> None:
    assert found.unwell == unwell
