"""Steps of a rotation that only look: what may go wrong half-way is found before anything is changed."""

from dataclasses import dataclass

from pydantic import SecretStr

from pawpaw_ops.clients import grafana, rotations
from pawpaw_ops.clients.env_file import read_env, read_text
from pawpaw_ops.clients.postgres import logins
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.redis import users
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.clients.services import read_services
from pawpaw_ops.commands import compose
from pawpaw_ops.commands.login import try_login
from pawpaw_ops.errors import PreconditionError, Unreachable
from pawpaw_ops.models.secrets import Rotation, Target, Values
from pawpaw_ops.plans import secrets as plan
from pawpaw_ops.plans.env_values import check_text
from pawpaw_ops.plans.services import Kind
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import CURRENT, choose_build, compare
from pawpaw_ops.tasks.operation import operation

NO_GRAFANA = "the stack has no Grafana: COMPOSE_PROFILES of the .env lacks `dashboards`"
ACCEPTED, REFUSED, UNREACHABLE = "accepted", "refused", "unreachable"


@dataclass(frozen=True)
class LoggedIn:
    """A login that was let in: as whom, and whose rights it has."""

    user: str
    role: str


def log_in(do: Session, user: str, password: SecretStr) -> LoggedIn | None:
    """Try a login from where the shop's services are; None where the database refuses it.

    Raises:
        Unreachable: The database did not answer, which says nothing of the password.
    """
    database = do.stack.database.name
    said = do.runner.ask(try_login(do.stack.its_project(), user, password, database=database))
    if said[:1] == (REFUSED,):
        return None
    if said[:1] != (ACCEPTED,):
        raise Unreachable(f"tried the login {user} from the stack's network and the database did not answer.")
    return LoggedIn(user=said[1], role=said[2])


@operation("look before rotating")
def look(do: Session, targets: tuple[Target, ...]) -> None:
    """Look at all that would make a rotation fail half-way.

    Raises:
        ConfigError: There is no usable key to seal new secrets with, or the `.env` cannot be changed safely.
        PreconditionError: Something does not hold; the message says what.

    Touches:
        Nothing; containers on the stack's network try logins.
    """
    rotations.read_key(do.stack)
    project = do.stack.its_project()
    env = read_env(project.env_file)
    values = plan.plan_values(targets, env)
    check_text(read_text(project.env_file), values.old)
    _check_blocks(do, targets, env)
    if plan.moves(targets):
        as_the_env_says(do)
    radius(do, targets, values.accept)
    if Target.JWT in targets and not any(one.private for one in read_services(project, do.runner)):
        raise PreconditionError("no service has the label pawpaw.private, so no token could be tried.")
    if Target.DATABASE in targets:
        check_database(do, env[plan.DB_USER], SecretStr(env[plan.DB_PASSWORD]))
    if Target.REDIS in targets:
        _check_redis(do, SecretStr(env[plan.REDIS_PASSWORD]))
    if Target.GRAFANA in targets:
        _check_grafana(do, SecretStr(env[plan.GRAFANA_PASSWORD]))


@operation("see the new secrets still accepted")
def still_accepted(do: Session, rotation: Rotation) -> bool:
    """Whether all that runs is as it was proven to accept the new secrets: a run may have died since, a person come by.

    Touches:
        Nothing.
    """
    if changed := plan.changed_since(rotation, read_env(do.stack.its_project().env_file)):
        report.logger().warning("the .env has other values of %s than the rotation gave it", ", ".join(changed))
        return False
    return compare(do, choose_build(do, CURRENT, accept_untested=True)).plan.nothing


def as_the_env_says(do: Session) -> None:
    """Refuse to begin where what runs is not what the `.env` says: it would be changed along, and not be proven.

    Raises:
        PreconditionError: Something differs.
    """
    wanted = compare(do, choose_build(do, CURRENT, accept_untested=True))
    if not wanted.plan.nothing:
        differs = [roll.service for roll in wanted.plan.rolls] + list(wanted.plan.start)
        raise PreconditionError(
            f"what runs is not what the .env says: {', '.join(differs) or 'containers of services that are no more'}.",
            hint="Run deploy with version=current first.",
        )


def radius(do: Session, targets: tuple[Target, ...], values: Values) -> None:
    """Refuse where new values would change a service that has to stop for it.

    Raises:
        PreconditionError: They would.
    """
    project = do.stack.its_project()
    may = [one.name for one in read_services(project, do.runner) if one.kind is not Kind.SINGULAR]
    new = {name: SecretStr(value.get_secret_value() if value else "") for name, value in values.items()}
    before, after = (do.runner.ask(compose.hashes(project, env=env)) for env in ({}, new))
    stays = {service for target in targets for service in plan.STAYS.get(target, ())}
    changed = plan.check_radius(before, after, may=may, stays=stays)
    report.logger().info("made from what is rotated: %s", ", ".join(changed))


def _check_blocks(do: Session, targets: tuple[Target, ...], env: dict[str, str]) -> None:
    stack, rotated = do.stack, dict[Target, tuple[str, ...]]()
    if Target.REDIS in targets:
        rotated[Target.REDIS] = (users.APP,)
    if Target.DATABASE in targets:
        rotated[Target.DATABASE] = (env[plan.DB_USER], plan.other_login(env[plan.DB_USER]))
    used = {
        Target.DATABASE: [one.user for one in (stack.database, stack.replica) if one],
        Target.REDIS: [stack.redis.user] if stack.redis else [],
    }
    plan.check_blocks(rotated, used)


def check_database(do: Session, user: str, password: SecretStr) -> None:
    """See that the login in use works, a wrong password does not, and nobody uses the other login.

    Raises:
        PreconditionError: One does not hold.

    Touches:
        Nothing.
    """
    other = plan.other_login(user)
    if log_in(do, user, password) is None:
        raise PreconditionError(
            f"the database refuses {user} with the password of the .env.", hint="check-secrets says what differs."
        )
    if log_in(do, user, SecretStr(plan.random_secret())) is not None:
        raise PreconditionError(
            f"the database lets {user} in with any password, so no new one could be proven.",
            hint="pg_hba.conf trusts the stack's network; stack/postgres/conf/pg_hba.conf does not.",
        )
    with Postgres(do.stack.database, do.run_id).admin() as conn:
        logins.read_login(conn, other)
        if found := logins.sessions(conn, other):
            raise PreconditionError(f"{other} is to be next and is in use: {told(found)}.")


def told(found: tuple[logins.SessionSeen, ...]) -> str:
    """Say who uses a login."""
    return ", ".join(f"{one.application or 'somebody'} from {one.address or 'the socket'}" for one in found)


def _check_redis(do: Session, password: SecretStr) -> None:
    with connect(users.administered(do.stack.its_project())) as conn:
        if users.hash_of(password) not in users.accepted(conn, users.APP):
            raise PreconditionError(
                f"Redis refuses {users.APP} with the password of the .env.", hint="check-secrets says what differs."
            )


def _check_grafana(do: Session, password: SecretStr) -> None:
    project = do.stack.its_project()
    if not grafana.is_part(project, do.runner):
        raise PreconditionError(f"{NO_GRAFANA}, so its password cannot be changed.")
    refused = grafana.refuses(grafana.address(project), SecretStr(plan.random_secret()), beside=password)
    if refused is None:
        raise PreconditionError(
            f"Grafana refuses {grafana.USER} with the password of the .env, or has blocked the login after wrong tries,"
            " which looks the same.",
            hint="Wait for 5 minutes and run it again; check-secrets tells the two apart.",
        )
    if not refused:
        raise PreconditionError(f"Grafana lets {grafana.USER} in with any password, so no new one could be proven.")
    report.logger().info("Grafana has one password: the old one ends at the moment when the new one begins")
