"""Deciding what a rotation changes: new values, which login is next, which services may notice."""

import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping

from pydantic import SecretStr

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.secrets import Rotation, State, Target, Values

SECRET_BYTES = 32
SHORTEST = 32
"""Characters of a token key that the shop accepts."""
PUBLIC = ("changeme_jwt_secret",)
"""Keys that anybody knows."""
LOGIN = re.compile(r"(?P<base>[a-z_][a-z0-9_]*)_(?P<side>[ab])")
NUMBER = re.compile(r"(?P<head>.*?)(?P<number>\d*)")
DB_USER, DB_PASSWORD = "DB_USER", "DB_PASSWORD"
REDIS_PASSWORD = "REDIS_APP_PASSWORD"  # noqa: S105
GRAFANA_PASSWORD = "GRAFANA_ADMIN_PASSWORD"  # noqa: S105
JWT_SECRET, JWT_KID = "JWT_SECRET", "JWT_KID"
JWT_PREVIOUS_SECRET, JWT_PREVIOUS_KID = "JWT_PREVIOUS_SECRET", "JWT_PREVIOUS_KID"
NEEDS = {
    Target.DATABASE: (DB_USER, DB_PASSWORD),
    Target.REDIS: (REDIS_PASSWORD, "REDIS_ADMIN_PASSWORD"),
    Target.JWT: (JWT_SECRET, JWT_KID),
    Target.GRAFANA: (GRAFANA_PASSWORD,),
}
"""Target -> variables that the `.env` must have."""
STAYS = {Target.REDIS: frozenset({"redis"}), Target.GRAFANA: frozenset({"grafana"})}
"""Target -> services whose settings change and that stay as they are: they are told the new secret."""


class NewValues(Noun):
    """The variables of a rotation, step by step; see `pawpaw_ops.models.secrets.Rotation`."""

    old: Values
    accept: Values
    sign: Values
    retire: Values


def random_secret() -> str:
    """Return 32 random bytes in letters, digits, `-` and `_`: nothing that a URL, a shell or Compose would change."""
    return secrets.token_urlsafe(SECRET_BYTES)


def other_login(user: str) -> str:
    """Return the login that takes turns with *user*: `x_a` for `x_b`.

    Raises:
        PreconditionError: It is none of two.
    """
    match = LOGIN.fullmatch(user)
    if match is None:
        raise PreconditionError(
            f"DB_USER is {user!r}, which has no other login to take turns with.",
            hint="Its name must end with _a or _b; stack/postgres/bin/make-roles makes both.",
        )
    return f"{match['base']}_{'b' if match['side'] == 'a' else 'a'}"


def next_kid(current: str, previous: str = "") -> str:
    """Return the name of the next token key: the number at the end of the newest one, and one more."""
    found = [NUMBER.fullmatch(kid) for kid in (current, previous) if kid]
    head = found[0]["head"] if found[0] else ""
    newest = max((int(match["number"] or 0) for match in found if match and match["head"] == head), default=0)
    return f"{head}{newest + 1}"


def plan_values(
    targets: Iterable[Target], env: Mapping[str, str], *, abrupt: bool = False, make: Callable[[], str] = random_secret
) -> NewValues:
    """Decide on every variable's new value.

    Args:
        targets: What is rotated.
        env: The `.env`.
        abrupt: Give the old token key up at once, so that everybody has to log in again.
        make: Makes a secret.

    Raises:
        PreconditionError: The `.env` lacks a variable, or its login has no other to take turns with.
    """
    accept: dict[str, str | None] = {}
    sign: dict[str, str | None] = {}
    retire: dict[str, str | None] = {}
    for target in targets:
        if missing := [name for name in NEEDS[target] if not env.get(name)]:
            raise PreconditionError(f"the .env has no {', '.join(missing)}, so {target} cannot be rotated.")
        if target is Target.DATABASE:
            accept |= {DB_USER: other_login(env[DB_USER]), DB_PASSWORD: make()}
        elif target is Target.REDIS:
            accept[REDIS_PASSWORD] = make()
        elif target is Target.GRAFANA:
            accept[GRAFANA_PASSWORD] = make()
        else:
            if env[JWT_SECRET] in PUBLIC and not abrupt:
                raise PreconditionError(
                    f"{JWT_SECRET} is a key that anybody knows, so it may not be accepted for a while longer.",
                    hint="Rotate with emergency=true: everybody has to log in again.",
                )
            first, then, last = _token_keys(env, make(), abrupt=abrupt)
            accept |= first
            sign |= then
            retire |= last
    changed = {**accept, **sign, **retire}
    return NewValues(
        old=_sealed({name: env.get(name) for name in changed}),
        accept=_sealed(accept),
        sign=_sealed(sign),
        retire=_sealed(retire),
    )


def moves(targets: Collection[Target]) -> bool:
    """Whether what serves uses one of these secrets, so that it has to move over to the new one."""
    return set(targets) != {Target.GRAFANA}


def changes(rotation: Rotation, to: State | None) -> Values:
    """Return the variables that a step changes; no step can be left out, as it goes on from what is on disk.

    Args:
        rotation: How far it is.
        to: The state that the step leads to; None ends the old secrets.

    Raises:
        PreconditionError: It is not in the state before: what signs would use a key that replicas do not know yet.
    """
    steps: dict[tuple[State, State | None], Values] = {(State.CURRENT, None): rotation.retire}
    if rotation.sign:
        steps |= {
            (State.GENERATED, State.ACCEPTED): rotation.accept,
            (State.ACCEPTED, State.ACCEPTED): rotation.accept,  # once more, where somebody changed the .env since
            (State.ACCEPTED, State.CURRENT): rotation.sign,
        }
    else:
        steps |= {(State.GENERATED, State.CURRENT): rotation.accept}
    if (rotation.state, to) not in steps:
        raise PreconditionError(
            f"generation {rotation.generation} is {rotation.state} and cannot become {to or 'over'}."
        )
    return steps[rotation.state, to]


def changed_since(rotation: Rotation, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that somebody gave other values than those with which replicas accept the new secrets."""
    return tuple(name for name, value in in_clear(rotation.accept).items() if env.get(name) != value)


def _token_keys(
    env: Mapping[str, str], key: str, *, abrupt: bool
) -> tuple[dict[str, str | None], dict[str, str | None], dict[str, str | None]]:
    """Three steps: a replica that does not know the new key yet would refuse what its neighbour signed with it."""
    kid = next_kid(env[JWT_KID], env.get(JWT_PREVIOUS_KID, ""))
    none: dict[str, str | None] = {JWT_PREVIOUS_SECRET: None, JWT_PREVIOUS_KID: None}
    if abrupt:
        return {JWT_SECRET: key, JWT_KID: kid, **none}, {}, {}
    return (
        {JWT_PREVIOUS_SECRET: key, JWT_PREVIOUS_KID: kid},
        {JWT_SECRET: key, JWT_KID: kid, JWT_PREVIOUS_SECRET: env[JWT_SECRET], JWT_PREVIOUS_KID: env[JWT_KID]},
        none,
    )


def _sealed(values: Mapping[str, str | None]) -> dict[str, SecretStr | None]:
    return {name: SecretStr(value) if value else None for name, value in values.items()}


def in_clear(values: Values) -> dict[str, str | None]:
    """Return the values as they are, for whoever writes them where they belong."""
    return {name: value.get_secret_value() if value else None for name, value in values.items()}


def consumers(raw: Mapping[str, object], variables: Iterable[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return service -> (its variable, variable of the `.env`) of everything that is made from those variables.

    Args:
        raw: What `docker compose config --no-interpolate` printed as JSON.
        variables: Names in the `.env`.
    """
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    names = "|".join(map(re.escape, sorted(variables)))
    pattern = re.compile(rf"\$\{{(?P<name>{names})(?:[:?+-][^}}]*)?\}}")
    services = raw["services"]
    assert isinstance(services, Mapping)
    for service, settings in services.items():
        environment = settings.get("environment") or {}
        pairs = [
            (name, match["name"]) for name, value in environment.items() if (match := pattern.fullmatch(str(value)))
        ]
        if pairs:
            found[service] = tuple(sorted(pairs))
    return found


def check_radius(
    before: Mapping[str, str], after: Mapping[str, str], *, may: Iterable[str], stays: Iterable[str]
) -> tuple[str, ...]:
    """Return the services whose settings change; refuse where one would that must not.

    Args:
        before: Service -> hash of its settings, with the values that there are.
        after: The same with the new ones.
        may: Services that can be replaced beside the old ones, or that run only once.
        stays: Services that are left as they are.

    Raises:
        PreconditionError: Another service is made from the same variables.
    """
    changed = sorted(name for name in after if after[name] != before.get(name))
    if never := [name for name in changed if name not in {*may, *stays}]:
        raise PreconditionError(
            f"the new secrets would also change {', '.join(never)}, which must be stopped for that.",
            hint="Give it a variable of its own in the Compose file, one that is not rotated.",
        )
    return tuple(changed)


def check_blocks(rotated: Mapping[Target, Iterable[str]], used: Mapping[Target, Collection[str]]) -> None:
    """Refuse to change the password of a login that a block of Prefect has: blocks are no part of a rotation.

    Args:
        rotated: Target -> logins whose passwords change.
        used: Target -> logins of the stack's blocks.

    Raises:
        PreconditionError: A block would be left with the old password.
    """
    if wrong := sorted(name for target, names in rotated.items() for name in names if name in used.get(target, ())):
        raise PreconditionError(
            f"a block of Prefect logs in as {', '.join(wrong)}, and would be left with the old password.",
            hint="Give the block a login of its own: postgres, pawpaw_backup.",
        )


def known(value: SecretStr | None) -> SecretStr:
    """Return a value that is there."""
    assert value is not None
    return value
