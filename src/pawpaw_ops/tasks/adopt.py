"""Steps that bring a database which one login owns to the roles of the stack: look, show, change, prove."""

from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr

from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.postgres import catalog, gentle, logins
from pawpaw_ops.clients.postgres import roles as facts
from pawpaw_ops.clients.postgres.connection import Conn, Postgres
from pawpaw_ops.errors import NotApproved, PreconditionError, VerificationError
from pawpaw_ops.models.roles import APP_LOGINS, OWNER, ROLES, Found
from pawpaw_ops.plans import adopt as plan
from pawpaw_ops.plans.adopt import Adoption, Change
from pawpaw_ops.plans.secrets import DB_USER
from pawpaw_ops.session import Session, undo
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation

PREVIEW = "Nothing was changed. `approve=true` does exactly this; `plan={id}` as well refuses anything else."


@dataclass(frozen=True)
class Seen:
    """What was found, what is to be done, and the application's login as it must stay."""

    found: Found
    plan: Adoption
    login: logins.Login


@operation("look who owns the database")
def look(do: Session) -> Seen:
    """Ask who owns what and who logs in, and decide on every statement.

    Raises:
        ConfigError: The `.env` cannot be read.
        PreconditionError: No superuser on a primary, no such database or login, or something that cannot end well.

    Touches:
        Nothing.
    """
    pg = Postgres(do.stack.database, do.run_id)
    _, live = catalog.check_identity(pg, needs_superuser=True)
    if live is None:
        raise PreconditionError(f"there is no database {pg.database.name!r}.")
    env = read_env(do.stack.its_project().env_file)
    said = env.get(DB_USER, "")
    login = said if said and said not in APP_LOGINS else pg.database.user
    with pg.connect() as conn:
        kept = logins.read_login(conn, login)
        found = facts.find(conn, login)
    return Seen(found=found, plan=plan.plan_adoption(found, env), login=kept)


@operation("show adoption")
def show(do: Session, seen: Seen) -> None:
    """Show every statement with its reason and the one that takes it back, and what stays as it is.

    Touches:
        An artifact in Prefect.
    """
    rows = [
        {"qué": change.do, "por qué": change.why, "cómo se deshace": change.undo or "–"} for change in seen.plan.changes
    ]
    rows += [{"qué": f"se queda: {what}", "por qué": why, "cómo se deshace": "–"} for what, why in _stays(seen.plan)]
    gist = f"plan {seen.plan.id}: {len(seen.plan.changes)} cambios, {len(seen.plan.stays)} cosas se quedan como están"
    report.table(f"adopt-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)


def _stays(adoption: Adoption) -> list[tuple[str, str]]:
    return sorted(adoption.stays.items())


def check_approved(seen: Seen, approved: str) -> None:
    """Refuse to do anything else than what was approved.

    Raises:
        NotApproved: Another plan was approved than there is now.
    """
    if approved and approved != seen.plan.id:
        raise NotApproved(
            f"approved was the plan {approved}, and now it is {seen.plan.id}.", hint="Look at the new one."
        )


@operation("carry out adoption")
def carry_out(do: Session, seen: Seen, *, patience_s: float) -> None:
    """Carry out the statements one by one, each with its undo on disk first.

    Raises:
        Blocked: Somebody had an object locked for all that time.

    Touches:
        Roles; owners, default privileges and privileges in the database.
    """
    env = read_env(do.stack.its_project().env_file)
    database = do.stack.database.name
    with Postgres(do.stack.database, do.run_id).connect() as conn:
        for change in seen.plan.changes:
            password = SecretStr(env[change.variable]) if change.variable else None
            act = partial(_act, conn, change, password, patience_s)
            do.step(change.do, act, undo=undo.take_back(change.undo, database, done=change.done))


def _act(conn: Conn, change: Change, password: SecretStr | None, patience_s: float) -> None:
    if password is None:
        gentle.say(conn, change.do, patience_s=patience_s)
    else:
        logins.open_login(conn, change.opens, password)


@operation("prove adoption")
def prove(do: Session, seen: Seen) -> None:
    """Look again: nothing is left to do, the new logins can what the old one could, and that one is as it was.

    Raises:
        VerificationError: Something does not hold; the message says what.

    Touches:
        Nothing.
    """
    env = read_env(do.stack.its_project().env_file)
    login = seen.found.login_name
    wrong: list[str] = []
    with Postgres(do.stack.database, do.run_id).connect() as conn:
        now = facts.find(conn, login)
        wrong += [f"still to do: {change.do}" for change in plan.plan_adoption(now, env).changes]
        for name in APP_LOGINS:
            lacks = set(facts.lacking(conn, login, name))
            wrong += [f"{name} may not {one.privilege} on {one.kind} {one.name}" for one in lacks]
        if logins.read_login(conn, login) != seen.login:
            wrong.append(f"the login {login} is not as it was")
        for change in seen.plan.changes:
            if change.opens and not logins.accepts(
                logins.read_login(conn, change.opens), SecretStr(env[change.variable])
            ):
                wrong.append(f"{change.opens} does not take {change.variable}")
    if not {wanted.name for wanted in ROLES} <= now.roles.keys() or "LOGIN" in now.roles[OWNER].words:
        wrong.append("a role is missing, or the owner can log in")
    if wrong:
        raise VerificationError(f"the database is not as planned: {'; '.join(wrong[:10])}.")


@operation("report adoption")
def report_adoption(do: Session, seen: Seen) -> str:
    """Show what was done and what stays.

    Returns:
        The gist.

    Touches:
        An artifact in Prefect.
    """
    rows = [{"qué": change.do, "por qué": change.why} for change in seen.plan.changes]
    rows += [{"qué": f"se queda: {what}", "por qué": why} for what, why in _stays(seen.plan)]
    gist = f"plan {seen.plan.id}: {len(seen.plan.changes)} cambios hechos y comprobados"
    report.table(f"adopt-{do.stack.name}", rows, gist=gist)
    return gist
