"""`run-tests` on a real engine: red is red, and what could not run is never green."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.build_images import build_images
from flows.run_tests import run_tests
from pawpaw_ops.clients.releases import find_tested
from pawpaw_ops.errors import ConfigError, PreconditionError, VerificationError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.release import BuildVerdict
from tests.integration.stack.support_docker import attempt, docker
from tests.integration.stack.support_shop_double import ShopDouble

pytestmark = pytest.mark.usefixtures("docker_engine", "prefect_api")
RED = """#!/bin/sh
for word in "$@"; do case $word in --outputFile.junit=*) results=${word#*=} ;; esac; done
echo '<testsuites><testsuite><testcase name="pays"><failure/></testcase></testsuite></testsuites>' >"$results"
echo it went wrong here
exit 1
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopDouble]:
    made = ShopDouble(tmp_path)
    yield made
    left = docker("ps", "--all", "--format", "{{.Names}}").split()
    assert [name for name in left if made.name in name or name.startswith("tests-")] == []
    assert made.name not in docker("network", "ls", "--format", "{{.Name}}")
    assert not [tag for tag in made.tags() if "tests-" in tag]
    made.remove()


def verdict_on(shop: ShopDouble, version: str) -> BuildVerdict:
    found = find_tested(shop.state_dir, version)
    assert found is not None
    return found


def refused(shop: ShopDouble, name: str, text: str) -> BuildVerdict:
    """Commit one changed file, build, and return the verdict that made the run fail."""
    shop.write(name, text)
    shop.commit(f"changed {name}")
    version = build_images(shop.name)
    with pytest.raises(VerificationError):
        run_tests(shop.name)
    return verdict_on(shop, version)


def test_a_good_build_is_verified_by_its_ids_and_leaves_results_alone(shop: ShopDouble) -> None:
    version = build_images(shop.name)
    assert run_tests(shop.name) == "verified"
    said = verdict_on(shop, version)
    assert said.verdict is Verdict.VERIFIED
    assert said.ids == {one.service: one.id for one in shop.build(version).images}
    assert said.suites == {
        "backend-lint": "verified: clean",
        "backend": "verified: 1 tests passed",
        "frontend-lint": "verified: clean",
        "frontend": "verified: 1 tests passed",
        "smoke": "verified: backend, frontend healthy, ready and serving",
    }
    kept = {path.name for path in (shop.state_dir / "tests" / version).iterdir()}
    assert {"backend.xml", "frontend.xml", "backend.log"} <= kept


def test_deploy_H1_a_test_that_fails_makes_the_build_one_that_no_deploy_takes(
    shop: ShopDouble, caplog: pytest.LogCaptureFixture
) -> None:
    said = refused(shop, "backend/npx", RED)
    assert said.verdict is Verdict.FAILED
    assert said.suites["backend"] == "failed: 1 of 1 tests failed: pays"
    assert said.suites["frontend"].startswith("verified")
    assert "it went wrong here" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("backend/npx", "#!/bin/sh\nexit 1\n", "it left no results, and ended with exit code 1"),
        ("backend/npx", "#!/bin/sh\nkill -9 $$\n", "it did not run to its end"),
        ("backend/test/Dockerfile", "FROM no-such-image-anywhere:1\n", "its image could not be built"),
    ],
    ids=["no-results", "killed", "no-image"],
)
def test_a_suite_that_could_not_run_is_not_verified(shop: ShopDouble, name: str, text: str, says: str) -> None:
    said = refused(shop, name, text)
    assert said.verdict is Verdict.NOT_VERIFIED
    assert said.suites["backend"].startswith("not verified: ")
    assert says in said.suites["backend"]


def test_a_suite_that_does_not_end_is_ended_and_not_verified(shop: ShopDouble) -> None:
    shop.write("backend/npx", "#!/bin/sh\nsleep 600\n")
    shop.commit("sleeps")
    version = build_images(shop.name)
    with pytest.raises(VerificationError):
        run_tests(shop.name, suites=["backend"], timeout_s=15.0)
    said = verdict_on(shop, version)
    assert "did not end within 15 s" in said.suites["backend"]
    assert said.suites["others"] == "not verified: were left out"


def test_images_that_do_not_start_fail_with_their_last_words(shop: ShopDouble) -> None:
    said = refused(shop, "frontend/nginx.conf", "nonsense;")
    assert said.verdict is Verdict.FAILED
    assert said.suites["smoke"].startswith("failed: ")
    assert "unknown directive" in said.suites["smoke"]


def test_migrations_that_fail_on_an_empty_database_fail_the_build(shop: ShopDouble) -> None:
    said = refused(shop, "backend/migrate", "echo division by zero; exit 3\n")
    assert said.verdict is Verdict.FAILED
    assert "migrate-1 ended with exit code 3: division by zero" in said.suites["smoke"]


def test_images_that_are_not_ready_fail_with_what_they_answered(shop: ShopDouble) -> None:
    conf = (
        (shop.folder / "backend" / "nginx.conf")
        .read_text()
        .replace("location /", "location = /ready {return 503;} location /")
    )
    said = refused(shop, "backend/nginx.conf", conf)
    assert "/ready: 503" in said.suites["smoke"]


def test_images_that_are_gone_are_not_verified(shop: ShopDouble) -> None:
    version = build_images(shop.name)
    (image,) = [one for one in shop.build(version).images if one.service == "backend"]
    docker("image", "rm", "--force", image.id)
    assert attempt("image", "inspect", image.id).returncode
    with pytest.raises(VerificationError, match="not verified"):
        run_tests(shop.name, version=version)
    assert verdict_on(shop, version).suites["smoke"].startswith("not verified: ")


def test_what_cannot_be_tested_is_refused_before_anything_runs(shop: ShopDouble) -> None:
    with pytest.raises(PreconditionError, match="no build"):
        run_tests(shop.name)
    with pytest.raises(ConfigError, match="painting is no suite"):
        run_tests(shop.name, suites=["painting"])
    shop.write("backend/new", "in a hurry")
    version = build_images(shop.name, allow_dirty=True)
    with pytest.raises(PreconditionError, match="changes that no commit has"):
        run_tests(shop.name, version=version)
