"""Steps that make the gateway's files true again."""

from pawpaw_ops.clients import gateway
from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans import upstreams
from pawpaw_ops.plans.reconcile import Drift, drift
from pawpaw_ops.plans.upstreams import Marker
from pawpaw_ops.session import Session, undo_services
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_switch import see_marker, tell_the_shipper
from pawpaw_ops.tasks.operation import operation


@operation("look for drift")
def look_for_drift(project: Project) -> Drift:
    """Hold the gateway's files against the containers.

    Touches:
        Nothing.
    """
    found = drift(gateway.live_files(project), containers_of(project))
    for service, why in found.wrong.items():
        report.logger().warning("%s: %s", service, why)
    for service in found.silent:
        report.logger().error("no replica of %s is up; the gateway's files stay as they are", service)
    return found


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
    found = drift(live, containers_of(project))
    if not found.wrong:
        return ""
    was = upstreams.parse_release_file(live["release.conf"])
    now = Marker(was.generation + 1, was.release)
    files = upstreams.render(found.members, release=now.release, generation=now.generation)
    gateway.check_files(project, files, do.runner)

    def change() -> None:
        gateway.put_files(project, files)
        gateway.reload(project, do.runner)
        see_marker(do, now)

    do.step("repair the gateway's files", change, undo=undo_services.gateway_to(live))
    do.commit(f"generation {now.generation} serves")
    tell_the_shipper(do)
    said = "; ".join(f"{service}: {why}" for service, why in found.wrong.items())
    report.markdown(f"reconcile-{do.stack.name}", said, gist=f"repaired {', '.join(found.wrong)}")
    return said
