"""What findings come to."""

from datetime import date

import pytest

from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.finding import Severity, Weakness
from pawpaw_ops.plans import findings

TODAY = date(2026, 8, 1)
ADVISORY = "GHSA-aaaa-bbbb-cccc"
WAIVERS = """
[[waiver]]
check = "GHSA-aaaa-bbbb-cccc"
where = "left-pad"
reason = "only reached in the build, decided in review 12"
until = {until}
"""


def weakness(
    check: str = ADVISORY, *, verdict: Verdict = Verdict.FAILED, severity: Severity = Severity.HIGH
) -> Weakness:
    return Weakness(check=check, where="left-pad", verdict=verdict, severity=severity, says="seen")


def test_audit_DEP_04_a_waiver_holds_until_its_last_day_and_is_a_finding_again_after_it() -> None:
    holds = findings.parse_waivers(WAIVERS.format(until="2026-08-01"))
    (waived,) = findings.waive([weakness()], holds, TODAY)
    assert "review 12" in waived.waived
    assert findings.failing([waived]) == ()
    (again,) = findings.waive([weakness()], findings.parse_waivers(WAIVERS.format(until="2026-07-31")), TODAY)
    assert "which is over" in again.says
    assert findings.failing([again]) == (again,)


def test_audit_DEP_04_a_waiver_is_for_one_place() -> None:
    waivers = findings.parse_waivers(WAIVERS.format(until="2027-01-01"))
    (other,) = findings.waive([weakness().model_copy(update={"where": "right-pad"})], waivers, TODAY)
    assert other.waived == ""


@pytest.mark.parametrize("text", ["[[waiver]]\ncheck = 'x'", "waiver = 3", "not toml", WAIVERS.format(until="'soon'")])
def test_audit_DEP_04_a_waiver_without_reason_and_last_day_is_none(text: str) -> None:
    with pytest.raises(ConfigError):
        findings.parse_waivers(text)


def test_what_is_bad_or_unknown_fails_and_what_is_moderate_is_shown() -> None:
    found = [
        weakness("c", verdict=Verdict.VERIFIED, severity=Severity.CRITICAL),
        weakness("b", severity=Severity.MODERATE),
        weakness("a", verdict=Verdict.NOT_VERIFIED, severity=Severity.LOW),
        weakness("d", severity=Severity.CRITICAL),
    ]
    ordered = findings.waive(found, (), TODAY)
    assert [one.check for one in ordered] == ["d", "b", "a", "c"]
    assert [one.check for one in findings.failing(ordered)] == ["d", "a"]
