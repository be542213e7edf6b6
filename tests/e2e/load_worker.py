"""The process of `tests/e2e/load.py`: settings on standard input, progress and the result on standard output."""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.e2e.load import Failure, Kind, Result, Settings, percentile
from tests.e2e.load_connection import Connection, Failed

TOLD_EVERY_S = 0.1
KEPT = 100
ADDRESS = {"recipient": "Ñandú Pérez", "street": "Av. Juárez 1", "city": "Torreón", "state": "Coahuila",
           "postalCode": "27000"}  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """One request, and what its answer has to be."""

    method: str
    path: str
    status: int = 200
    body: Any = None
    key: str = ""
    slow: bool = False
    right: Callable[[Any], bool] = bool


@dataclass
class Tally:
    """What was seen so far."""

    methods: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    releases: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)
    successes: list[float] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)
    unacknowledged: list[str] = field(default_factory=list)

    def fail(self, wish: Wish, kind: Kind, detail: str) -> None:
        self.kinds[kind.value] += 1
        if wish.key:
            self.unacknowledged.append(wish.key)
        if len(self.failures) < KEPT:
            self.failures.append(Failure(time.monotonic(), kind.value, f"{wish.method} {wish.path}", detail[:300]))

    def succeed(self, wish: Wish, answer: Any, took_s: float) -> None:
        self.successes.append(time.monotonic())
        (self.slow if wish.slow else self.latencies).append(took_s)
        if isinstance(answer, dict) and "release" in answer:
            self.releases[str(answer["release"])] += 1
        if wish.key:
            self.acknowledged[wish.key] = str(answer["id"])


class Shoppers:
    """All customers together."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tally = Tally()
        self.over = asyncio.Event()
        self.over_s = 0.0
        self.connections: list[Connection] = []
        self.numbers = itertools.count(1)
        self.slow = Wish("GET", settings.slow_path, right=lambda body: "release" in body, slow=True)

    def stop(self) -> None:
        """Ask for nothing more; what is under way may end."""
        if not self.over.is_set():
            self.over_s = time.monotonic()
            self.over.set()

    async def run(self) -> Result:
        """Register, then shop until it is over."""
        given = self.settings
        self.connections = [Connection(given.url) for _ in range(given.connections)]
        tokens = [await self.register(one, number) for number, one in enumerate(self.connections)]
        products = await self.products(self.connections[0])
        began_s = time.monotonic()
        asyncio.get_running_loop().call_later(given.seconds, self.stop)
        async with asyncio.TaskGroup() as group:
            for number, (connection, token) in enumerate(zip(self.connections, tokens, strict=True)):
                wishes = self.wishes(number, products[number % len(products)])
                group.create_task(self.shop(number, connection, wishes, token))
        return self.result(began_s)

    async def register(self, connection: Connection, number: int) -> str:
        email = f"load-{self.settings.run}-{number}@example.com"
        body = {"email": email, "password": "correct-horse-1", "name": "Ñandú Pérez"}
        async with asyncio.timeout(self.settings.timeout_s):
            status, answer = await connection.ask("POST", "/api/auth/register", body)
        if status != 201:
            raise SystemExit(f"registering was answered {status}: {answer[:300]!r}")
        return str(json.loads(answer)["token"])

    async def products(self, connection: Connection) -> list[int]:
        """Spread over several, so that not all orders wait for one row of the stock."""
        async with asyncio.timeout(self.settings.timeout_s):
            _, answer = await connection.ask("GET", "/api/products")
        return [item["id"] for item in json.loads(answer)["items"]]

    def wishes(self, number: int, product: int) -> Iterator[Wish]:
        """Yield what one customer asks for: eight times something to read, two orders, and again."""
        page = Wish("GET", "/", right=lambda body: b'id="root"' in body)
        listing = Wish("GET", "/api/products?pageSize=12", right=lambda body: bool(body["items"]))
        detail = Wish("GET", f"/api/products/{product}", right=lambda body: body["id"] == product)
        version = Wish("GET", "/api/version", right=lambda body: "release" in body)
        fill = Wish("PUT", f"/api/cart/items/{product}", body={"quantity": 1})
        round_of = (version, listing, page, detail, fill, None, version, detail, listing, page, fill, None)
        for turn, wish in enumerate(itertools.cycle(round_of)):
            key = f"{self.settings.run}-{number}-{turn}"
            yield wish or Wish(
                "POST", "/api/orders", 201, {"shippingAddress": ADDRESS}, key, right=lambda body: "id" in body
            )

    async def shop(self, number: int, connection: Connection, wishes: Iterator[Wish], token: str) -> None:
        """Ask for one thing after the other; who is late does not catch up."""
        interval_s = self.settings.connections / self.settings.rate_per_s
        at_s = time.monotonic() + interval_s * number / self.settings.connections
        while not self.over.is_set():
            await asyncio.sleep(max(0.0, at_s - time.monotonic()))
            nth = next(self.numbers)
            if nth > self.settings.requests:
                self.stop()
                break
            slow = self.settings.slow_path and nth % self.settings.slow_every == 0
            await self.ask(connection, self.slow if slow else next(wishes), token)
            at_s = max(at_s + interval_s, time.monotonic())

    async def ask(self, connection: Connection, wish: Wish, token: str) -> None:
        """Send one request and write down what came of it."""
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency_Key": wish.key} if wish.key else {})
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                status, raw = await connection.ask(wish.method, wish.path, wish.body, **headers)
            answer = self.judge(wish, status, raw)
        except Failed as seen:
            self.tally.fail(wish, seen.kind, str(seen))
        except TimeoutError:
            self.tally.fail(wish, Kind.TIMEOUT, f"no answer within {self.settings.timeout_s:g} s")
        else:
            self.tally.succeed(wish, answer, time.monotonic() - began_s)
        self.tally.methods[wish.method] += 1

    @staticmethod
    def judge(wish: Wish, status: int, raw: bytes) -> Any:
        """Return the answer if it is what it has to be."""
        text = raw[:200].decode(errors="replace")
        if status != wish.status:
            raise Failed(Kind.SERVER_ERROR if status >= 500 else Kind.STATUS, f"{status} {text}")
        try:
            answer = json.loads(raw) if wish.path.startswith("/api/") else raw
            right = wish.right(answer)
        except (ValueError, KeyError, TypeError) as seen:
            raise Failed(Kind.BODY, f"{seen}: {text}") from seen
        if not right:
            raise Failed(Kind.BODY, text)
        return answer

    def result(self, began_s: float) -> Result:
        """Add it all up."""
        seen, ended_s = self.tally, time.monotonic()
        # Once it is over only slow ones may be under way, and that nobody else is served is no gap.
        moments = [began_s, *(at_s for at_s in seen.successes if at_s < self.over_s), self.over_s]
        gap_s, gap_at_s = max((later - at, at) for at, later in pairwise(moments))
        return Result(
            run=self.settings.run,
            began_s=began_s,
            ended_s=ended_s,
            total=seen.methods.total(),
            by_method=dict(seen.methods),
            kinds=dict(seen.kinds),
            failures=seen.failures,
            by_release=dict(seen.releases),
            p50_s=percentile(seen.latencies, 0.50),
            p95_s=percentile(seen.latencies, 0.95),
            p99_s=percentile(seen.latencies, 0.99),
            slow=len(seen.slow),
            slow_max_s=max(seen.slow, default=0.0),
            longest_gap_s=gap_s,
            longest_gap_at_s=gap_at_s,
            reconnects=sum(one.reconnects for one in self.connections),
            acknowledged=seen.acknowledged,
            unacknowledged=seen.unacknowledged,
        )


def tell(fields: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


async def until_told(shoppers: Shoppers, reader: asyncio.StreamReader) -> None:
    """End the load when the other side closes our input, or is dead."""
    await reader.read()
    shoppers.stop()


async def report(shoppers: Shoppers) -> None:
    """Say again and again how far it is."""
    while True:
        tell({"total": shoppers.tally.methods.total(), "failed": shoppers.tally.kinds.total()})
        await asyncio.sleep(TOLD_EVERY_S)


async def main() -> None:
    """Run it."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    shoppers = Shoppers(Settings(**json.loads(await reader.readline())))
    beside = [asyncio.create_task(until_told(shoppers, reader)), asyncio.create_task(report(shoppers))]
    result = await shoppers.run()
    for task in beside:
        task.cancel()
    tell(result.to_json())


if __name__ == "__main__":
    asyncio.run(main())
