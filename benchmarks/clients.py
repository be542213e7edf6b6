"""Applications that look at the database all the time, and connect again when they are thrown out."""

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from pawpaw_ops.clients.postgres.connection import Postgres, PostgresError
from pawpaw_ops.errors import Unreachable

CLIENTS = 8
THINK_S = 0.01
ASK = "SELECT city FROM users WHERE id = 1"
RESTORED = "Gómez Palacio"
"""What the shop has there; the benchmark changes it before a restore brings it back."""


@dataclass
class Watched:
    """What all clients saw: when each answer was asked for and came, in seconds, and what it said."""

    answers: list[list[tuple[float, float, str]]] = field(default_factory=lambda: [[] for _ in range(CLIENTS)])

    def longest_gap_ms(self) -> float:
        """Return the longest time that any client was without an answer, in milliseconds."""
        gaps = [later[1] - earlier[1] for mine in self.answers for earlier, later in itertools.pairwise(mine)]
        return round(max(gaps) * 1000, 1)

    def stale_reads(self, new: str) -> int:
        """Count the answers that were old though they were asked for after somebody had read what is new."""
        every = [answer for mine in self.answers for answer in mine]
        first = min(came for _, came, said in every if said == new)
        return sum(asked > first and said != new for asked, _, said in every)


@contextlib.contextmanager
def watching(pg: Postgres) -> Iterator[Watched]:
    """Keep eight clients asking while the block lasts."""
    seen, over = Watched(), threading.Event()
    threads = [threading.Thread(target=_client, args=(pg, mine, over), daemon=True) for mine in seen.answers]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=30)


def _client(pg: Postgres, mine: list[tuple[float, float, str]], over: threading.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(Unreachable, PostgresError), pg.connect() as conn:
            while not over.wait(THINK_S):
                asked = time.monotonic()
                row = conn.execute(ASK).fetchone()
                mine.append((asked, time.monotonic(), row[0] if row else ""))
        over.wait(THINK_S)
