"""Steps that end what a rotation left valid for a while: the old login, the old password, the old key of tokens."""

from datetime import datetime

from pawpaw_ops.clients import rotations
from pawpaw_ops.clients.clock import moment
from pawpaw_ops.clients.postgres import logins
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.redis import users
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.errors import PreconditionError, VerificationError
from pawpaw_ops.models.secrets import Rotation, State, Target
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans import clock
from pawpaw_ops.plans import secrets as plan
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_go import Pace
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.secrets_look import log_in, told
from pawpaw_ops.tasks.secrets_roll import reached, roll


@operation("find what is due")
def find_due(stack: StackSettings, *, now: bool) -> tuple[Target, ...]:
    """Return what is to end by now; with *now*, all that is to end some time.

    Time is counted from the commit of the rotation by how long the machine has been up: a clock that is set meanwhile
    neither ends a grace nor makes it longer.

    Raises:
        PreconditionError: The machine started anew since, and its clock is behind the rotation's own record.

    Touches:
        Nothing.
    """
    rotation = rotations.find_open(stack)
    if rotation is None or rotation.state is not State.CURRENT:
        return ()
    if now:
        return tuple(sorted(rotation.due))
    since, then = rotation.counted_from, moment()
    if by := clock.jumped(since, then):
        report.logger().warning("the clock was set by %s since the rotation; counted without that", clock.hours(by))
    return tuple(target for target, at in sorted(rotation.due.items()) if at <= clock.reckon(since, then))


def retire(do: Session, targets: tuple[Target, ...], pace: Pace, *, terminate: bool) -> str:
    """End the old secrets of those targets, each proven and noted by itself.

    Returns:
        What was ended, for people.

    Raises:
        PreconditionError: Somebody still uses an old one; the message says who.
        VerificationError: It was ended and is accepted still.

    Touches:
        The old login of the database, the shop's user of Redis; for tokens what a deploy touches.
    """
    for target in targets:
        rotation = rotations.find_open(do.stack)
        if rotation is None or target not in rotation.due:
            continue
        match target:
            case Target.DATABASE:
                retire_login(do, rotation, terminate=terminate)
            case Target.REDIS:
                retire_password(do, rotation)
            case Target.JWT:
                _retire_key(do, rotation, pace)
    said = f"ended: {', '.join(targets)}"
    report.logger().info("%s", said)
    return said


def _left(rotation: Rotation, target: Target) -> dict[Target, datetime]:
    return {other: at for other, at in rotation.due.items() if other is not target}


def _note(do: Session, rotation: Rotation, target: Target) -> None:
    """Make it final, and write it down; what follows can only complain."""
    left = _left(rotation, target)
    step = reached(do, rotation, State.CURRENT, due=left, what="" if left else "retired", over=not left)
    do.commit(f"the old secret of {target} is over", then=[step])
    do.clear(step.name)


def _retire_key(do: Session, rotation: Rotation, pace: Pace) -> None:
    left = _left(rotation, Target.JWT)
    step = reached(do, rotation, State.CURRENT, due=left, what="" if left else "retired", over=not left)
    why = f"retirar la llave de sesión anterior (generación {rotation.generation})"
    roll(do, rotation, None, pace, then=step, why=why)
    do.clear(step.name)


@operation("retire the old login")
def retire_login(do: Session, rotation: Rotation, *, terminate: bool) -> None:
    """Close the old login when nobody uses it, and see that the database refuses it.

    Touches:
        That login; with *terminate* its sessions end.
    """
    user, password = rotation.old_user, plan.known(rotation.old[plan.DB_PASSWORD])
    with Postgres(do.stack.database, do.run_id).admin() as conn:
        found = logins.sessions(conn, user)
        if found and not terminate:
            raise PreconditionError(
                f"{user} is still in use by {told(found)}.", hint="Let it have the new login, or pass terminate=true."
            )
        do.step(f"close the login {user}", lambda: logins.close_login(conn, user))
        if terminate:
            logins.end_sessions(conn, user)
    _note(do, rotation, Target.DATABASE)
    if log_in(do, user, password) is not None:
        raise VerificationError(f"{user} was closed and the database lets it in.")


@operation("retire the old password of Redis")
def retire_password(do: Session, rotation: Rotation) -> None:
    """Let the user of Redis come with the new password alone.

    Touches:
        That user. Connections that it has go on; those of replicas were all made with the new one.
    """
    project = do.stack.its_project()
    old, new = (plan.known(values[plan.REDIS_PASSWORD]) for values in (rotation.old, rotation.accept))

    def change() -> None:
        users.keep(project, (new,), do.runner)
        with connect(users.administered(project)) as conn:
            users.refuse(conn, users.APP, old)

    do.step("take the old password of Redis away", change)
    _note(do, rotation, Target.REDIS)
    with connect(users.administered(project)) as conn:
        held = users.accepted(conn, users.APP)
    if held != {users.hash_of(new)}:
        raise VerificationError(f"{users.APP} may come with {len(held)} passwords, and not with the new one alone.")
