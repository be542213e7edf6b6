"""Customers kept away while what is live changes hands, and let in again."""

import time
from typing import Literal

from pawpaw_ops.clients import gateway, services
from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.models.project import Project
from pawpaw_ops.session import Session, undo_services
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation

QuiescePolicy = Literal["drain", "stop", "none"]
DRAIN_S = 10.0
POLL_S = 0.02


@operation("quiesce services")
def quiesce_services(do: Session, policy: QuiescePolicy) -> None:
    """Show the maintenance page and let requests under way finish; with `stop`, stop the backends too.

    Where the stack has no Compose project, or the policy is `none`, nothing is done. Whatever happens afterwards, the
    session lets customers in again when it ends, and the next run does where ours died.

    Raises:
        PreconditionError: The gateway is not running, or somebody else's maintenance page is up.

    Touches:
        The gateway's maintenance page; with `stop`, the containers that hold sessions of the database.
    """
    project = do.stack.project
    if project is None or policy == "none":
        why = "quiesce=none" if project else f"the stack {do.stack.name} has no Compose project"
        report.logger().info("customers are not kept away: %s", why)
        return
    gateway.in_flight(project)  # a gateway that does not answer is told before anything changes
    do.step(
        "show the maintenance page",
        lambda: gateway.start_maintenance(project, do.run_id),
        undo=undo_services.end_maintenance(do.run_id),
        scratch=True,
    )
    _drain(project)
    if policy == "stop":
        names = [
            one.name
            for service in project.database_clients
            for one in containers_of(project, service)
            if one.status == "running"
        ]
        do.step(
            "stop what holds sessions of the database",
            lambda: services.stop(project, names, do.runner),
            undo=undo_services.start_services(names),
            scratch=True,
        )


@operation("resume services")
def resume_services(do: Session) -> None:
    """Start what was stopped, one by one as each is healthy, and take the maintenance page away.

    Raises:
        HalfDone: A service does not come up; the maintenance page stays.

    Touches:
        What `quiesce_services` touched.
    """
    do.clear("stop what holds sessions of the database", "show the maintenance page")


def _drain(project: Project) -> None:
    """Wait until no request is under way; new ones get the page meanwhile."""
    began = time.monotonic()
    while (left := gateway.in_flight(project)) > 0:
        if time.monotonic() - began > DRAIN_S:
            report.logger().warning("%d requests were under way after %g s and are cut", left, DRAIN_S)
            return
        time.sleep(POLL_S)
    report.logger().info("no request under way after %.2f s", time.monotonic() - began)
