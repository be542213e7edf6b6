"""Bring the whole stack up from nothing but its images: volumes, roles, schema and goods, until everything is healthy.

`python -m benchmarks.ups` does what `make up` does, five times, each under a name of its own with empty volumes.
"""

import statistics
import time

from benchmarks import report
from benchmarks.results import Record, Results
from benchmarks.shop import temporary_folder
from tests.e2e import support_shop

BEGIN, END = (f"<!-- written by the benchmark of make up: {what} -->" for what in ("begin", "end"))
ROUNDS, BAR_S = 5, 90


def main() -> None:
    """Run it."""
    given, results = report.rounds(__file__, __doc__, most=ROUNDS)
    if given:
        _round()  # builds what is not built yet
    for number in range(given):
        results.take("up", "", number, _round)
    report.publish(results, table(results), begin=BEGIN, end=END)


def _round() -> Record:
    began = time.monotonic()
    stack = support_shop.start(temporary_folder())
    took_s = time.monotonic() - began
    try:
        return {"took_s": took_s, "containers": len(stack.containers()), "products": len(stack.shop().products())}
    finally:
        stack.remove()


def table(results: Results) -> str:
    """Return the line, made from the records and from nothing else."""
    took = results.values("up", "", "took_s")
    last = results.rows("up", "")[-1]
    good = "met" if max(took) <= BAR_S else "**missed**"
    return (
        f"`make up` with its images built and nothing else there: {statistics.median(took):.0f} s"
        f" ({min(took):.0f}–{max(took):.0f}, {len(took)} times) until {last['containers']} containers are healthy or done and the"
        f" shop lists {last['products']} goods; the bar of {BAR_S} s is {good}."
    )


if __name__ == "__main__":
    main()
