"""What is to be said of a stack's secrets: held against one another in memory, told without a value."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pawpaw_ops.models.base import Moment, Noun, Verdict
from pawpaw_ops.models.secrets import State, Target, Turn
from pawpaw_ops.plans.clock import hours
from pawpaw_ops.plans.env_values import SECRET
from pawpaw_ops.plans.preflight import Finding
from pawpaw_ops.plans.secret_ages import in_use_since
from pawpaw_ops.plans.secrets import DB_PASSWORD, DB_USER, JWT_SECRET, PUBLIC, REDIS_PASSWORD, SHORTEST

LATE = timedelta(hours=1)
"""How long after its time an old secret may hold before somebody is told."""
MADE_BEFORE = timedelta(hours=1)
"""How long before it is current a new secret may have been written to GitHub: what serves is proven first."""
REPLICATOR = "REPLICATOR_DB_PASSWORD"
POSTGRES_USERS = {
    "BACKUP_DB_PASSWORD": "pawpaw_backup",
    "EXPORTER_DB_PASSWORD": "pawpaw_exporter",
    "ROTATOR_DB_PASSWORD": "pawpaw_rotator",
    REPLICATOR: "pawpaw_replicator",
    "POSTGRES_BOOTSTRAP_PASSWORD": "postgres",
}
"""Variable of the `.env` -> role whose password it is; the login in use is named by DB_USER."""
REDIS_USERS = {
    REDIS_PASSWORD: "pawpaw_app",
    "REDIS_BACKUP_PASSWORD": "pawpaw_backup",
    "REDIS_EXPORTER_PASSWORD": "pawpaw_exporter",
    "REDIS_ADMIN_PASSWORD": "pawpaw_admin",
}
NO_SERVER = frozenset({"SEED_USER_PASSWORD"})
"""Variables that are used once, by people."""


class OpenRotation(Noun):
    """A rotation that is not over, without its secrets."""

    generation: int
    targets: tuple[Target, ...]
    state: State
    due: dict[Target, datetime]
    counted_from: Moment | None = None


def postgres_users(env: Mapping[str, str]) -> dict[str, str]:
    """Return variable -> role of every password of the database in a `.env`."""
    known = {**POSTGRES_USERS, **({DB_PASSWORD: env[DB_USER]} if env.get(DB_USER) else {})}
    return {name: role for name, role in known.items() if env.get(name)}


def secret_names(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that are secrets."""
    return tuple(sorted(name for name in env if SECRET.fullmatch(name)))


def strength(env: Mapping[str, str]) -> list[Finding]:
    """Say of each secret whether it is one: there, long, of its own, and not known to anybody."""
    found = []
    for name in secret_names(env):
        value = env[name]
        twins = [other for other in secret_names(env) if other != name and env[other] == value]
        said = {
            "is empty": not value,
            "is known to anybody": value in PUBLIC,
            f"is the same as {', '.join(twins)}": bool(twins),
            f"has fewer than {SHORTEST} characters": len(value) < SHORTEST and name not in NO_SERVER,
        }
        wrong = next((words for words, so in said.items() if so), "")
        found.append(_finding(f"{name}: strength", bool(wrong), wrong or "long and its own"))
    if not env.get(JWT_SECRET):
        found.append(_finding(f"{JWT_SECRET}: strength", True, "is not there: tokens would be signed with nothing"))
    return found


def running(
    env: Mapping[str, str], made_with: Mapping[str, Mapping[str, str]], uses: Mapping[str, Iterable[tuple[str, str]]]
) -> list[Finding]:
    """Say of each secret whether the containers that use it were made with the one of the `.env`.

    Args:
        env: The `.env`.
        made_with: Container, as `service/name` -> its variables.
        uses: Service -> its variable and the one of the `.env` that it is made from.
    """
    users: dict[str, list[str]] = {}
    wrong: dict[str, list[str]] = {}
    for container, variables in made_with.items():
        service, _, name = container.partition("/")
        for inside, variable in uses.get(service, ()):
            users.setdefault(variable, []).append(name)
            if variables.get(inside, "") != env.get(variable, ""):
                wrong.setdefault(variable, []).append(name)
    return [
        _finding(
            f"{variable}: running",
            variable in wrong,
            f"{', '.join(wrong[variable])} was made with another" if variable in wrong else f"{len(names)} containers",
        )
        for variable, names in sorted(users.items())
    ]


def accepted(server: str, said: Mapping[str, bool | None]) -> list[Finding]:
    """Say of each secret whether its server takes it; None is unknown."""
    words = {True: "takes it", False: "refuses it", None: "cannot be asked"}
    verdicts = {True: Verdict.VERIFIED, False: Verdict.FAILED, None: Verdict.NOT_VERIFIED}
    return [
        Finding(name=f"{name}: {server}", verdict=verdicts[takes], says=words[takes])
        for name, takes in sorted(said.items())
    ]


def standby(said: Mapping[str, str]) -> list[Finding]:
    """Say of each standby whether the primary would take its password when it comes anew.

    Args:
        said: Container -> `accepted`, `refused`, or anything else where that could not be seen.
    """
    takes = {"accepted": True, "refused": False}
    return accepted("the primary", {f"{REPLICATOR} of {name}": takes.get(words) for name, words in said.items()})


def other_login(name: str, *, may_log_in: bool, rotation: OpenRotation | None) -> Finding:
    """Say whether the login that is not in use is closed, as it is while no rotation needs it."""
    needed = rotation is not None and Target.DATABASE in rotation.targets
    said = f"{name} may log in" if may_log_in else f"{name} is closed"
    return _finding("the other login of the database", may_log_in and not needed, said)


def one_password(held: Mapping[str, int], rotation: OpenRotation | None) -> Finding:
    """Say whether each user of Redis may come with one password alone, as long as no rotation needs two.

    Args:
        held: User -> how many it has.
        rotation: The one that is not over.
    """
    needed = rotation is not None and Target.REDIS in rotation.targets
    many = sorted(user for user, count in held.items() if count > 1)
    return _finding("passwords of Redis", bool(many) and not needed, f"{', '.join(many) or 'nobody'} has more than one")


def unfinished(rotation: OpenRotation | None, *, now: datetime) -> Finding:
    """Say whether a rotation was left alone half-way, or an old secret outlived its time."""
    if rotation is None:
        return _finding("rotation", False, "none is under way")
    said = f"generation {rotation.generation} is {rotation.state}"
    late = [target for target, at in rotation.due.items() if now > at + LATE]
    if late:
        return _finding("rotation", True, f"{said}; the old secret of {', '.join(late)} should have ended")
    return _finding("rotation", rotation.state is not State.CURRENT, f"{said}; retire-secrets ends the old ones")


def clock_set(by: timedelta) -> list[Finding]:
    """Say by how much the clock was set while old secrets still hold; nothing where it was not."""
    return (
        [_finding("clock", True, f"was set by {hours(by)} since the rotation, whose grace is counted without that")]
        if by
        else []
    )


def on_github(
    ours: Mapping[str, Iterable[str]], there: Mapping[str, Mapping[str, datetime]], turns: Iterable[Turn]
) -> list[Finding]:
    """Say whether GitHub has each secret that it shall have, written since it was last rotated.

    Args:
        ours: Environment, empty for the repository -> the secrets that it shall have.
        there: The same -> secret -> when it was written.
        turns: The record of rotations.
    """
    since = in_use_since(turns)
    found = []
    for environment, names in ours.items():
        for name in names:
            at = there.get(environment, {}).get(name)
            old = at is not None and name in since and at + MADE_BEFORE < since[name]
            says = (
                f"is of {at:%Y-%m-%dT%H:%MZ}" + (", before the last rotation" if old else "") if at else "is not there"
            )
            found.append(_finding(f"{name}: GitHub {environment}".rstrip(), at is None or old, says))
    return found


def _finding(name: str, wrong: bool, says: str) -> Finding:  # noqa: FBT001 - what every caller ends with
    return Finding(name=name, verdict=Verdict.FAILED if wrong else Verdict.VERIFIED, says=says)
