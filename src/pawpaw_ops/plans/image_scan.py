"""What a scanner says of an image, in the one shape that all of them speak."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.finding import Severity, Weakness
from pawpaw_ops.plans.dependencies import AWAY
from pawpaw_ops.plans.findings import FAILS

CHECK = "image-scan"
SARIF = "2.1.0"
SCORES = {9.0: Severity.CRITICAL, 7.0: Severity.HIGH, 4.0: Severity.MODERATE}
"""The least score of each severity, as CVSS has them."""
LEVELS = {"error": Severity.HIGH, "warning": Severity.MODERATE}
NO_SCANNER = "no scanner is configured, so that what the images have in them besides our packages is not known"
SHOWN = 200


def parse_sarif(image: str, found: Mapping[str, Any]) -> tuple[Weakness, ...]:
    """Parse what a scanner printed about an image; each grave thing is a finding, and all others together are one.

    Args:
        image: Its name.
        found: SARIF 2.1.0, as Trivy and Grype write it; anything else tells nothing.

    Source: docs.oasis-open.org/sarif/sarif/v2.1.0; `security-severity` is GitHub's, and both write it.
    """
    runs = found.get("runs")
    if found.get("version") != SARIF or not runs or not all(_ended_well(run) for run in runs):
        says = f"the scanner printed no SARIF {SARIF} of a scan that ended well, or its source {AWAY}"
        fix = "Run the words of image_scan by hand: what they print must be SARIF."
        return (_told(Verdict.NOT_VERIFIED, Severity.HIGH, image, says, fix=fix),)
    told = [one for run in runs for one in _of_run(image, run)]
    grave = {(one.check, one.says): one for one in told if one.severity in FAILS}
    others = Counter(one.severity for one in told if one.severity not in FAILS)
    said = [*grave.values()]
    if others:
        count = ", ".join(f"{count} {severity}" for severity, count in sorted(others.items()))
        worst = max(others, key=[Severity.LOW, Severity.MODERATE].index)
        said.append(_told(Verdict.FAILED, worst, image, count, fix="The scanner's own table has them."))
    return tuple(said) or (_told(Verdict.VERIFIED, Severity.LOW, image, "scanned, nothing known"),)


def not_scanned() -> Weakness:
    """Return what is said where nobody scans: not green."""
    fix = "Set image_scan in the Compose Project block, or live with it in waivers.toml."
    return _told(Verdict.NOT_VERIFIED, Severity.HIGH, "stack", NO_SCANNER, fix=fix)


def _ended_well(run: Mapping[str, Any]) -> bool:
    return "results" in run and all(one.get("executionSuccessful", True) for one in run.get("invocations", ()))


def _of_run(image: str, run: Mapping[str, Any]) -> Iterator[Weakness]:
    rules = {rule["id"]: rule for rule in run["tool"]["driver"].get("rules", ())}
    for one in run["results"]:
        if one.get("suppressions"):
            continue
        rule = rules.get(one.get("ruleId", ""), {})
        says = " ".join(one["message"].get("text", "").split())[:SHOWN]
        fix = "Build it anew on a newer base, or take a newer image."
        yield _told(Verdict.FAILED, _severity(one, rule), image, says, check=one.get("ruleId", CHECK), fix=fix)


def _severity(result: Mapping[str, Any], rule: Mapping[str, Any]) -> Severity:
    """By the score where there is one; what nobody rated is what the level says, which is a warning if nothing does."""
    try:
        score = float(rule["properties"]["security-severity"])
    except (KeyError, ValueError):
        level = result.get("level") or rule.get("defaultConfiguration", {}).get("level", "warning")
        return LEVELS.get(level, Severity.LOW)
    return next((severity for least, severity in SCORES.items() if score >= least), Severity.LOW)


def _told(
    verdict: Verdict, severity: Severity, where: str, says: str, *, check: str = CHECK, fix: str = ""
) -> Weakness:
    return Weakness(check=check, where=where, verdict=verdict, severity=severity, says=says, fix=fix)
