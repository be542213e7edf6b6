"""What must hold before a deploy begins."""

import pytest

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.plans import preflight
from pawpaw_ops.plans.deploy import Roll
from pawpaw_ops.plans.preflight import DatabaseRoom, Disk
from pawpaw_ops.plans.services import Kind, Service

GIB = 1 << 30
BACKEND = Service(
    name="backend", kind=Kind.ROLLING, image="b", port=4000, ready="/ready", smoke="/", memory_bytes=GIB // 2
)
OK, BAD, UNKNOWN = Verdict.VERIFIED, Verdict.FAILED, Verdict.NOT_VERIFIED


@pytest.mark.parametrize(
    ("of_the_file", "of_the_image", "verdict"),
    [(None, True, OK), (None, False, BAD), (True, False, OK), (False, True, BAD)],
)
def test_deploy_A9_a_service_without_a_health_check_is_found(
    *, of_the_file: bool | None, of_the_image: bool, verdict: Verdict
) -> None:
    service = BACKEND.model_copy(update={"checked": of_the_file})
    assert preflight.health_checks([service], {"backend": of_the_image}).verdict is verdict


@pytest.mark.parametrize(("ready", "verdict"), [("/ready", OK), ("", BAD), ("ready", BAD)])
def test_a_service_behind_the_gateway_says_when_it_is_ready(ready: str, verdict: Verdict) -> None:
    assert preflight.readiness([BACKEND.model_copy(update={"ready": ready})]).verdict is verdict


@pytest.mark.parametrize(("available", "verdict"), [(GIB, OK), (GIB - 1, BAD)])
def test_deploy_H6_new_replicas_need_memory_beside_the_old(available: int, verdict: Verdict) -> None:
    assert preflight.memory([BACKEND], [Roll(service="backend", add=2)], available).verdict is verdict


@pytest.mark.parametrize(
    ("free", "inodes", "of", "verdict"), [(50, 50, 100, OK), (1, 50, 100, BAD), (50, 1, 100, BAD), (50, 0, 0, OK)]
)
def test_deploy_H7_a_disk_is_full_of_bytes_or_of_inodes(free: int, inodes: int, of: int, verdict: Verdict) -> None:
    """A file system without a limit of inodes reports none at all."""
    found = Disk(bytes_total=100, bytes_free=free, inodes_total=of, inodes_free=inodes)
    assert preflight.disk(found).verdict is verdict


def test_deploy_H5_an_image_for_another_machine_is_found() -> None:
    found = preflight.architecture({"backend": "s390x"})
    assert (found.verdict, found.says) == (BAD, "backend is for s390x")


@pytest.mark.parametrize(
    ("found", "bad"),
    [
        (DatabaseRoom(standby=False, used=20, most=97, lag_bytes=0), set()),
        (DatabaseRoom(standby=True, used=20, most=97, lag_bytes=None), {"primary"}),
        (DatabaseRoom(standby=False, used=90, most=97, lag_bytes=0), {"database sessions"}),
        (DatabaseRoom(standby=False, used=20, most=97, lag_bytes=GIB), {"replica"}),
    ],
)
def test_deploy_F6_a_database_that_cannot_take_a_deploy_is_found(found: DatabaseRoom, bad: set[str]) -> None:
    findings = preflight.database(found, more_sessions=20)
    assert {one.name for one in findings if one.verdict is BAD} == bad


def test_no_standby_is_unknown_and_not_ok() -> None:
    found = DatabaseRoom(standby=False, used=1, most=97, lag_bytes=None)
    assert preflight.database(found, more_sessions=20)[-1].verdict is UNKNOWN
