"""What every noun shares."""

from datetime import UTC, datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Noun(BaseModel):
    """A frozen value; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Moment(Noun):
    """A point in time, by two clocks.

    Attributes:
        at: What the clock said.
        boot: Which start of the machine *up_s* counts from.
        up_s: How long the machine had been up, in seconds.
    """

    at: AwareDatetime
    boot: str
    up_s: float


class Verdict(StrEnum):
    """Tri-state truth: what could not be looked at is never green."""

    VERIFIED = "verified"
    FAILED = "failed"
    NOT_VERIFIED = "not verified"

    @classmethod
    def worst(cls, verdicts: "list[Verdict]") -> "Verdict":
        """Return failed over not verified over verified; nothing looked at is not verified."""
        for verdict in (cls.FAILED, cls.NOT_VERIFIED):
            if verdict in verdicts:
                return verdict
        return cls.VERIFIED if verdicts else cls.NOT_VERIFIED


def utc_now() -> datetime:
    """Return the time now, aware, in UTC."""
    return datetime.now(UTC)
