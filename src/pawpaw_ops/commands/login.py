"""How a login is tried, and a Redis user's password is kept, with the programs in the stack's own images."""

from dataclasses import replace

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.commands.compose import run_once
from pawpaw_ops.commands.docker import inside
from pawpaw_ops.models.project import Project

ROLES = "roles"
"""Service whose image has PostgreSQL's programs, on the network where the shop's services are."""
STANDBY = "postgres_replica"
"""Service that follows the database."""


def try_login(project: Project, user: str, password: SecretStr, *, database: str) -> Query[tuple[str, ...]]:
    """Ask from the stack's own network whether the database lets a login in.

    Returns:
        A query for `accepted` with the session's user and its role, `refused`, or `unreachable`.

    Source: stack/postgres/bin/try-login.
    """
    command = run_once(project, ROLES, "try-login", user, database)
    return Query(command=replace(command, stdin=SecretStr(f"{password.get_secret_value()}\n")), parse=_words)


def try_primary(engine: str, standby: str) -> Query[str]:
    """Ask a standby's container whether the primary would let it in anew.

    Returns:
        A query for `accepted`, `refused`, or `unreachable`.

    Source: stack/postgres/bin/try-primary.
    """
    return Query(command=inside(engine, standby, "try-primary"), parse=str.strip)


def _words(out: str) -> tuple[str, ...]:
    return tuple(out.split())


def keep_user(engine: str, container: str, user: str, hashes: tuple[str, ...]) -> Command:
    """Let a Redis that is started again accept these hashes for a user.

    Args:
        engine: The engine.
        container: The server's.
        user: The user.
        hashes: First the one of the password that the container was made with, then those that hold instead.

    Touches:
        `users.d/` beside its data.

    Source: stack/redis/bin/keep-user.
    """
    return inside(engine, container, "keep-user", user, *hashes)
