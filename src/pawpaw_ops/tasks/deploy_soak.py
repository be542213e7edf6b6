"""What requests say of a deploy: before it, in its soak, since it began."""

import math
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pawpaw_ops.clients import gateway
from pawpaw_ops.clients.compose_project import watching
from pawpaw_ops.clients.container_log import MOST
from pawpaw_ops.errors import OpsError, VerificationError
from pawpaw_ops.plans import traffic, upstreams
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.plans.traffic import Budget, Judgement, Request, Traffic
from pawpaw_ops.plans.upstreams import SERVICES
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.last_words import failed, fell
from pawpaw_ops.tasks.operation import operation

BASELINE = timedelta(minutes=5)
BASELINE_LINES = 20_000
"""So many requests tell what is usual; to read all of a busy shop's would take longer than a way back may."""


@operation("soak")
def soak(do: Session, new: Sequence[Seen], *, since: datetime, before: Traffic, soak_s: float, budget: Budget) -> str:
    """Watch the new replicas under real requests for a while; the old ones are warm meanwhile.

    Args:
        do: The session.
        new: The new replicas.
        since: When they began to serve.
        before: What was usual before.
        soak_s: For how long, in seconds.
        budget: What may fail, and how slow it may be.

    Returns:
        What the requests say, with numbers; *unknown* where the log cannot be read, which is no fault of the release.

    Raises:
        VerificationError: A replica fell over, or more requests failed or took longer than the budget allows.

    Touches:
        Nothing.
    """
    until, failures = time.monotonic() + soak_s, budget.model_copy(update={"p95_factor": math.inf})
    log, requests, lost = gateway.access_log(do.stack.its_project(), since), list[Request | None](), ""
    listed = _listed(do)
    while True:
        with watching(do.stack.its_project()) as look:
            there = look(one.id for one in new)
        for one in new:
            _check_holds(do, there.get(one.id), one.name, listed)
        # Failures are told at once; how fast it is, only when it has had the whole time to warm up.
        over = time.monotonic() >= until
        try:
            requests += traffic.parse_lines(log.read())
            lost = ""
        except OpsError as seen:
            lost = seen.message
        during = traffic.tally(requests, since=since).model_copy(update={"lost": lost})
        judged, said = traffic.verdict(before, during, budget if over else failures)
        if judged is Judgement.BAD:
            raise VerificationError(f"the new release serves worse than the budget allows: {said}")
        if over:
            return f"{judged}: {said}"
        time.sleep(min(1.0, soak_s))


def _listed(do: Session) -> dict[str, str]:
    """Return container id -> the address that the gateway has of it."""
    files = gateway.live_files(do.stack.its_project())
    return {
        one.container_id: one.address for name in SERVICES for one in upstreams.parse_members(files[f"{name}.conf"])
    }


def _check_holds(do: Session, seen: Seen | None, name: str, listed: Mapping[str, str]) -> None:
    if seen is None:
        raise VerificationError(f"the new replica {name} is gone.")
    if seen.status != "running" or seen.restarts or seen.health == "unhealthy":
        why = fell(do, seen) or f"is {seen.health or seen.status}"
        raise failed(do, [seen], f"the new replica {name} did not hold: it {why}")
    if seen.address != listed.get(seen.id, seen.address):
        raise VerificationError(f"the new replica {name} was started again and is no longer where the gateway asks it.")


def window(do: Session, since: datetime, until: datetime | None = None, *, enough: int = MOST) -> Traffic:
    """Count the requests of a window, from the gateway's log; one that cannot be read is lost, and stops nothing.

    Of more than *enough* older ones may be left out.
    """
    try:
        lines = gateway.access_log(do.stack.its_project(), since, enough=enough).read()
    except OpsError as seen:
        report.logger().warning("the gateway's requests are unknown: %s", seen)
        return Traffic(lost=seen.message)
    return traffic.count(lines, since=since, until=until)


def baseline(do: Session, wanted: Wanted, until: datetime) -> Traffic:
    """Count the requests of the minutes before a deploy, of very many the newest; where nothing ran there were none."""
    return window(do, until - BASELINE, until, enough=BASELINE_LINES) if wanted.found else Traffic()
