"""Deciding how a database that one login owns comes to an owner who cannot log in, and two logins that can.

The order is what keeps the application up while the statements are carried out one by one. Foreign keys are checked
with the rights of a table's owner, so schemas move before what lies in them; views read with their owner's, so tables
move before views, and what stays behind is granted before anything moves. A login that is no superuser becomes a member
of the new owner first. Nobody can log in as a new role before all is in place.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.roles import APP_LOGINS, OWNER, ROLES, DefaultPrivilege, Found, ObjectSeen, RoleSeen, Wanted
from pawpaw_ops.plans.secret_checks import POSTGRES_USERS
from pawpaw_ops.plans.secrets import DB_PASSWORD, DB_USER

SUPERUSERS_ALONE = {
    "event trigger": "sólo puede ser de un superusuario",
    "foreign-data wrapper": "sólo puede ser de un superusuario",
    "language": "sólo puede ser de un superusuario",
    "subscription": "sólo puede ser de un superusuario",
    "extension": "sus objetos son del superusuario que la instaló; no se cambia de dueño",
}
"""Kind of object -> why it stays."""
KEYWORDS = {
    "function": "ROUTINE",
    "procedure": "ROUTINE",
    "aggregate": "ROUTINE",
    "statistics object": "STATISTICS",
    "foreign-data wrapper": "FOREIGN DATA WRAPPER",
}
GRANTED_AS = {"view": "TABLE", "materialized view": "TABLE", "foreign table": "TABLE", "server": "FOREIGN SERVER"}
ORDER = (
    "database",
    "schema",
    "type",
    "function",
    "procedure",
    "aggregate",
    "table",
    "foreign table",
    "sequence",
    "view",
)
"""Kinds that move first, in this order; the others follow, and materialized views with them."""
WORDS_THAT_COUNT = ("CREATEROLE", "REPLICATION")


class Change(Noun):
    """One statement.

    Attributes:
        do: The statement; for a password what is said of it.
        why: For the operator.
        undo: The statement that takes it back; harmless when the change never was.
        done: SQL that asks whether it was done; without an answer of yes nothing is taken back. Empty is not asked.
        opens: Role that gets a password, of which the server is told a verifier; empty for an ordinary statement.
        variable: Variable of the `.env` that has that password.
    """

    do: str
    why: str
    undo: str
    done: str = ""
    opens: str = ""
    variable: str = ""


class Adoption(Noun):
    """What is to be done, and what is left as it is: object -> why."""

    changes: tuple[Change, ...]
    stays: Mapping[str, str]

    @property
    def id(self) -> str:
        """A name for exactly these changes."""
        return hashlib.sha256("\n".join(change.do for change in self.changes).encode()).hexdigest()[:12]


def plan_adoption(found: Found, env: Mapping[str, str]) -> Adoption:
    """Decide on every statement, in order; none where all is as it shall be.

    Args:
        found: The database as it is.
        env: The `.env`; only which variables it has, and DB_USER.

    Raises:
        PreconditionError: A role of ours is a superuser, the login would lose its rights, or a password is missing.
    """
    check_roles(found)
    movable, stays = sort_out(found.objects)
    changes = (
        *_roles(found.roles),
        *_membership_of_login(found),
        *(_default(one) for one in found.defaults),
        *_grants(found),
        *(change for one in movable for change in _move(one)),
        *_passwords(found.roles, env),
    )
    if missing := sorted({change.variable for change in changes if change.variable and not env.get(change.variable)}):
        raise PreconditionError(
            f"the .env has no {', '.join(missing)}: the passwords of logins that are to be made.",
            hint="Add them, 32 random bytes each, as stack/.env.example says, and run again.",
        )
    return Adoption(changes=changes, stays={**stays, **found.notes})


def check_roles(found: Found) -> None:
    """Refuse what cannot end well.

    Raises:
        PreconditionError: A role of ours is a superuser, or the application's login does not inherit.
    """
    if powerful := sorted({wanted.name for wanted in ROLES} & found.superusers):
        raise PreconditionError(
            f"{', '.join(powerful)} is a superuser; none of the roles of the stack may be one.",
            hint="Rename that role (ALTER ROLE … RENAME TO …), or take SUPERUSER from it.",
        )
    login = found.roles.get(found.login_name)
    if login is not None and not found.login_is_superuser and not login.inherits:
        raise PreconditionError(
            f"{found.login_name} is NOINHERIT: it would lose its tables to an owner whose rights it does not have.",
            hint="ALTER ROLE … INHERIT, and run again.",
        )


def sort_out(objects: Iterable[ObjectSeen]) -> tuple[tuple[ObjectSeen, ...], dict[str, str]]:
    """Return the objects that get another owner, in order, and what stays with the reason."""
    movable, stays = [], {}
    for one in objects:
        why = one.bound or SUPERUSERS_ALONE.get(one.kind, "")
        if not one.movable:
            why = f"es de {one.owner}, que no es la aplicación ni un superusuario"
        if why:
            stays[f"{one.kind} {one.name}"] = why
        else:
            movable.append(one)
    ranks = {kind: rank for rank, kind in enumerate(ORDER)}
    return tuple(sorted(movable, key=lambda one: (ranks.get(one.kind, len(ORDER)), one.kind, one.name))), stays


def _roles(roles: Mapping[str, RoleSeen]) -> Iterator[Change]:
    for wanted in ROLES:
        seen = roles.get(wanted.name)
        if seen is None:
            yield Change(
                do=f"CREATE ROLE {wanted.name} {wanted.attributes}",
                why="falta el rol",
                undo=f"DROP ROLE IF EXISTS {wanted.name}",
            )
        else:
            yield from _mend(wanted, seen)
    for name in APP_LOGINS:
        before = roles[name].works_as if name in roles else ""
        if before != OWNER:
            back = f"SET role = {quoted(before)}" if before else "RESET role"
            yield Change(
                do=f"ALTER ROLE {name} SET role = {quoted(OWNER)}",
                why="lo que cree será del dueño, sea cual sea el usuario en turno",
                undo=f"ALTER ROLE {name} {back}",
            )


def _mend(wanted: Wanted, seen: RoleSeen) -> Iterator[Change]:
    """What a role that is there lacks; its password and limits are left alone, as `make-roles` does."""
    for word in WORDS_THAT_COUNT:
        if word in wanted.words.split() and word not in seen.words:
            yield Change(
                do=f"ALTER ROLE {wanted.name} {word}",
                why="le falta ese derecho",
                undo=f"ALTER ROLE {wanted.name} NO{word}",
            )
    if wanted.name == OWNER and "LOGIN" in seen.words:
        yield Change(
            do=f"ALTER ROLE {OWNER} NOLOGIN", why="el dueño no debe poder entrar", undo=f"ALTER ROLE {OWNER} LOGIN"
        )
    if wanted.member_of and wanted.member_of not in seen.member_of:
        yield Change(
            do=f"GRANT {wanted.member_of} TO {wanted.name}",
            why="le faltan los derechos de ese rol",
            undo=f"REVOKE {wanted.member_of} FROM {wanted.name}",
        )


def _membership_of_login(found: Found) -> Iterator[Change]:
    login = found.roles.get(found.login_name)
    if login is None or found.login_is_superuser or found.login_name in APP_LOGINS or OWNER in login.member_of:
        return
    yield Change(
        do=f"GRANT {OWNER} TO {found.login}",
        why="la aplicación que corre sigue entrando como hoy y no debe perder nada",
        undo=f"REVOKE {OWNER} FROM {found.login}",
    )


def _default(one: DefaultPrivilege) -> Change:
    where = f" IN SCHEMA {one.schema_name}" if one.schema_name else ""
    head = f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER}{where}"
    option = " WITH GRANT OPTION" if one.grantable else ""
    give = f"{head} GRANT {one.privilege} ON {one.objects} TO {one.grantee}"
    take = f"{head} REVOKE {one.privilege} ON {one.objects} FROM {one.grantee}"
    return Change(
        do=take if one.taken else f"{give}{option}",
        why="lo que se cree después tendrá los mismos permisos que hoy",
        undo=give if one.taken else take,
    )


def _grants(found: Found) -> Iterator[Change]:
    for one in found.lacking:
        target = f"{one.privilege} ON {GRANTED_AS.get(one.kind, keyword(one.kind))} {one.name}"
        yield Change(
            do=f"GRANT {target} TO {OWNER}",
            why="no cambia de dueño, y la aplicación puede hacer eso hoy",
            undo=f"REVOKE {target} FROM {OWNER}",
        )


def _move(one: ObjectSeen) -> Iterator[Change]:
    """A new owner takes over the old one's privileges. Those of its own go first, or the way back would mix the two."""
    on = f"ON {GRANTED_AS.get(one.kind, keyword(one.kind))} {one.name}"
    for privilege, grantable in one.granted:
        yield Change(
            do=f"REVOKE {privilege} {on} FROM {OWNER}",
            why="como dueño lo tendrá de todos modos",
            undo=f"GRANT {privilege} {on} TO {OWNER}{' WITH GRANT OPTION' if grantable else ''}",
        )
    target = f"{keyword(one.kind)} {one.name}"
    yield Change(
        do=f"ALTER {target} OWNER TO {OWNER}",
        why="pasa al dueño que no puede entrar",
        undo=f"ALTER {target} OWNER TO {one.owner}",
        done=one.moved,
    )


def _passwords(roles: Mapping[str, RoleSeen], env: Mapping[str, str]) -> Iterator[Change]:
    """Let those log in who have no password yet; of the two that take turns one, unless either has had its turn."""
    variables = {role: variable for variable, role in POSTGRES_USERS.items()}
    blank = RoleSeen(name="")
    if not any(roles.get(name, blank).has_password for name in APP_LOGINS):
        variables[env[DB_USER] if env.get(DB_USER) in APP_LOGINS else APP_LOGINS[0]] = DB_PASSWORD
    for wanted in ROLES:
        seen = roles.get(wanted.name, RoleSeen(name=wanted.name, words=frozenset(wanted.words.split())))
        if wanted.name in variables and not seen.has_password:
            was = "LOGIN" if "LOGIN" in seen.words else "NOLOGIN"
            yield Change(
                do=f"ALTER ROLE {wanted.name} LOGIN PASSWORD '…'",
                why=f"entra con {variables[wanted.name]} del .env; el servidor recibe sólo el verificador SCRAM",
                undo=f"ALTER ROLE {wanted.name} {was} PASSWORD NULL",
                opens=wanted.name,
                variable=variables[wanted.name],
            )


def keyword(kind: str) -> str:
    """Return how `ALTER` spells a kind of object."""
    return KEYWORDS.get(kind, kind.upper())


def quoted(name: str) -> str:
    """Quote a name."""
    return '"' + name.replace('"', '""') + '"'
