import pytest

from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.release import Build, BuildVerdict, BuiltImage
from pawpaw_ops.plans.services import Kind, Service
from pawpaw_ops.plans.suites import (
    SUITES,
    Counts,
    Suite,
    SuiteResult,
    judge,
    parse_junit,
    smoked,
    throwaway_env,
    told,
    verdict_of,
)

TESTS = next(suite for suite in SUITES if suite.counted)
LINT = next(suite for suite in SUITES if not suite.counted)
GREEN = Counts(tests=3, skipped=0, failed=())
JUNIT = """<?xml version="1.0" encoding="UTF-8" ?>
<testsuites name="vitest tests" tests="4" failures="1" errors="0">
  <testsuite name="a.test.ts" tests="4" failures="1" skipped="1">
    <testcase classname="a" name="pays" time="0.1"/>
    <testcase classname="a" name="breaks"><failure message="no">expected 1</failure></testcase>
    <testcase classname="a" name="bursts"><error message="no"/></testcase>
    <testcase classname="a" name="later"><skipped/></testcase>
  </testsuite>
</testsuites>"""


def test_a_junit_file_is_counted_by_its_cases() -> None:
    assert parse_junit(JUNIT) == Counts(tests=3, skipped=1, failed=("breaks", "bursts"))
    assert parse_junit("") is None
    assert parse_junit("<testsuites/>") == Counts(tests=0, skipped=0, failed=())


@pytest.mark.parametrize(
    ("suite", "code", "counts", "verdict", "says"),
    [
        (TESTS, 0, GREEN, Verdict.VERIFIED, "3 tests passed"),
        (TESTS, 0, Counts(tests=2, skipped=1, failed=()), Verdict.VERIFIED, "2 tests passed, 1 skipped"),
        (TESTS, 1, Counts(tests=3, skipped=0, failed=("a",)), Verdict.FAILED, "1 of 3 tests failed: a"),
        (TESTS, 0, Counts(tests=9, skipped=0, failed=tuple("abcdef")), Verdict.FAILED, "a, b, c, d, e and more"),
        (TESTS, 1, GREEN, Verdict.FAILED, "no test failed, yet it ended with exit code 1"),
        (TESTS, 0, None, Verdict.NOT_VERIFIED, "left no results"),
        (TESTS, 1, None, Verdict.NOT_VERIFIED, "left no results, and ended with exit code 1"),
        (TESTS, 0, Counts(tests=0, skipped=5, failed=()), Verdict.NOT_VERIFIED, "no test ran"),
        (TESTS, None, GREEN, Verdict.NOT_VERIFIED, "it did not run to its end: why"),
        (TESTS, -9, None, Verdict.NOT_VERIFIED, "did not run to its end"),
        (TESTS, 127, None, Verdict.NOT_VERIFIED, "did not run to its end"),
        (LINT, 0, None, Verdict.VERIFIED, "clean"),
        (LINT, 2, None, Verdict.FAILED, "ended with exit code 2"),
        (LINT, 137, None, Verdict.NOT_VERIFIED, "did not run to its end"),
    ],
)
def test_what_did_not_run_is_never_green(
    suite: Suite, code: int | None, counts: Counts | None, verdict: Verdict, says: str
) -> None:
    found, why = judge(suite, code, counts, said="why")
    assert found is verdict
    assert says in why


def image(service: str, digit: str) -> BuiltImage:
    return BuiltImage(service=service, variable="X", tag=f"{service}:1", id=f"sha256:{digit * 64}")


BUILD = Build(
    version="1", git_sha="a" * 40, dirty=False, built_at=utc_now(), images=(image("web", "a"), image("db", "b"))
)


def test_the_verdict_is_the_worst_and_holds_for_the_builds_own_images_alone() -> None:
    good = [SuiteResult(name="a", verdict=Verdict.VERIFIED, says="")]
    assert verdict_of(BUILD, {"web": f"sha256:{'a' * 64}"}, good) is Verdict.VERIFIED
    assert verdict_of(BUILD, {"web": f"sha256:{'c' * 64}"}, good) is Verdict.FAILED
    unknown = SuiteResult(name="b", verdict=Verdict.NOT_VERIFIED, says="")
    assert verdict_of(BUILD, {}, [*good, unknown]) is Verdict.NOT_VERIFIED
    assert verdict_of(BUILD, {}, []) is Verdict.NOT_VERIFIED


def test_a_verdict_is_told_suite_by_suite() -> None:
    said = {"a": "verified: 3 tests passed", "b": "not verified: no test ran"}
    verdict = BuildVerdict(version="1", ids={}, verdict=Verdict.NOT_VERIFIED, tested_at=utc_now(), suites=said)
    assert told(verdict) == "a verified: 3 tests passed; b not verified: no test ran"


def test_what_is_started_says_when_it_is_ready_and_is_built() -> None:
    def service(name: str, kind: Kind, ready: str) -> Service:
        return Service(name=name, kind=kind, image="x", ready=ready)

    services = (
        service("web", Kind.ROLLING, "/ready"),
        service("db", Kind.SINGULAR, ""),
        service("other", Kind.ROLLING, "/ready"),
    )
    assert [one.name for one in smoked(services, BUILD)] == ["web"]


def test_a_throwaway_stack_shares_nothing_with_the_stack_but_images() -> None:
    file = "${DB_PASSWORD:?is required} ${STACK_NAME:-paw} ${WEB_IMAGE:-x} ${DB_CONTAINER:-paw_db}"
    made = throwaway_env(
        file,
        {"db": {"container_name": "${DB_CONTAINER:-paw_db}"}, "web": {}},
        {"DB_PASSWORD": "real", "WEB_IMAGE": "x:1", "DB_CONTAINER": "paw_db", "SHOP_DOMAIN": "paw.mx"},
        name="t1",
        make=lambda: "made",
    )
    assert made == {
        "DB_PASSWORD": "made",
        "WEB_IMAGE": "x:1",
        "DB_CONTAINER": "t1-db",
        "STACK_NAME": "t1",
        "COMPOSE_PROFILES": "",
    }
