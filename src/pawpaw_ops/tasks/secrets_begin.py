"""Steps of a rotation before anything that serves knows of it: generate, or go on; let the servers accept."""

from typing import Literal

from pawpaw_ops.clients import grafana, rotations
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.postgres import logins
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.redis import users
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.errors import PreconditionError, VerificationError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.secrets import Rotation, State, Target
from pawpaw_ops.plans import secrets as plan
from pawpaw_ops.session import Session, undo_secrets
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.secrets_look import NO_GRAFANA, log_in

Unfinished = Literal["resume", "abort"]
ALL = "all"
RULES = "Look for a rule of that login: VALID UNTIL or CONNECTION LIMIT (`\\du` in psql), a line of pg_hba.conf."


def chosen(do: Session, which: str) -> tuple[Target, ...]:
    """Return what a parameter names. `all` leaves out a Grafana that the stack does not have, and that is said.

    Raises:
        CommandError: Compose refuses its file or the `.env`.
    """
    if which != ALL:
        return (Target(which),)
    if grafana.is_part(do.stack.its_project(), do.runner):
        return tuple(Target)
    report.logger().warning("left out: grafana, because %s", NO_GRAFANA)
    do.facts["left_out"] = {Target.GRAFANA.value: NO_GRAFANA}
    return tuple(target for target in Target if target is not Target.GRAFANA)


@operation("find unfinished rotation")
def find_unfinished(do: Session, targets: tuple[Target, ...], unfinished: Unfinished) -> Rotation | None:
    """Return the rotation to go on with; None where a new one may begin.

    Raises:
        PreconditionError: The one before is not over, is of something else, or is too far to be dropped.
        WrongKey: Its secrets do not open.

    Touches:
        With `abort`: the servers forget its secrets, and so do we.
    """
    rotation = rotations.find_open(do.stack)
    if rotation is None:
        return None
    number = rotation.generation
    if rotation.state is State.CURRENT:
        until = ", ".join(f"{target} at {at:%Y-%m-%dT%H:%MZ}" for target, at in sorted(rotation.due.items()))
        raise PreconditionError(
            f"generation {number} is in use, and the secrets before it still hold: they end with {until}.",
            hint="Run retire-secrets then; with now=true it does not wait.",
        )
    if unfinished == "abort":
        if rotation.state is not State.GENERATED:
            raise PreconditionError(f"generation {number} serves already.", hint="Go on with unfinished=resume.")
        report.logger().info("dropping generation %d, which run %s began", number, rotation.run_id)
        undo_secrets.drop(do.stack, rotation, run_id=do.run_id, actor=do.who.actor)
        return None
    if (set(targets) ^ set(rotation.targets)) - {Target.GRAFANA}:  # which may have come or gone since, for `all`
        names = ", ".join(rotation.targets)
        raise PreconditionError(
            f"generation {number} ({names}) was begun by run {rotation.run_id} and is not over.",
            hint="Run rotate-secrets with the same `which` to go on, or with unfinished=abort.",
        )
    report.logger().info("going on with generation %d, which run %s began", number, rotation.run_id)
    return rotation


@operation("generate new secrets")
def generate(do: Session, targets: tuple[Target, ...], *, abrupt: bool, why: str) -> Rotation:
    """Make the new secrets and put them on disk, sealed, before anybody is told one.

    Touches:
        `rotation/` in the stack's folder.
    """
    values = plan.plan_values(targets, read_env(do.stack.its_project().env_file), abrupt=abrupt)
    before = rotations.turns(do.stack.state_dir)
    rotation = Rotation(
        generation=max((one.generation for one in before), default=0) + 1,
        targets=targets,
        old=values.old,
        accept=values.accept,
        sign=values.sign,
        retire=values.retire,
        began_at=utc_now(),
        run_id=do.run_id,
        why=why,
    )
    return keep_sealed(do, rotation)


def keep_sealed(do: Session, rotation: Rotation) -> Rotation:
    """Put a rotation on disk; if this run fails, the servers and we forget its secrets again."""
    do.step(
        "keep the new secrets sealed",
        lambda: rotations.save(do.stack, rotation),
        undo=undo_secrets.drop_secrets(rotation.generation, do.run_id),
    )
    return rotation


@operation("let the servers accept the new secrets")
def let_servers_accept(do: Session, rotation: Rotation) -> None:
    """Open the other login of the database, give the user of Redis a second password; what serves goes on as before.

    Raises:
        VerificationError: The database refuses what it was just told.

    Touches:
        The other login of the database; the shop's user of Redis.
    """
    if Target.DATABASE in rotation.targets:
        do.step(f"open the login {rotation.new_user}", lambda: _open_login(do, rotation))
    if Target.REDIS in rotation.targets:
        do.step("give the user of Redis a second password", lambda: _second_password(do, rotation))


def _open_login(do: Session, rotation: Rotation) -> None:
    user, password = rotation.new_user, plan.known(rotation.accept[plan.DB_PASSWORD])
    with Postgres(do.stack.database, do.run_id).admin() as conn:
        logins.open_login(conn, user, password)
    new = log_in(do, user, password)
    old = log_in(do, rotation.old_user, plan.known(rotation.old[plan.DB_PASSWORD]))
    if new is None or new.user != user:
        raise VerificationError(f"the database was told a password of {user} and refuses it.", hint=RULES)
    if old is None or new.role != old.role:
        raise VerificationError(
            f"{user} works as {new.role} and {rotation.old_user} as {old.role if old else 'nobody'}: what one makes the"
            " other could not change."
        )


def _second_password(do: Session, rotation: Rotation) -> None:
    """On disk first: a Redis that starts anew in between takes both."""
    project = do.stack.its_project()
    old, new = (plan.known(values[plan.REDIS_PASSWORD]) for values in (rotation.old, rotation.accept))
    users.keep(project, (old, new), do.runner)
    with connect(users.administered(project)) as conn:
        users.accept(conn, users.APP, new)
