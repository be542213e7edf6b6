"""Steps that make the gateway's files true again."""

from pawpaw_ops.clients import gateway, releases
from pawpaw_ops.clients.compose_project import containers
from pawpaw_ops.clients.engine import connect
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.release import Warm
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans import upstreams
from pawpaw_ops.plans.reconcile import Drift, drift
from pawpaw_ops.plans.upstreams import Marker
from pawpaw_ops.session import Session, undo_services
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_start import end_warm
from pawpaw_ops.tasks.deploy_switch import take_up, tell_the_shipper
from pawpaw_ops.tasks.operation import operation


@operation("look for drift")
def look_for_drift(stack: StackSettings) -> Drift:
    """Hold the gateway's files against the containers.

    Touches:
        Nothing.
    """
    found = find_drift(stack)
    for service, why in found.wrong.items():
        report.logger().warning("%s: %s", service, why)
    for service in found.silent:
        report.logger().error("no replica of %s is up; the gateway's files stay as they are", service)
    return found


def find_drift(stack: StackSettings) -> Drift:
    """Hold the gateway's files against the containers, without a word.

    Raises:
        Unreachable: The Docker engine does not answer.
    """
    project, warm = stack.its_project(), releases.warm(stack.state_dir)
    found = containers(lambda: connect(project.engine), project.name)  # who watches looks again by himself
    return drift(gateway.live_files(project), found, warm=warm.ids if warm else ())


def warm_for_too_long(stack: StackSettings) -> Warm | None:
    """Return the replicas that were kept warm and whose time is over."""
    warm = releases.warm(stack.state_dir)
    return warm if warm and warm.until <= utc_now() else None


@operation("end the warm replicas")
def end_overdue(do: Session) -> None:
    """End the replicas that were kept warm and whose time is over; the release they are of is then started anew.

    Touches:
        Those containers, `warm.json`, the log shipper's list.
    """
    if warm := warm_for_too_long(do.stack):
        end_warm(do, warm)
        tell_the_shipper(do)


@operation("repair the gateway's files")
def repair(do: Session) -> str:
    """Look again under the lock, and let the gateway serve from files that are true.

    Returns:
        What was wrong; empty where nothing is any more.

    Touches:
        The gateway's upstream files, and its workers; the log shipper's list.
    """
    project = do.stack.its_project()
    live = gateway.live_files(project)
    found = find_drift(do.stack)
    if not found.wrong:
        return ""
    was = upstreams.parse_release_file(live["release.conf"])
    now = Marker(was.generation + 1, was.release)
    files = upstreams.render(found.members, release=now.release, generation=now.generation)
    gateway.check_files(project, files, do.runner)
    do.step("repair the gateway's files", lambda: take_up(do, files, now), undo=undo_services.gateway_to(live))
    do.commit(f"generation {now.generation} serves")
    tell_the_shipper(do)
    said = "; ".join(f"{service}: {why}" for service, why in found.wrong.items())
    report.markdown(f"reconcile-{do.stack.name}", said, gist=f"repaired {', '.join(found.wrong)}")
    return said
