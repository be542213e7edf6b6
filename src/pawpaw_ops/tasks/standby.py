"""After a swap: the standby must have followed, and nobody may go on reading the replaced database there."""

from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.postgres.standby import follow
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.cutover import Swapped
from pawpaw_ops.tasks.operation import operation


@operation("see the standby follow")
def see_standby_follow(do: Session, swapped: Swapped) -> None:
    """Wait until the stack's standby serves the database that was swapped in; nothing where the stack has none.

    Raises:
        VerificationError: The swap holds, and the standby did not follow it.
        Unreachable: The standby does not answer.

    Touches:
        Ends sessions on the standby that still read the replaced database; an artifact in Prefect.
    """
    if do.stack.replica is None:
        return
    found = follow(
        Postgres(do.stack.database, do.run_id),
        Postgres(do.stack.replica, do.run_id),
        live_oid=swapped.live_oid,
        retired=swapped.retired,
    )
    said = (
        f"The standby followed after {found.behind_ms:.0f} ms; {found.ended} sessions of the replaced database ended."
    )
    report.logger().info("%s", said)
    report.markdown(f"standby-{do.stack.name}", said, gist=said)
