"""How much time went by, where the clock may have been set meanwhile."""

from datetime import datetime, timedelta

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Moment

TOLERANCE = timedelta(minutes=1)
"""What a clock may be set by without anybody being told: that is how it is kept right."""


def reckon(then: Moment | None, now: Moment) -> datetime:
    """Return what the clock would show now if nobody had set it since *then*.

    As long as the machine did not start anew that is exact: how long it has been up does not depend on the clock. After
    a start there is only the clock. One that jumped ahead meanwhile cannot be told from a machine that was off; one
    that is behind can.

    Args:
        then: When counting began; None where that is not on record, and the clock is believed.
        now: Now.

    Raises:
        PreconditionError: The machine started anew, and its clock is behind what it was.
    """
    if then is None:
        return now.at
    if then.boot == now.boot:
        return then.at + timedelta(seconds=now.up_s - then.up_s)
    if now.at < then.at:
        raise PreconditionError(
            f"the clock says {now.at:%Y-%m-%dT%H:%MZ}, and it was {then.at:%Y-%m-%dT%H:%MZ} before this machine started"
            " anew, so how much time went by is unknown.",
            hint="Set the clock.",
        )
    return now.at


def jumped(then: Moment | None, now: Moment) -> timedelta:
    """Return by how much the clock was set since *then*, where that can be told and is worth telling; else nothing."""
    if then is None or then.boot != now.boot:
        return timedelta(0)
    by = now.at - reckon(then, now)
    return by if abs(by) > TOLERANCE else timedelta(0)


def hours(by: timedelta) -> str:
    """Write how far a clock was set: `+24.0 h`."""
    return f"{by / timedelta(hours=1):+.1f} h"
