"""What is known against packages and base images."""

from datetime import date, datetime
from typing import Any

import pytest

from pawpaw_ops.errors import VerificationError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.finding import Severity, Weakness
from pawpaw_ops.plans import dependencies as plan

TODAY = date(2026, 8, 1)
LOCK = {"packages": {"": {}, "node_modules/left-pad": {"dev": True}, "node_modules/qs": {}}}


def via(name: str, severity: str = "high", number: str = "GHSA-aaaa-bbbb-cccc") -> dict[str, Any]:
    url = f"https://github.com/advisories/{number}"
    return {"source": 1, "name": name, "title": f"{name} does harm", "url": url, "severity": severity, "range": "<2"}


def npm(*found: dict[str, Any], fix: object = True) -> dict[str, Any]:
    said = {
        one["name"]: {"name": one["name"], "severity": one["severity"], "via": [one], "fixAvailable": fix}
        for one in found
    }
    return {"auditReportVersion": 2, "vulnerabilities": said}


def test_audit_an_advisory_is_a_finding_with_its_fix_and_where_it_matters() -> None:
    said = npm(via("left-pad"), via("qs", "moderate"))
    said["vulnerabilities"]["express"] = {
        "name": "express",
        "severity": "moderate",
        "via": ["qs"],
        "fixAvailable": True,
    }
    first, second = plan.parse_npm("backend", said, LOCK)
    assert (first.check, first.where, first.severity) == ("GHSA-aaaa-bbbb-cccc", "backend: left-pad", Severity.HIGH)
    assert "sólo en desarrollo" in first.says
    assert (second.where, second.severity, second.says) == ("backend: qs", Severity.MODERATE, "qs does harm")
    major = npm(via("qs"), fix={"name": "express", "version": "6.0.0", "isSemVerMajor": True})
    assert plan.parse_npm("backend", major, LOCK)[0].fix == "Take express 6.0.0, a new major version in package.json."
    assert "No version mends it" in plan.parse_npm("backend", npm(via("qs"), fix=False), LOCK)[0].fix


@pytest.mark.parametrize(
    "said",
    [{"statusCode": 405, "method": "POST", "message": "405 Method Not Allowed"}, {"error": {"code": "ENOTFOUND"}}, {}],
    ids=["refused", "unreachable", "no JSON at all"],
)
def test_audit_DEP_02_a_registry_that_is_away_is_not_the_same_as_nothing_found(said: dict[str, Any]) -> None:
    (one,) = plan.parse_npm("backend", said, LOCK)
    assert one.verdict is Verdict.NOT_VERIFIED
    assert plan.parse_npm("backend", npm(), LOCK)[0].verdict is Verdict.VERIFIED
    assert plan.parse_pip({})[0].verdict is Verdict.NOT_VERIFIED


def test_audit_DEP_02_packages_that_could_not_be_looked_up_are_not_clean() -> None:
    """As pip-audit says it, with exit code 0 and `No known vulnerabilities found`."""
    skipped = {"name": "acme", "skip_reason": "Dependency not found on PyPI and could not be audited: acme (5.9.0)"}
    ours = {"name": "pawpaw-ops", "skip_reason": "editable"}
    bad = {"name": "jinja2", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"], "description": "a\nb"}]}
    found = plan.parse_pip({"dependencies": [skipped, ours, bad]})
    assert [(one.check, one.verdict) for one in found] == [
        ("PYSEC-1", Verdict.FAILED), ("pip-audit", Verdict.NOT_VERIFIED),
    ]  # fmt: skip
    assert found[0].fix == "Take 3."
    clean = plan.parse_pip({"dependencies": [ours, {"name": "acme", "version": "5", "vulns": []}]})
    assert [one.verdict for one in clean] == [Verdict.VERIFIED]


@pytest.mark.parametrize(
    ("image", "verdict", "severity"),
    [
        ("node:22-bookworm-slim", Verdict.VERIFIED, Severity.LOW),
        ("node:20.19-bookworm", Verdict.FAILED, Severity.HIGH),
        ("docker.io/library/postgres:15.18-bookworm", Verdict.VERIFIED, Severity.LOW),
        ("postgres:150", Verdict.NOT_VERIFIED, Severity.LOW),
        ("prom/prometheus:v3.5.0", Verdict.FAILED, Severity.HIGH),
        ("prom/prometheus:v3.51.0", Verdict.NOT_VERIFIED, Severity.LOW),
        ("postgres:14.2", Verdict.FAILED, Severity.MODERATE),
        ("grafana/promtail:3.5.3", Verdict.FAILED, Severity.HIGH),
        ("nginx:1.28@sha256:abc", Verdict.VERIFIED, Severity.LOW),
        ("localhost:5000/strange:1", Verdict.NOT_VERIFIED, Severity.LOW),
    ],
)
def test_audit_DEP_07_what_gets_no_more_fixes_is_told_by_a_table(
    image: str, verdict: Verdict, severity: Severity
) -> None:
    today = TODAY if "postgres:14" not in image else date(2026, 9, 1)
    (one,) = plan.ends_of_life([image], today)
    assert (one.verdict, one.severity) == (verdict, severity), one.says


def test_audit_DEP_07_the_table_can_be_read_and_names_each_line_once() -> None:
    lines = [(one.product, one.line) for one in plan.ends().release]
    assert len(lines) == len(set(lines))
    assert all(one.until or one.note for one in plan.ends().release)


def findings(*severities: Severity) -> list[Weakness]:
    return [
        Weakness(check=f"GHSA-{at}", where="x", verdict=Verdict.FAILED, severity=severity, says="")
        for at, severity in enumerate(severities)
    ]


def test_audit_DEP_01_a_lock_that_is_worse_in_one_severity_is_refused() -> None:
    """Two low ones fewer do not make up for one high one more: the team's own `npm audit fix --force`."""
    low, high = Severity.LOW, Severity.HIGH
    assert plan.check_better(findings(low, high), findings(low))[high] == 1
    with pytest.raises(VerificationError, match="1 more high"):
        plan.check_better(findings(low, low, low), findings(high))


def test_audit_DEP_01_a_lock_that_could_not_be_audited_is_not_better() -> None:
    with pytest.raises(VerificationError, match="could not be audited"):
        plan.check_better(findings(Severity.HIGH), plan.parse_npm("backend", {}, LOCK))


def test_audit_DEP_03_a_fix_that_is_too_young_is_waited_for_until_a_day_that_is_told() -> None:
    cool, warm = findings(Severity.HIGH, Severity.LOW), findings(Severity.HIGH)
    (said,) = plan.cooling(cool, warm, days=7, on={"x": date(2026, 8, 9), "other": date(2026, 8, 20)})
    assert said == "x: a fix of GHSA-1 is out, and is younger than 7 days: it is taken from 2026-08-09 on"
    (by_others,) = plan.cooling(cool, warm, days=7, on={"a": date(2026, 8, 9), "b": date(2026, 8, 20)})
    assert by_others.endswith("from 2026-08-20 on")
    (unknown,) = plan.cooling(cool, warm, days=7, on={})
    assert unknown.endswith("its registry does not say since when")


@pytest.mark.parametrize(
    ("published", "day"),
    [
        ("2026-08-01T00:00:00Z", "2026-08-08"),
        ("2026-08-01T00:00:01Z", "2026-08-09"),
        ("2026-08-01T23:00:00-05:00", "2026-08-10"),
    ],
)
def test_audit_DEP_03_a_version_is_old_enough_on_the_first_day_that_npm_takes_it(published: str, day: str) -> None:
    assert plan.taken_on(datetime.fromisoformat(published), days=7) == date.fromisoformat(day)


def test_audit_DEP_03_what_moved_between_two_locks_is_told_by_its_package() -> None:
    def lock(version: str) -> dict[str, Any]:
        inner = {"node_modules/a/node_modules/@b/c": {"version": version}}
        return {"packages": {"": {}, "node_modules/qs": {"version": "1"}, **inner}}

    assert plan.moved(lock("1"), lock("2")) == {"@b/c": "2"}
