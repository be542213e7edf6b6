"""Renew the gateway's certificate at a real authority on loopback: from the verb's begin to the new one being served.

`python -m benchmarks.renewals` issues the first certificate and renews it, each time with a real certbot and Pebble, whose
own pauses are off: they are an authority's, not ours.
"""

import statistics
import time
from functools import partial

from benchmarks import report
from benchmarks.results import Record, Results
from benchmarks.shop import prefect_server, temporary_folder
from flows.renew_certificates import renew_certificates
from tests.integration.stack import support_docker
from tests.integration.stack.support_acme import authority
from tests.integration.stack.support_door import Door

BEGIN, END = (f"<!-- written by the renewal benchmark: {what} -->" for what in ("begin", "end"))
ROUNDS, BAR_S = 5, 20.0


def main() -> None:
    """Run it."""
    given, results = report.rounds(__file__, __doc__, most=ROUNDS)
    if given:
        _measure(results, given)
    report.publish(results, table(results), begin=BEGIN, end=END)


def _measure(results: Results, rounds: int) -> None:
    base = {"BASE_NGINX": support_docker.base_image("BASE_NGINX")}
    image = support_docker.build(support_docker.STACK / "gateway", "pawpaw-test/gateway:local", base)
    with prefect_server():
        folder = temporary_folder()
        door = Door(folder, image)
        try:
            door.up()
            with authority(folder / "pebble", http=door.http) as there:
                door.tell(there)
                for number in range(rounds):
                    results.take("renewal", "", number, partial(_round, door))
        finally:
            door.remove()


def _round(door: Door) -> Record:
    before, began = door.serials(), time.monotonic()
    renew_certificates(stack=door.name, force=True)
    took_s = time.monotonic() - began
    after = door.serials()
    return {"took_s": took_s, "new": len(after) == 1 and not after & before}


def table(results: Results) -> str:
    """Return the sentence, made from the records and from nothing else."""
    took, rows = results.values("renewal", "", "took_s"), results.rows("renewal", "")
    new = sum(bool(row["new"]) for row in rows)
    verdict = "met" if max(took) <= BAR_S and new == len(rows) else "missed"
    return (
        f"{len(rows)} certificates for two names from Pebble, by certbot: {statistics.median(took):.1f} s"
        f" ({min(took):.1f}–{max(took):.1f}) from the verb's begin to the new one being served on every name, {new} of"
        f" {len(rows)} times; at most {BAR_S:.0f} s were asked for: {verdict}."
    )


if __name__ == "__main__":
    main()
