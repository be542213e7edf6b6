"""Customers who never try again, from a process of their own: what they see of a deploy is what it really costs.

    with Load("https://localhost:8443") as load:
        deploy()
        load.wait_for_more(200)
    assert load.result.failed == 0, load.result.summary
    assert ledger_faults(stack.sql, load.result) == []

Each connection is a registered customer over TLS and HTTP/1.1 keep-alive: of ten requests eight read and two order, and
each order is preceded by the PUT that fills its cart. Every so-manieth request takes long. Nothing is sent twice; a
connection that the server closed while nobody used it is opened again, as every client does.
"""

import json
import math
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Self

from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
PLENTY = "UPDATE stock SET on_hand = 10000000"
"""For `RunningStack.sql`: so that a long load does not buy the shop empty."""


class Kind(StrEnum):
    """How a request failed."""

    CONNECT = "connect"
    """Refused, or reset on the first use of a connection."""
    IDLE = "idle reset"
    """No byte of an answer on a connection that had been used before."""
    CUT = "cut"
    """The answer ended in the middle."""
    SERVER_ERROR = "5xx"
    STATUS = "status"
    """Another status than it had to have."""
    TIMEOUT = "timeout"
    BODY = "wrong body"


@dataclass(frozen=True)
class Settings:
    """What the load does, and what ends it.

    Attributes:
        url: The shop's origin, http or https; nobody's certificate is checked.
        connections: Each with a customer of its own.
        rate_per_s: Requests of all together; less where the shop is slower than that.
        seconds: It ends by itself after so long, or after so many *requests*.
        timeout_s: How long a request may take.
        slow_path: Asked for by every *slow_every*-th request; empty: none is slow.
        run: Begins every idempotency key and every customer's address.
    """

    url: str
    connections: int = 16
    rate_per_s: float = 150.0
    seconds: float = 600.0
    requests: int = 200_000
    timeout_s: float = 20.0
    slow_path: str = "/api/slow?ms=1500"
    slow_every: int = 50
    run: str = field(default_factory=lambda: secrets.token_hex(4))


@dataclass(frozen=True)
class Failure:
    """One failed request; *at_s* is this machine's `time.monotonic()`."""

    at_s: float
    kind: str
    request: str
    detail: str


@dataclass(frozen=True)
class Result:
    """What the customers saw; times in seconds, moments on this machine's `time.monotonic()`.

    Attributes:
        failures: The first hundred.
        by_release: Release -> answers that told it.
        p50_s: Of the requests that went well and were not slow on purpose; so are the others.
        slow: How many of those went well, and *slow_max_s* the longest.
        longest_gap_s: The longest time in which no request went well, from the beginning until it was told to end.
        reconnects: Connections that the server had closed or announced to close.
        acknowledged: Idempotency key -> id of the order that was answered.
        unacknowledged: Keys whose order may or may not have been made.
    """

    run: str
    began_s: float
    ended_s: float
    total: int
    by_method: dict[str, int]
    kinds: dict[str, int]
    failures: list[Failure]
    by_release: dict[str, int]
    p50_s: float
    p95_s: float
    p99_s: float
    slow: int
    slow_max_s: float
    longest_gap_s: float
    longest_gap_at_s: float
    reconnects: int
    acknowledged: dict[str, str]
    unacknowledged: list[str]

    @property
    def failed(self) -> int:
        """All that failed."""
        return sum(self.kinds.values())

    @property
    def summary(self) -> str:
        """The numbers and the first failures, for whoever reads that a test failed."""
        lines = [
            f"{self.total} requests in {self.ended_s - self.began_s:.1f} s, {self.failed} failed: {self.kinds}",
            f"p50 {self.p50_s:.3f} s, p95 {self.p95_s:.3f} s, p99 {self.p99_s:.3f} s; {self.slow} slow ones",
            f"longest gap {self.longest_gap_s:.3f} s, at {self.longest_gap_at_s - self.began_s:.2f} s",
            f"releases {self.by_release}",
        ]
        lines += [f"{one.at_s - self.began_s:7.2f} s  {one.kind}: {one.request}: {one.detail}" for one in self.failures]
        return "\n".join(lines[:25])

    def to_json(self) -> dict[str, Any]:
        """Return it as it crosses from process to process."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        """Return it from that."""
        return cls(**{**fields, "failures": [Failure(**one) for one in fields["failures"]]})


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share does not exceed; NaN of nothing."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


class Load:
    """The load while it runs; the result is there when it is over.

    Raises:
        AssertionError: The shop takes no customers, or the process ended early.
    """

    def __init__(self, url: str, **settings: Any) -> None:
        self.settings = Settings(url, **settings)
        self.total = 0
        self.failed = 0
        self._result: Result | None = None

    @property
    def result(self) -> Result:
        """What they saw."""
        assert self._result is not None, "the load is not over yet"
        return self._result

    def __enter__(self) -> Self:
        self._stderr: IO[str] = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.e2e.load_worker"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(self.settings)) + "\n")
        self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.wait_for_more(self.settings.connections)
        except BaseException:
            self._end()
            self._stderr.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._end()
            assert self._result is not None, f"the load gave no result: {self._said()}"
        finally:
            self._stderr.close()

    def wait_for_more(self, count: int = 100, *, deadline_s: float = 60.0) -> None:
        """Wait until so many more requests have ended, well or not."""
        wanted = self.total + count

        def there() -> bool:
            ended = self._process.poll() is not None and not self._reader.is_alive()
            assert not ended or self._result is not None, f"the load ended early: {self._said()}"
            return ended or self.total >= wanted

        wait_until(there, f"{count} more requests", deadline_s=deadline_s)

    def wait_end(self) -> None:
        """Wait until it ends by itself: enough seconds, or enough requests."""
        limit_s = self.settings.seconds + 2 * self.settings.timeout_s
        wait_until(lambda: not self._reader.is_alive(), "the load ends", deadline_s=limit_s)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            fields = json.loads(line)
            if "run" in fields:
                self._result = Result.from_json(fields)
                self.total = self._result.total
            else:
                self.total, self.failed = fields["total"], fields["failed"]

    def _end(self) -> None:
        """Close its input, which it takes as the sign to finish what is under way; one that does not is killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(2 * self.settings.timeout_s + 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def _said(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read()[-3000:]


def ledger_faults(sql: Callable[[str], str], result: Result) -> list[str]:
    """Return every way in which the orders in the database are not what the customers were told.

    Args:
        sql: Asks the database, answers as `psql -At` does.
        result: A load that is over.
    """
    rows = sql(
        f"SELECT idempotency_key || ' ' || order_id FROM order_requests WHERE idempotency_key LIKE '{result.run}-%'"
    )
    found = dict(line.split() for line in rows.splitlines())
    orders = sql(
        f"SELECT o.id FROM orders o JOIN users u ON u.id = o.user_id WHERE u.email LIKE 'load-{result.run}-%'"
    ).split()
    faults = [
        f"{key}: acknowledged as {order}, the ledger has {found.get(key, 'none')}"
        for key, order in result.acknowledged.items()
        if found.get(key) != order
    ]
    known = result.acknowledged.keys() | set(result.unacknowledged)
    faults += [f"{key}: ordered, and nobody sent it" for key in found if key not in known]
    faults += [f"order {order}: in the ledger and not among the orders" for order in {*found.values()} - {*orders}]
    faults += [f"order {order}: made a second time" for order in {*orders} - {*found.values()}]
    return faults
