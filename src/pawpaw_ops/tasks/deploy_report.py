"""What a deploy cost and came to, for people."""

from datetime import datetime

from pawpaw_ops.models.release import Release
from pawpaw_ops.plans.traffic import Traffic
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.deploy_switch import Switched, window
from pawpaw_ops.tasks.operation import operation


@operation("report deploy")
def report_deploy(
    do: Session, wanted: Wanted, release: Release, switched: Switched, *, began: datetime, before: Traffic, soaked: str
) -> None:
    """Show what it came to.

    Touches:
        An artifact in Prefect.
    """
    seen = window(do, began)
    drained = f"{switched.drained_s:g} s" if switched.drained_s is not None else "not in time"
    requests = f"{seen.total}, {seen.failed} failed, {seen.retried} tried again, {seen.cut} cut"
    rows = [
        {"what": "release", "value": f"{wanted.current.id if wanted.current else '–'} → {release.id}"},
        {"what": "requests", "value": requests},
        {"what": "p95 before / meanwhile", "value": f"{_ms(before.p95_s)} / {_ms(seen.p95_s)}"},
        {"what": "switch", "value": f"{switched.took_ms:.0f} ms"},
        {"what": "last old request ended after", "value": drained},
        {"what": "soak", "value": soaked},
        *({"what": name, "value": f"{took:.2f} s"} for name, took in do.durations_s.items()),
    ]
    gist = f"{release.id} serves; {seen.failed} of {seen.total} requests failed meanwhile"
    report.table(f"deploy-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value * 1000:.0f} ms"
