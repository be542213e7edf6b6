"""Steps that hold the secrets of a stack against one another; values stay in this process's memory."""

from collections.abc import Callable
from datetime import timedelta

from pydantic import SecretStr

from pawpaw_ops.clients import acquaintances, grafana, rotations
from pawpaw_ops.clients.clock import moment
from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.clients.docker import environment
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.github_secrets import list_secrets
from pawpaw_ops.clients.postgres import logins
from pawpaw_ops.clients.postgres.connection import Postgres, PostgresError
from pawpaw_ops.clients.redis import users
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.commands import compose
from pawpaw_ops.commands.login import STANDBY, try_primary
from pawpaw_ops.errors import OpsError, VerificationError
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans import clock, preflight, secret_ages
from pawpaw_ops.plans import secret_checks as plan
from pawpaw_ops.plans.preflight import Finding
from pawpaw_ops.plans.secret_checks import OpenRotation
from pawpaw_ops.plans.secrets import DB_USER, GRAFANA_PASSWORD, consumers, other_login
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation

RUN = "check-secrets"
SERVERS = frozenset({"postgres", "redis", grafana.SERVICE})
"""Services that are asked what they take: their environment is of the day that they were made, by design."""


@operation("check secrets")
def check(stack: StackSettings, *, oldest_days: int) -> int:
    """Hold every secret against what runs, what its server takes, its block, and its age.

    Returns:
        How many things were looked at.

    Raises:
        VerificationError: Something does not hold; all of it is named, and no value.

    Touches:
        Two artifacts in Prefect; in the stack's folder since when each secret is what it is, as a hash.
    """
    project = stack.its_project()
    env = read_env(project.env_file)
    rotation = _rotation(stack)
    findings = [
        *plan.strength(env),
        *_or_unknown("containers", lambda: _running(project, env)),
        *_or_unknown("PostgreSQL", lambda: _postgres(stack, env, rotation)),
        *_or_unknown("standby", lambda: see_standby_log_in(project)),
        *_or_unknown("Redis", lambda: _redis(project, env, rotation)),
        *_or_unknown("Grafana", lambda: see_grafana(project, env)),
        *_blocks(stack, env),
        *_or_unknown("GitHub", lambda: _github(stack)),
        *_or_unknown("rotation", lambda: _on_time(rotation)),
        *(old := _ages(stack, env, oldest=timedelta(days=oldest_days))),
    ]
    rows = [{"what": one.name, "verdict": str(one.verdict), "seen": one.says} for one in findings]
    wrong = [one for one in findings if one.verdict is Verdict.FAILED]
    report.table(f"secrets-{stack.name}", rows, gist=f"{len(wrong)} of {len(findings)} do not hold")
    hand = secret_ages.by_hand(old)
    report.markdown(
        f"secrets-by-hand-{stack.name}", hand, gist="secrets that no rotation changes, and how old they are"
    )
    if wrong:
        raise VerificationError(
            f"the secrets do not hold together: {'; '.join(f'{one.name}: {one.says}' for one in wrong)}.",
            hint="The manual's «Revisar los secretos» says what to do with each.",
        )
    return len(findings)


def _or_unknown(what: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except (OpsError, PostgresError) as seen:
        report.logger().warning("%s: not verified: %s", what, seen)
        return [preflight.unknown(what, str(seen))]


def _rotation(stack: StackSettings) -> OpenRotation | None:
    found = rotations.find_open(stack)
    if found is None:
        return None
    return OpenRotation(
        generation=found.generation,
        targets=found.targets,
        state=found.state,
        due=found.due,
        counted_from=found.counted_from,
    )


def _ages(stack: StackSettings, env: dict[str, str], *, oldest: timedelta) -> list[Finding]:
    now = utc_now()
    secrets = {name: env[name] for name in plan.secret_names(env) if env[name]}
    known = secret_ages.meet(secrets, acquaintances.read(stack.state_dir), now=now)
    acquaintances.write(stack.state_dir, known)
    return secret_ages.ages(known, rotations.turns(stack.state_dir), now=now, oldest=oldest)


def _on_time(rotation: OpenRotation | None) -> list[Finding]:
    since, now = rotation.counted_from if rotation else None, moment()
    return [plan.unfinished(rotation, now=clock.reckon(since, now)), *plan.clock_set(clock.jumped(since, now))]


def _running(project: Project, env: dict[str, str]) -> list[Finding]:
    raw = LocalRunner().ask(compose.config(project, env={}, interpolate=False))
    uses = {name: pairs for name, pairs in consumers(raw, plan.secret_names(env)).items() if name not in SERVERS}
    made_with = {
        f"{one.service}/{one.name}": environment(project.engine, one.id)
        for one in containers_of(project)
        if one.service in uses and one.status == "running"
    }
    return plan.running(env, made_with, uses)


def _postgres(stack: StackSettings, env: dict[str, str], rotation: OpenRotation | None) -> list[Finding]:
    with Postgres(stack.database, RUN).admin() as conn:
        said = {
            name: logins.accepts(logins.read_login(conn, role), SecretStr(env[name]))
            for name, role in plan.postgres_users(env).items()
        }
        other = logins.read_login(conn, other_login(env[DB_USER]))
    door = plan.other_login(other.name, may_log_in=other.open, rotation=rotation)
    return [*plan.accepted("PostgreSQL", said), door]


def see_standby_log_in(project: Project) -> list[Finding]:
    """Say of each standby whether the primary would let it in anew: what streams may have come with an old password.

    Touches:
        Nothing; each logs in once more.
    """
    up = [one for one in containers_of(project, STANDBY) if one.status == "running"]
    said = {one.name: LocalRunner().ask(try_primary(project.engine, one.id)) for one in up}
    return plan.standby(said)


def _redis(project: Project, env: dict[str, str], rotation: OpenRotation | None) -> list[Finding]:
    with connect(users.administered(project)) as conn:
        held = {user: users.accepted(conn, user) for user in plan.REDIS_USERS.values()}
    said = {
        name: users.hash_of(SecretStr(env[name])) in held[user]
        for name, user in plan.REDIS_USERS.items()
        if env.get(name)
    }
    counts = {user: len(hashes) for user, hashes in held.items()}
    return [*plan.accepted("Redis", said), plan.one_password(counts, rotation)]


def see_grafana(project: Project, env: dict[str, str]) -> list[Finding]:
    """Say whether Grafana takes the password of the `.env`; nothing where the stack has none.

    Touches:
        Nothing; a wrong password counts as a try, twice.
    """
    password = env.get(GRAFANA_PASSWORD, "")
    if not password or not grafana.is_part(project, LocalRunner()):
        return []
    takes = grafana.accepts(grafana.address(project), SecretStr(password))
    return plan.accepted("Grafana", {GRAFANA_PASSWORD: takes})


def _github(stack: StackSettings) -> list[Finding]:
    ours = stack.github.scopes if stack.github else {}
    there = {scope: list_secrets(stack.github, scope) for scope in ours if stack.github}
    return plan.on_github(ours, there, rotations.turns(stack.state_dir))


def _blocks(stack: StackSettings, env: dict[str, str]) -> list[Finding]:
    """Hold the passwords in Prefect's blocks against the `.env`; a block of another user is nobody's here."""
    held = {}
    for name, role in plan.postgres_users(env).items():
        if stack.database.user == role:
            held[name] = stack.database.password.get_secret_value() == env[name]
    for name, user in plan.REDIS_USERS.items():
        if stack.redis and stack.redis.user == user and env.get(name):
            held[name] = stack.redis.password.get_secret_value() == env[name]
    return plan.accepted("the block", dict(held))
