"""What scanners say of images: golden output in the shape of Trivy's and Grype's reports."""

import json
from pathlib import Path
from typing import Any

import pytest

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.finding import Severity
from pawpaw_ops.plans import image_scan as plan

GOLDEN = Path(__file__).parent / "golden"
IMAGE = "pawpaw-backend:local"


def golden(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / name).read_text())
    return found


def test_audit_trivys_grave_findings_are_told_one_by_one_and_the_others_counted() -> None:
    critical, high, others = plan.parse_sarif(IMAGE, golden("trivy.sarif.json"))
    assert (critical.check, critical.severity, critical.where) == ("CVE-2021-44228", Severity.CRITICAL, IMAGE)
    assert "Fixed Version: 2.15.0" in critical.says
    assert (high.check, high.severity) == ("CVE-2023-0464", Severity.HIGH)
    assert (others.check, others.severity, others.says) == ("image-scan", Severity.MODERATE, "1 low, 1 moderate")
    assert {one.verdict for one in (critical, high, others)} == {Verdict.FAILED}


def test_audit_grypes_report_is_read_too_and_what_somebody_suppressed_is_left_out() -> None:
    (only,) = plan.parse_sarif(IMAGE, golden("grype.sarif.json"))
    assert (only.check, only.severity) == ("CVE-2023-45853-zlib1g", Severity.CRITICAL)
    assert "zlib1g" in only.says


def test_audit_an_image_without_findings_is_good() -> None:
    clean = golden("trivy.sarif.json")
    clean["runs"][0]["results"] = []
    (one,) = plan.parse_sarif(IMAGE, clean)
    assert one.verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"version": "2.1.0"},
        {"version": "2.1.0", "runs": []},
        {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}}]},
        {"version": "2.1.0", "runs": [{"results": [], "invocations": [{"executionSuccessful": False}]}]},
        {"SchemaVersion": 2, "Results": []},
    ],
    ids=["no JSON", "no runs", "nothing ran", "no results", "it failed", "a shape of its own"],
)
def test_audit_DEP_02_what_is_no_whole_report_is_not_nothing_found(said: dict[str, Any]) -> None:
    (one,) = plan.parse_sarif(IMAGE, said)
    assert one.verdict is Verdict.NOT_VERIFIED


def test_audit_DEP_02_where_nobody_scans_nothing_is_green() -> None:
    assert plan.not_scanned().verdict is Verdict.NOT_VERIFIED


def test_audit_what_has_no_score_is_as_grave_as_its_level() -> None:
    report = golden("trivy.sarif.json")
    for rule in report["runs"][0]["tool"]["driver"]["rules"]:
        del rule["properties"]
    told = [one.check for one in plan.parse_sarif(IMAGE, report) if one.severity is Severity.HIGH]
    assert told == ["CVE-2021-44228", "CVE-2023-0464"]
