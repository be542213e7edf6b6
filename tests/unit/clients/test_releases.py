"""The records of builds and releases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pawpaw_ops.clients import releases
from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.release import Build, BuildVerdict, BuiltImage, Release, Warm

AT = datetime(2026, 11, 24, tzinfo=UTC)
ID = "sha256:" + "a" * 64


def build(version: str, *, dirty: bool = False, hours: int = 0) -> Build:
    image = BuiltImage(service="backend", variable="BACKEND_IMAGE", tag=f"backend:{version}", id=ID)
    at = AT + timedelta(hours=hours)
    return Build(version=version, git_sha=version * 5, dirty=dirty, built_at=at, images=(image,))


def release(number: int) -> Release:
    return Release(
        number=number, id=f"abc-{number}", version="abc", images={"BACKEND_IMAGE": ID}, compose_sha256="1",
        env_prints={}, generation=number, schema_version=5, contract=False, run_id="r", actor="Ana", why="x", at=AT,
    )  # fmt: skip


def test_a_release_is_recorded_once(tmp_path: Path) -> None:
    assert releases.releases(tmp_path) == ()
    for number in (1, 2, 2):
        releases.record(tmp_path, release(number))
    assert releases.releases(tmp_path) == (release(1), release(2))


def test_a_ledger_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / "releases.jsonl").write_text("{}\n")
    with pytest.raises(ConfigError, match=r"releases\.jsonl"):
        releases.releases(tmp_path)


def test_the_newest_build_is_of_a_clean_tree(tmp_path: Path) -> None:
    for one in (build("abc"), build("def", hours=1), build("def-dirty-1", dirty=True, hours=2)):
        releases.save_build(tmp_path, one)
    assert releases.find_build(tmp_path, "newest").version == "def"
    assert releases.find_build(tmp_path, "def-dirty-1").dirty
    with pytest.raises(PreconditionError, match="abc, def, def-dirty-1"):
        releases.find_build(tmp_path, "--help")


def test_without_a_build_it_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError, match="build-images"):
        releases.find_build(tmp_path, "newest")


def test_what_the_tests_said_does_not_outlive_the_build(tmp_path: Path) -> None:
    releases.save_build(tmp_path, build("abc"))
    said = BuildVerdict(
        version="abc", ids={"backend": ID}, verdict=Verdict.VERIFIED, tested_at=AT, suites={"unit": "150 ok"}
    )
    releases.save_tested(tmp_path, said)
    assert releases.find_tested(tmp_path, "abc") == said
    releases.save_build(tmp_path, build("abc", hours=1))
    assert releases.find_tested(tmp_path, "abc") is None


def test_warm_replicas_are_on_record_until_they_are_not(tmp_path: Path) -> None:
    kept = Warm(ids=("a", "b"), until=AT, grace_s=30.0)
    releases.keep_warm(tmp_path, kept)
    assert releases.warm(tmp_path) == kept
    for _ in range(2):
        releases.keep_warm(tmp_path, None)
        assert releases.warm(tmp_path) is None
    (tmp_path / "warm.json").write_text("{")
    with pytest.raises(ConfigError, match=r"warm\.json"):
        releases.warm(tmp_path)
