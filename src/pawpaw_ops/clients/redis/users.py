"""Users of a Redis and the hashes of the passwords that they may come with; no password reaches the server.

Source: redis.io/docs/latest/commands/acl-setuser: `#` adds a hash, `!` takes one away; several may hold at once.
"""

import hashlib

from pydantic import SecretStr

from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.clients.docker import environment
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.redis.connection import Conn
from pawpaw_ops.commands.login import keep_user
from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.redis import Redis
from pawpaw_ops.plans.secrets import REDIS_PASSWORD
from pawpaw_ops.runner import Runner

SERVICE = "redis"
APP, ADMIN = "pawpaw_app", "pawpaw_admin"
ADMIN_PASSWORD = "REDIS_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable


def hash_of(password: SecretStr) -> str:
    """Return what the server keeps of a password."""
    return hashlib.sha256(password.get_secret_value().encode()).hexdigest()


def accepted(conn: Conn, user: str) -> frozenset[str]:
    """Return the hashes of the passwords that a user may come with.

    Raises:
        PreconditionError: There is no such user.
    """
    found = conn.ask("ACL", "GETUSER", user)
    if found is None:
        raise PreconditionError(f"this Redis has no user {user!r}.")
    fields = dict(zip(found[::2], found[1::2], strict=True))
    return frozenset(value.decode() for value in fields[b"passwords"])


def accept(conn: Conn, user: str, password: SecretStr) -> None:
    """Let a user come with one more password; those that it has stay, and so do its connections.

    Touches:
        That user, in memory.
    """
    conn.ask("ACL", "SETUSER", user, f"#{hash_of(password)}")


def refuse(conn: Conn, user: str, password: SecretStr) -> None:
    """Let a user come with a password no more; connections go on, and one that it never had is no matter.

    Touches:
        That user, in memory.
    """
    if hash_of(password) in accepted(conn, user):
        conn.ask("ACL", "SETUSER", user, f"!{hash_of(password)}")


def addresses(conn: Conn, user: str) -> set[str]:
    """Return the addresses from which a user is connected."""
    text = conn.ask("CLIENT", "LIST").decode()
    found = (dict(word.partition("=")[::2] for word in line.split(" ")) for line in text.splitlines())
    return {one["addr"].rpartition(":")[0] for one in found if one.get("user") == user}


def administered(project: Project) -> Redis:
    """Return the project's Redis as its administrator reaches it.

    Raises:
        ConfigError: The project has none, or the `.env` has no password for its administrator.
    """
    found = containers_of(project, SERVICE)
    password = read_env(project.env_file).get(ADMIN_PASSWORD, "")
    if not found or not password:
        raise ConfigError(f"the project {project.name!r} has no {SERVICE}, or its .env no {ADMIN_PASSWORD}.")
    return Redis(container=found[0].name, user=ADMIN, password=SecretStr(password))


def keep(project: Project, passwords: tuple[SecretStr, ...], runner: Runner) -> None:
    """Let the shop's user come with these passwords alone from the server's next start on.

    Touches:
        `users.d/` beside the server's data.
    """
    server = administered(project)
    made_with = SecretStr(environment(project.engine, server.container)[REDIS_PASSWORD])
    hashes = tuple(hash_of(one) for one in (made_with, *passwords))
    runner.run(keep_user(project.engine, server.container, APP, hashes))
