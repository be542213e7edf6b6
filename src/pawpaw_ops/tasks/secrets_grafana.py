"""Step of a rotation at Grafana: it has one password, so that the old one ends when the new one begins."""

from pawpaw_ops.clients import grafana
from pawpaw_ops.errors import VerificationError
from pawpaw_ops.models.secrets import Rotation, State
from pawpaw_ops.plans.secrets import GRAFANA_PASSWORD, changes, known
from pawpaw_ops.session import Session, undo_secrets
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation

BLOCKED = "after five wrong tries in five minutes it refuses any for a while, in the same words"


@operation("change the password of Grafana")
def change_grafana(do: Session, rotation: Rotation, to: State | None) -> None:
    """Give Grafana the password that a step has for it, if it has one, and see it taken.

    Raises:
        PreconditionError: Grafana does not take it.
        Unreachable: Grafana did not answer.

    Touches:
        The password of Grafana's administrator.
    """
    new = changes(rotation, to).get(GRAFANA_PASSWORD)
    if new is None:
        return
    do.step(
        "change the password of Grafana",
        lambda: undo_secrets.set_grafana(do.stack, rotation, new),
        undo=undo_secrets.grafana_to(rotation.generation, rotation.state),
    )


@operation("see the old password of Grafana refused")
def see_old_refused(do: Session, rotation: Rotation) -> None:
    """Try the old password, after the commit: a wrong try may block the login, and nothing is to be taken back by it.

    Raises:
        VerificationError: Grafana takes it.
        Unreachable: Grafana did not answer.

    Touches:
        Nothing.
    """
    old, new = (known(values[GRAFANA_PASSWORD]) for values in (rotation.old, rotation.accept))
    refused = grafana.refuses(grafana.address(do.stack.its_project()), old, beside=new)
    if refused is None:
        report.logger().warning("not verified: Grafana refuses the old password and the new one; %s", BLOCKED)
    elif not refused:
        raise VerificationError("Grafana has a new password and takes the old one still.")
