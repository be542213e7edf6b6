"""Roles that log in: their passwords, which reach the server only as verifiers, and their sessions.

Source: postgresql.org/docs/15/sql-alterrole.html and libpq-misc.html (PQencryptPasswordConn).
"""

from psycopg import sql
from pydantic import SecretStr

from pawpaw_ops.clients.postgres.connection import Conn, identifier
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.plans.scram import matches
from pawpaw_ops.plans.secrets import random_secret


class Login(Noun):
    """A role.

    Attributes:
        open: Whether it may log in at all.
        verifier: What the server keeps of its password; empty where it has none.
    """

    name: str
    open: bool
    verifier: SecretStr


class SessionSeen(Noun):
    """A session of a login: where it comes from, and what its client calls itself."""

    address: str
    application: str


def read_login(conn: Conn, name: str) -> Login:
    """Return a role; the session's own must be a superuser's.

    Raises:
        PreconditionError: There is none of that name.
    """
    row = conn.execute(
        "SELECT rolcanlogin, coalesce(rolpassword, '') FROM pg_authid WHERE rolname = %s", (name,)
    ).fetchone()
    if row is None:
        raise PreconditionError(
            f"the database has no role {name!r}.", hint="stack/postgres/bin/make-roles makes both logins."
        )
    return Login(name=name, open=row[0], verifier=SecretStr(row[1]))


def accepts(login: Login, password: SecretStr) -> bool | None:
    """Whether the server would let a login in with a password; None where that cannot be told."""
    held = login.verifier.get_secret_value()
    return matches(held, password.get_secret_value()) if login.open and held else False


def open_login(conn: Conn, name: str, password: SecretStr) -> None:
    """Let a role log in with a password, of which the server is told a verifier; harmless when it may already.

    Touches:
        That role. Its sessions go on.
    """
    if not accepts(read_login(conn, name), password):
        _alter(conn, name, "LOGIN", password)


def close_login(conn: Conn, name: str) -> None:
    """Let a role log in no more, and forget its password; its sessions go on.

    Touches:
        That role.
    """
    _alter(conn, name, "NOLOGIN", SecretStr(random_secret()))


def sessions(conn: Conn, name: str) -> tuple[SessionSeen, ...]:
    """Return the sessions of a login."""
    rows = conn.execute(
        "SELECT coalesce(host(client_addr), ''), application_name FROM pg_stat_activity"
        " WHERE usename = %s ORDER BY 1, 2",
        (name,),
    )
    return tuple(SessionSeen(address=address, application=application) for address, application in rows)


def end_sessions(conn: Conn, name: str) -> None:
    """End the sessions of a login.

    Touches:
        Those sessions.
    """
    conn.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", (name,))


def _alter(conn: Conn, name: str, may: str, password: SecretStr) -> None:
    made = conn.pgconn.encrypt_password(password.get_secret_value().encode(), name.encode(), b"scram-sha-256")
    statement = sql.SQL("ALTER ROLE {} {} PASSWORD {}")  # no parameter: DDL takes none
    conn.execute(statement.format(identifier(name), sql.SQL(may), sql.Literal(made.decode())))
