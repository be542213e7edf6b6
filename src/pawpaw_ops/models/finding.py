"""What an audit found: one thing that holds, does not, or could not be looked at; and who decided to live with it."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from pawpaw_ops.models.base import Noun, Verdict


class Severity(StrEnum):
    """How bad it is; the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MODERATE = "moderate"
    LOW = "low"


class Weakness(Noun):
    """One thing that was looked at.

    Attributes:
        check: What was looked at; the same words every time.
        where: Service, file or package.
        verdict: What could not be looked at is not verified.
        severity: How bad it would be.
        says: What was seen; never a value that may be a secret.
        fix: What to do.
        waived: Why somebody lives with it until when; empty where nobody does.
    """

    check: str
    where: str
    verdict: Verdict
    severity: Severity
    says: str
    fix: str = ""
    waived: str = ""


class Waiver(Noun):
    """Somebody's decision to live with a finding for a while.

    Attributes:
        check: The finding's check, or an advisory's id.
        where: The finding's place; `*` is any.
        reason: Why, for whoever reads it next.
        until: The last day that it holds.
    """

    check: str
    where: str = "*"
    reason: str = Field(min_length=10)
    until: date
