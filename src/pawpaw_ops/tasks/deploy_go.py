"""The way from what is wanted to what serves, shared by deploy and rollback. Called from a flow's body."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from pydantic import Field

from pawpaw_ops.clients.gateway import DRAIN_S, running
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.plans.traffic import Budget
from pawpaw_ops.session import Session
from pawpaw_ops.session.journal import Step
from pawpaw_ops.tasks import assets, deploy_start, deploy_switch
from pawpaw_ops.tasks.deploy_gate import Gate, gate
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.deploy_report import report_deploy, report_failed
from pawpaw_ops.tasks.deploy_soak import soak
from pawpaw_ops.tasks.deploy_start import Schema

Seconds = Annotated[float, Field(ge=0, le=3600)]
"""A flow's parameter."""


@dataclass(frozen=True)
class Pace:
    """How long a deploy waits, what it may cost, and what it leaves of the releases before.

    Attributes:
        soak_s: How long new replicas serve before the old ones go, in seconds.
        keep_warm_s: How long the old ones go on running without requests, in seconds.
        retain: Of how many releases the files go on being served to open pages; None changes nothing.
    """

    gate: Gate
    soak_s: float
    budget: Budget
    keep_warm_s: float = 0.0
    retain: int | None = None


@dataclass(frozen=True)
class Ends:
    """What a change that is more than a release adds to one.

    Attributes:
        prove: Called with the new containers when they serve and the old ones are still warm; what it raises takes
            everything back.
        then: What is still to be done after the commit.
    """

    prove: Callable[[Sequence[Seen]], None]
    then: Sequence[Step]


NOTHING_MORE = Ends(prove=lambda _: None, then=())


def go(
    do: Session,
    wanted: Wanted,
    pace: Pace,
    *,
    schema: Callable[[], Schema | None],
    why: str,
    ends: Ends = NOTHING_MORE,
) -> str:
    """Start beside, prove, switch, soak, commit, end the old ones.

    Args:
        do: The session.
        wanted: What differs.
        pace: How long to wait for what.
        schema: Brings the schema to the release before its replicas start, or tells what it is.
        why: For the record.
        ends: What else must hold before the commit, and be done after it.

    Returns:
        The release's id.
    """
    if wanted.found:
        running(do.stack.its_project())  # a gateway that is down is told before anything changes
    began, waits = utc_now(), dict[str, float]()
    do.facts["waits_s"] = waits
    do.after_failure = partial(report_failed, do, began=began)
    found_schema = schema()
    deploy_switch.adopt(do, wanted)
    new = deploy_start.start_beside(do, wanted)
    release = deploy_switch.name_release(do, wanted, found_schema, why=why)
    checked = deploy_switch.check_candidate.submit(do, wanted, release)
    with _timed(waits, "gate"):
        gate(do, wanted, new, pace.gate)
    assets.keep_assets(do, wanted, new)
    switched = deploy_switch.switch(do, wanted, release, checked.result(), began=began)
    waits["drain"] = DRAIN_S if switched.drained_s is None else switched.drained_s
    with _timed(waits, "soak"):
        soaked = soak(do, new, since=switched.at, before=switched.before, soak_s=pace.soak_s, budget=pace.budget)
    ends.prove(new)
    deploy_switch.commit(do, wanted, release, keep_warm_s=pace.keep_warm_s, more=ends.then)
    if pace.retain is not None:
        assets.forget_assets(do, retain=pace.retain)
    report_deploy(do, wanted, release, switched, began=began, soaked=soaked)
    return release.id


@contextmanager
def _timed(waits: dict[str, float], what: str) -> Iterator[None]:
    """Write down how long the block took, in seconds, however it ends."""
    began = time.monotonic()
    try:
        yield
    finally:
        waits[what] = round(time.monotonic() - began, 3)
