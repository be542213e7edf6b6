"""What a deploy cost and came to, for people."""

from datetime import datetime

from pawpaw_ops.clients import releases
from pawpaw_ops.models.release import Release
from pawpaw_ops.plans.traffic import Traffic
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.deploy_switch import Switched, window
from pawpaw_ops.tasks.metrics import tell_prometheus
from pawpaw_ops.tasks.operation import operation


@operation("report deploy")
def report_deploy(
    do: Session, wanted: Wanted, release: Release, switched: Switched, *, began: datetime, before: Traffic, soaked: str
) -> None:
    """Show what it came to, and put it on record.

    Touches:
        An artifact in Prefect, the audit record, numbers for Prometheus.
    """
    seen, warm = window(do, began), releases.warm(do.stack.state_dir)
    drained = f"{switched.drained_s:g} s" if switched.drained_s is not None else "not in time"
    requests = f"{seen.total}, {seen.failed} failed, {seen.retried} tried again, {seen.cut} cut"
    rows = [
        {"what": "release", "value": f"{wanted.current.id if wanted.current else '–'} → {release.id}"},
        {"what": "requests", "value": requests},
        {"what": "p95 before / meanwhile", "value": f"{_ms(before.p95_s)} / {_ms(seen.p95_s)}"},
        {"what": "switch", "value": f"{switched.took_ms:.0f} ms"},
        {"what": "last old request ended after", "value": drained},
        {"what": "soak", "value": soaked},
        {"what": "old replicas", "value": f"warm until {warm.until:%H:%M:%S} UTC" if warm else "ended"},
        *({"what": name, "value": f"{took:.2f} s"} for name, took in do.durations_s.items()),
    ]
    cost = {"total": seen.total, "failed": seen.failed, "retried": seen.retried, "cut": seen.cut}
    do.facts = {"requests": cost, "p95_s": [before.p95_s, seen.p95_s], "switch_ms": switched.took_ms}
    _tell_prometheus(do, wanted, release, cost, switched)
    gist = f"{release.id} serves; {seen.failed} of {seen.total} requests failed meanwhile"
    report.table(f"deploy-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value * 1000:.0f} ms"


def _tell_prometheus(do: Session, wanted: Wanted, release: Release, cost: dict[str, int], switched: Switched) -> None:
    """Lead time is from the build to the release; images of the `.env` and of an earlier release are no news."""
    numbers = {f'pawpaw_deploy_last_requests{{outcome="{name}"}}': float(count) for name, count in cost.items()}
    numbers["pawpaw_deploy_last_switch_seconds"] = switched.took_ms / 1000
    numbers["pawpaw_deploy_last_timestamp_seconds"] = release.at.timestamp()
    numbers[f'pawpaw_release_info{{release="{release.id}",version="{release.version}"}}'] = 1.0
    for one in wanted.services:
        if one.served:
            numbers[f"pawpaw_{one.name}_replicas_wanted"] = float(one.replicas)
    if wanted.aim.images and not release.back_from:
        built = releases.find_build(do.stack.state_dir, release.version).built_at
        numbers["pawpaw_deploy_last_lead_seconds"] = (release.at - built).total_seconds()
    tell_prometheus(do.stack, "deploy", numbers)
