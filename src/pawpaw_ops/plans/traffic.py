"""What the gateway's access log says of a window: how many requests failed, were tried again, were slow.

A log that is empty, or that cannot be read in full, says nothing good: its verdict is *unknown*, never *ok*.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, Field

from pawpaw_ops.models.base import Noun

LINE_S = timedelta(seconds=1)
"""A line knows its time to the second."""
CLIENT_CLOSED = 499
UNAVAILABLE = 503
FAILED = range(500, 600)


class Request(Noun):
    """One line of the access log.

    Attributes:
        at: When it was answered; to the second.
        status: What the client got; 0 where it left before there was one.
        took_s: From its first byte to the last of the answer, in seconds.
        tried: Backends that it was sent to; 0 where the gateway answered by itself.
        release: What the gateway served at that time.
        whole: Whether the answer reached its end.
    """

    at: AwareDatetime
    status: int = Field(ge=0, le=999)
    took_s: float = Field(ge=0, allow_inf_nan=False)
    tried: int
    release: str
    whole: bool

    @property
    def announced(self) -> bool:
        """It met the maintenance page, which is the one 503 of the gateway's that no backend was asked for."""
        return self.status == UNAVAILABLE and self.tried == 0

    @property
    def failed(self) -> bool:
        """It was answered 5xx, by a backend or in its place."""
        return self.status in FAILED and not self.announced

    @property
    def cut(self) -> bool:
        """It had no answer, or not all of it: its client went away, or an old worker's time was over."""
        return self.status in {0, CLIENT_CLOSED} or not (self.whole or self.failed)


class Traffic(Noun):
    """The requests of a window.

    Attributes:
        total: All of them.
        failed: Answered 5xx, announced maintenance apart.
        retried: Sent to more than one backend.
        cut: Ended without an answer, or in the middle of it.
        announced: Met the maintenance page.
        unreadable: Lines that are none of the access log; whether they belong to the window nobody can say.
        lost: Why the log could not be read; empty where it was. No other number says anything then.
        p50_s: Half of those that were answered well took no longer, in seconds; None where there are none.
        by_release: Release -> requests while the gateway served it.
    """

    total: int = 0
    failed: int = 0
    retried: int = 0
    cut: int = 0
    announced: int = 0
    unreadable: int = 0
    lost: str = ""
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    by_release: dict[str, int] = Field(default_factory=dict)

    @property
    def wanted(self) -> int:
        """Requests that should have been served: all but the announced."""
        return self.total - self.announced

    @property
    def failed_ratio(self) -> float:
        """The share of them that failed; no request, no failure."""
        return self.failed / self.wanted if self.wanted else 0.0


class Budget(Noun):
    """What a deploy may cost.

    Attributes:
        failed_ratio: Share of the requests that may fail beyond the share that failed before.
        failed_least: Fewer failed requests than this are never bad, only unknown: a single one is no trend.
        p95_factor: How many times slower than before the 95th percentile may be.
        p95_least_s: A percentile up to this, in seconds, is good whatever it was before.
        requests_least: Fewer requests than this make no percentile.
    """

    failed_ratio: float = Field(default=0.01, ge=0, le=1)
    failed_least: int = Field(default=3, ge=1)
    p95_factor: float = Field(default=2.0, ge=1)
    p95_least_s: float = Field(default=0.25, ge=0)
    requests_least: int = Field(default=20, ge=1)


FAILURES_ONLY = Budget(p95_factor=math.inf)
"""For what is known to be fast enough: it served before."""


class Judgement(StrEnum):
    """What traffic says of a release; unknown changes nothing."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


def parse_line(line: str) -> Request | None:
    """Parse one line of the access log (stack/gateway/pawpaw/log.conf); None where it is no such line."""
    try:
        fields = json.loads(line)
        tried = fields["upstream_addr"].replace(" : ", ", ")
        return Request(
            at=datetime.fromisoformat(fields["time"]),
            status=fields["status"],
            took_s=fields["request_time"],
            tried=len(tried.split(", ")) if tried else 0,
            release=fields["release"],
            whole=fields.get("completion", "OK") == "OK",  # a gateway that was built before does not say
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def count(lines: Iterable[str], *, since: datetime | None = None, until: datetime | None = None) -> Traffic:
    """Count the requests of a window; the seconds in which it begins and ends count whole.

    Args:
        lines: What the gateway wrote on its standard output.
        since: Aware; None counts from the first line.
        until: Aware; None counts to the last.
    """
    return tally(parse_lines(lines), since=since, until=until)


def parse_lines(lines: Iterable[str]) -> list[Request | None]:
    """Parse lines of the access log; None stands for one that cannot be read."""
    return [parse_line(line) for line in lines if line.strip()]


def tally(parsed: Sequence[Request | None], *, since: datetime | None = None, until: datetime | None = None) -> Traffic:
    """Count the requests of a window, as `count` does, of lines that were parsed before."""
    found = [one for one in parsed if one is not None and _within(one.at, since, until)]
    times = sorted(one.took_s for one in found if not (one.failed or one.announced or one.cut))
    return Traffic(
        total=len(found),
        failed=sum(one.failed for one in found),
        retried=sum(one.tried > 1 for one in found),
        cut=sum(one.cut for one in found),
        announced=sum(one.announced for one in found),
        unreadable=sum(one is None for one in parsed),
        p50_s=percentile(times, 0.50),
        p95_s=percentile(times, 0.95),
        p99_s=percentile(times, 0.99),
        by_release=dict(sorted(Counter(one.release for one in found).items())),
    )


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at + LINE_S > since) and (until is None or at < until)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest of the ordered values that so large a share does not exceed; None of nothing."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def verdict(before: Traffic, during: Traffic, budget: Budget) -> tuple[Judgement, str]:
    """Hold a window against the one before it.

    Failures that unreadable lines could not explain are bad; everything else that was not seen in full is unknown.
    Where the log of before is lost, failures count as if there had been none before: customers meet them either way.

    Returns:
        The judgement, and one sentence with the numbers that led to it.
    """
    if during.lost:
        return Judgement.UNKNOWN, f"the requests are unknown: {during.lost}"
    if during.wanted == 0:
        return Judgement.UNKNOWN, f"no request was to be served{_unreadable(during)}."
    judged, why = _failures(before, during, budget)
    if judged is Judgement.OK:
        judged, why = _slowness(before, during, budget)
    if judged is not Judgement.BAD and (during.unreadable or before.unreadable or before.lost):
        judged = Judgement.UNKNOWN
    usual = f" What was usual before is unknown: {before.lost}" if before.lost else ""
    return judged, f"{_numbers(during)}; {why}{_unreadable(before, during)}.{usual}"


def _failures(before: Traffic, during: Traffic, budget: Budget) -> tuple[Judgement, str]:
    allowed = before.failed_ratio + budget.failed_ratio
    said = f"{during.failed_ratio:.2%} failed, {before.failed_ratio:.2%} before, {allowed:.2%} are allowed"
    if during.failed_ratio <= allowed:
        return Judgement.OK, said
    if during.failed < budget.failed_least:
        return Judgement.UNKNOWN, f"{said}, but fewer than {budget.failed_least} are no trend"
    # A line that could not be read may be a request that went well, and one that failed before.
    least = during.failed / (during.wanted + during.unreadable)
    most = (before.failed + before.unreadable) / max(1, before.wanted + before.unreadable) + budget.failed_ratio
    return (Judgement.BAD if least > most else Judgement.UNKNOWN), said


def _slowness(before: Traffic, during: Traffic, budget: Budget) -> tuple[Judgement, str]:
    if during.p95_s is None or during.wanted < budget.requests_least:
        return Judgement.UNKNOWN, f"a percentile needs {budget.requests_least} requests"
    now = f"p95 is {during.p95_s:.3f} s"
    if during.p95_s <= budget.p95_least_s:
        return Judgement.OK, f"{now}, {budget.p95_least_s:.3f} s are good by themselves"
    if math.isinf(budget.p95_factor):
        return Judgement.OK, f"{now}, which is not judged"
    if before.p95_s is None or before.wanted < budget.requests_least:
        return Judgement.UNKNOWN, f"{now} and there were too few requests before to compare it with"
    allowed = max(before.p95_s * budget.p95_factor, budget.p95_least_s)
    said = f"{now}, was {before.p95_s:.3f} s, {allowed:.3f} s are allowed"
    if during.p95_s <= allowed:
        return Judgement.OK, said
    return (Judgement.UNKNOWN if during.unreadable or before.unreadable else Judgement.BAD), said


def _numbers(seen: Traffic) -> str:
    return f"{seen.total} requests, {seen.failed} failed, {seen.retried} tried again, {seen.cut} cut"


def _unreadable(*seen: Traffic) -> str:
    lines = sum(one.unreadable for one in seen)
    return f"; {lines} lines of the log cannot be read" if lines else ""
