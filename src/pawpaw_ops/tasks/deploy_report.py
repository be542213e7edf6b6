"""What a deploy cost and came to, for people and for the record; what one cost that failed, too."""

import math
from datetime import datetime

from pawpaw_ops.clients import releases
from pawpaw_ops.models.release import Release
from pawpaw_ops.plans.traffic import Traffic
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.deploy_soak import window
from pawpaw_ops.tasks.deploy_switch import Switched
from pawpaw_ops.tasks.metrics import tell_prometheus
from pawpaw_ops.tasks.operation import operation

COUNTED = ("total", "failed", "retried", "cut")


@operation("report deploy")
def report_deploy(
    do: Session, wanted: Wanted, release: Release, switched: Switched, *, began: datetime, soaked: str
) -> None:
    """Show what it came to, and put it on record.

    Touches:
        An artifact in Prefect, the audit record, numbers for Prometheus.
    """
    seen, before, warm = window(do, began), switched.before, releases.warm(do.stack.state_dir)
    drained = f"{switched.drained_s:g} s" if switched.drained_s is not None else "not in time"
    rows = [
        {"what": "release", "value": f"{wanted.current.id if wanted.current else '–'} → {release.id}"},
        {"what": "served", "value": f"{switched.serving_s:.1f} s after the run began"},
        {"what": "requests", "value": _requests(seen)},
        {"what": "p95 before / meanwhile", "value": f"{_ms(before.p95_s)} / {_ms(seen.p95_s)}"},
        {"what": "switch", "value": f"{switched.took_ms:.0f} ms"},
        {"what": "last old request ended after", "value": drained},
        {"what": "soak", "value": soaked},
        {"what": "old replicas", "value": f"warm until {warm.until:%H:%M:%S} UTC" if warm else "ended"},
        *({"what": name, "value": f"{took:.2f} s"} for name, took in do.durations_s.items()),
    ]
    do.facts |= _facts(seen) | {"p95_s": [before.p95_s, seen.p95_s]}
    tell_prometheus(do.stack, "deploy", _numbers(seen) | _release_numbers(do, wanted, release, switched))
    gist = f"{release.id} serves since {switched.serving_s:.1f} s after the run began;"
    gist += f" {seen.failed} of {seen.total} requests failed meanwhile" if not seen.lost else " requests unknown"
    report.table(f"deploy-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)


def report_failed(do: Session, why: BaseException, *, began: datetime) -> None:
    """Show what a deploy cost that failed, now that it has been taken back, and put it on record.

    One that was cancelled has little time left, and its record is worth more than an artifact.

    Touches:
        An artifact in Prefect, the audit record, numbers for Prometheus.
    """
    seen = window(do, began)
    do.facts |= _facts(seen) | {"p95_s": [None, seen.p95_s]}
    tell_prometheus(do.stack, "deploy", _numbers(seen), keep=True)
    gist = f"failed after {do.facts['cause_named_s']} s; requests meanwhile: {_requests(seen)}"
    report.logger().info("%s", gist)
    if not isinstance(why, Exception):
        return
    rows = [
        {"what": "requests", "value": _requests(seen)},
        {"what": "p95 meanwhile", "value": _ms(seen.p95_s)},
        *({"what": name, "value": f"{took:.2f} s"} for name, took in do.durations_s.items()),
    ]
    report.table(f"deploy-{do.stack.name}", rows, gist=gist)


def _requests(seen: Traffic) -> str:
    if seen.lost:
        return f"unknown: {seen.lost}"
    return f"{seen.total}, {seen.failed} failed, {seen.retried} tried again, {seen.cut} cut"


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value * 1000:.0f} ms"


def _facts(seen: Traffic) -> dict[str, object]:
    return {"requests": "unknown" if seen.lost else seen.model_dump(include={*COUNTED})}


def _numbers(seen: Traffic) -> dict[str, float]:
    """Return what is told of the requests; what is unknown is no number, and never 0."""
    counts = dict.fromkeys(COUNTED, math.nan) if seen.lost else seen.model_dump(include={*COUNTED})
    numbers = {f'pawpaw_deploy_last_requests{{outcome="{name}"}}': float(counts[name]) for name in COUNTED}
    return numbers | {"pawpaw_deploy_last_p95_seconds": math.nan if seen.p95_s is None else seen.p95_s}


def _release_numbers(do: Session, wanted: Wanted, release: Release, switched: Switched) -> dict[str, float]:
    """Lead time is from the build to the release; images of the `.env` and of an earlier release are no news."""
    numbers = {
        "pawpaw_deploy_last_switch_seconds": switched.took_ms / 1000,
        "pawpaw_deploy_last_serving_seconds": switched.serving_s,
        "pawpaw_deploy_last_timestamp_seconds": release.at.timestamp(),
        f'pawpaw_release_info{{release="{release.id}",version="{release.version}"}}': 1.0,
    }
    for one in wanted.services:
        if one.served:
            numbers[f"pawpaw_{one.name}_replicas_wanted"] = float(one.replicas)
    if wanted.aim.images and not release.back_from:
        built = releases.find_build(do.stack.state_dir, release.version).built_at
        numbers["pawpaw_deploy_last_lead_seconds"] = (release.at - built).total_seconds()
    return numbers
