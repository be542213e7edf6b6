"""The standby around a swap: asked before it, proven after it; nobody goes on reading the replaced database there."""

import logging
import time
from typing import Literal

from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.postgres.standby import Followed, follow, look
from pawpaw_ops.errors import PreconditionError, VerificationError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.plans.standby import Outlook, judge
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.cutover import Swapped
from pawpaw_ops.tasks.operation import operation

StandbyPolicy = Literal["must-follow", "go-on"]
CATCH_UP_S = 60.0
"""How long a standby may take to catch up while customers are there."""
BRIEFLY_S = 3.0
"""How long customers are kept away for its sake."""
POLL_S = 0.2
GO_ON = "Mend it (its log, pg_stat_replication on the primary), or pass standby=go-on to swap without it."


@operation("look at the standby")
def look_at_standby(do: Session, policy: StandbyPolicy) -> Outlook | None:
    """Ask whether the standby will follow a swap, before anything is made for it.

    Returns:
        What is to be expected; None where nothing streams from the primary and the block names none.

    Raises:
        PreconditionError: It will not, and must; one that is only behind has time until the swap.

    Touches:
        Nothing.
    """
    outlook = _look(do)
    if outlook:
        report.logger().log(_level(outlook.verdict), "%s", outlook.line)
    if policy == "must-follow" and outlook and outlook.stops and not outlook.late:
        raise PreconditionError(f"{outlook.line}.", hint=GO_ON)
    return outlook


@operation("wait for the standby")
def wait_for_standby(do: Session, policy: StandbyPolicy) -> Outlook | None:
    """Ask again right before customers are kept away; where the standby must follow, wait until it is able to.

    Raises:
        PreconditionError: It is not within a minute.

    Touches:
        Nothing.
    """
    until = time.monotonic() + CATCH_UP_S
    while (outlook := _look(do)) and outlook.stops and policy == "must-follow":
        if time.monotonic() > until:
            raise PreconditionError(f"after {CATCH_UP_S:g} s the {outlook.line}.", hint=GO_ON)
        time.sleep(POLL_S)
    return outlook


def _look(do: Session) -> Outlook | None:
    replica = do.stack.replica
    return judge(look(Postgres(do.stack.database, do.run_id), Postgres(replica, do.run_id) if replica else None))


def _level(verdict: Verdict) -> int:
    return logging.INFO if verdict is Verdict.VERIFIED else logging.WARNING


@operation("see the standby follow")
def see_standby_follow(do: Session, swapped: Swapped, outlook: Outlook | None) -> Followed | None:
    """See the standby follow while customers are still away, briefly: it does not keep the shop closed.

    Returns:
        What was seen; None where there is no standby.

    Touches:
        Ends sessions on the standby that still read the replaced database.
    """
    if outlook is None:
        return None
    if do.stack.replica is None or outlook.stops:
        return Followed(verdict=Verdict.NOT_VERIFIED, says=outlook.says)
    return _follow(do, swapped, BRIEFLY_S)


@operation("report the standby")
def report_standby(
    do: Session, policy: StandbyPolicy, swapped: Swapped, outlook: Outlook | None, seen: Followed | None
) -> None:
    """Give a standby that had not followed yet more time, now that customers are back, and say what became of it.

    Raises:
        VerificationError: The swap holds, and the standby, which must, did not follow it.

    Touches:
        As before; an artifact in Prefect.
    """
    if outlook is None or seen is None:
        return
    if do.stack.replica is not None and seen.verdict is Verdict.NOT_VERIFIED:
        seen = _follow(do, swapped, CATCH_UP_S if outlook.late or not outlook.stops else 0.0)
    do.facts["standby"] = {"verdict": str(seen.verdict), "says": seen.says, "before": outlook.line}
    said = f"standby {seen.verdict}: {seen.says}"
    report.markdown(f"standby-{do.stack.name}", said, gist=said)
    report.logger().log(_level(seen.verdict), "%s", said)
    if seen.verdict is not Verdict.VERIFIED and do.stack.replica is not None and policy == "must-follow":
        raise VerificationError(
            f"the swap holds, and the {said}.",
            hint="Look at the standby's log and pg_stat_replication on the primary.",
        )


def _follow(do: Session, swapped: Swapped, timeout_s: float) -> Followed:
    assert do.stack.replica is not None
    return follow(
        Postgres(do.stack.database, do.run_id),
        Postgres(do.stack.replica, do.run_id),
        live_oid=swapped.live_oid,
        retired=swapped.retired,
        timeout_s=timeout_s,
    )
