"""The time, and what a clock that is set does not change: how long this machine has been up."""

import time
from pathlib import Path

from pawpaw_ops.models.base import Moment, utc_now

BOOT = Path("/proc/sys/kernel/random/boot_id")


def moment() -> Moment:
    """Return the time now, with how long the machine has been up: setting the clock leaves that alone.

    Source: clock_gettime(2), CLOCK_BOOTTIME, which goes on while the machine sleeps; random(4), boot_id.
    """
    return Moment(at=utc_now(), boot=BOOT.read_text().strip(), up_s=time.clock_gettime(time.CLOCK_BOOTTIME))
