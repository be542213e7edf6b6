"""What must hold before a deploy begins."""

from datetime import UTC, datetime, timedelta

import pytest

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.certificate import Certificate
from pawpaw_ops.models.release import Build, BuiltImage
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


@pytest.mark.parametrize(
    ("coming_bytes", "verdict", "says"),
    [
        (45 * GIB, OK, "46080.0 MiB for images"),
        (45 * GIB + 1, BAD, "46080.0 MiB for images"),
        (None, OK, "images of unknown size"),
        (0, OK, "5% of each are needed"),
    ],
)
def test_deploy_H4_what_must_be_fetched_finds_room_too(coming_bytes: int | None, verdict: Verdict, says: str) -> None:
    found = preflight.disk(
        Disk(bytes_total=100 * GIB, bytes_free=50 * GIB, inodes_total=0, inodes_free=0), coming_bytes
    )
    assert found.verdict is verdict
    assert says in found.says


def test_deploy_H4_what_images_may_take_is_on_record_or_unknown() -> None:
    """One that was never pushed has no digest, and none can be asked for."""
    digest = f"127.0.0.1:5000/paw/api@sha256:{'a' * 64}"
    local = BuiltImage(service="api", variable="API_IMAGE", tag="api:1", id=f"sha256:{'b' * 64}", size_bytes=7)
    builds = [
        Build(
            version=image.digest[:3] or "1", git_sha="0" * 40, dirty=False, built_at=datetime.now(UTC), images=(image,)
        )
        for image in (local, local.model_copy(update={"digest": digest}))
    ]
    assert preflight.coming([digest], builds) == 7
    assert preflight.coming([], builds) == 0
    assert preflight.coming([digest, digest.replace("a", "c")], builds) is None


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


@pytest.mark.parametrize(("apart_s", "verdict"), [(0.0, OK), (1.9, OK), (-2.1, BAD), (3600.0, BAD)])
def test_an_engine_whose_clock_differs_is_found(apart_s: float, verdict: Verdict) -> None:
    assert preflight.clock(apart_s).verdict is verdict


NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def certificate(*, days: int, self_signed: bool = False) -> Certificate:
    return Certificate(
        serial="1",
        names=("shop.example",),
        not_before=NOW - timedelta(days=90),
        not_after=NOW + timedelta(days=days),
        self_signed=self_signed,
    )


@pytest.mark.parametrize(
    ("served", "verdict", "says"),
    [
        ({"a": certificate(days=1), "b": certificate(days=9)}, OK, "valid until 2026-08-02"),
        ({"a": certificate(days=1), "b": certificate(days=-1)}, BAD, "that of b ended 2026-07-31"),
        ({"a": certificate(days=900, self_signed=True)}, UNKNOWN, "nobody vouches for that of a"),
        ({"a": certificate(days=-1, self_signed=True)}, BAD, "that of a ended"),
    ],
)
def test_a_certificate_that_has_ended_is_found(served: dict[str, Certificate], verdict: Verdict, says: str) -> None:
    found = preflight.certificate(served, NOW)
    assert found.verdict is verdict
    assert says in found.says


def test_deploy_C8_a_configuration_that_is_mounted_as_a_single_file_is_found() -> None:
    binds = {"/etc/nginx/nginx.conf": "/srv/nginx.conf", "/etc/nginx/certs": "/srv/certs", "/etc/hosts": "/srv/hosts"}
    gateway = BACKEND.model_copy(update={"binds": binds})
    assert preflight.configuration(None, lambda _: True).verdict is OK
    assert preflight.configuration(gateway, lambda source: source == "/srv/hosts").verdict is OK
    found = preflight.configuration(gateway, lambda source: source == "/srv/nginx.conf")
    assert found.verdict is BAD
    assert "/srv/nginx.conf: a container goes on seeing the file" in found.says


@pytest.mark.parametrize(("age_h", "verdict"), [(None, BAD), (1, OK), (24, OK), (25, BAD)])
def test_deploy_F7_a_backup_that_is_too_old_is_found(age_h: int | None, verdict: Verdict) -> None:
    taken_at = None if age_h is None else NOW - timedelta(hours=age_h)
    assert preflight.backup(taken_at, NOW, timedelta(hours=24)).verdict is verdict
