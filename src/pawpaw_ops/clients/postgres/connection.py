"""One way in: every session of ours carries the run's application name."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pawpaw_ops.commands.postgres import NO_PASSFILE, SESSION_SETTINGS, as_options
from pawpaw_ops.errors import Blocked, DiskTooSmall, PreconditionError, Unreachable
from pawpaw_ops.models.database import Database

APP_PREFIX = "pawpaw-ops/"
CONNECT_TIMEOUT_S = 10
ENDED = ("08", "57")
"""Classes of SQLSTATE that say that a session or a statement was ended from outside."""
LOCK_TIMEOUT_S = 10

Conn = Connection[TupleRow]
PostgresError = psycopg.Error
"""What the server, or the way to it, may answer to a statement."""


def app_name(run_id: str) -> str:
    """Return the `application_name` of a run's sessions; at most 63 bytes."""
    return f"{APP_PREFIX}{run_id}"[:63]


@dataclass(frozen=True)
class Postgres:
    """A server and one of its databases, reached as one role.

    Args:
        database: Where it is and which database lives.
        run_id: Run on whose behalf we connect.
    """

    database: Database
    run_id: str

    @property
    def app(self) -> str:
        """The `application_name` of our sessions."""
        return app_name(self.run_id)

    def named(self, name: str) -> "Postgres":
        """Return the same server with another database in the place of the live one."""
        return replace(self, database=self.database.model_copy(update={"name": name}))

    @contextlib.contextmanager
    def connect(self, *, settings: Mapping[str, str] | None = None) -> Iterator[Conn]:
        """Open an autocommit session on the database; errors as in `admin`."""
        with _open(self.database, self.database.name, self.app, settings) as conn:
            yield conn

    @contextlib.contextmanager
    def admin(self, *, settings: Mapping[str, str] | None = None) -> Iterator[Conn]:
        """Open an autocommit session on the maintenance database `postgres`.

        Raises:
            Unreachable: The server did not answer, refused the login or ended the session; its own words are quoted.
            Blocked: Somebody else held a lock for too long.
            DiskTooSmall: The server's disk is full.
            PreconditionError: The role may not do this.
        """
        with _open(self.database, "postgres", self.app, settings) as conn:
            yield conn


@contextlib.contextmanager
def _open(database: Database, dbname: str, app: str, settings: Mapping[str, str] | None) -> Iterator[Conn]:
    where = f"database {dbname!r} at {database.host}:{database.port} as {database.user!r}"
    try:
        conn = psycopg.connect(
            host=database.host,
            port=database.port,
            dbname=dbname,
            user=database.user,
            password=database.password.get_secret_value() or None,
            passfile=NO_PASSFILE,
            options=as_options(SESSION_SETTINGS),
            application_name=app,
            connect_timeout=CONNECT_TIMEOUT_S,
            autocommit=True,
        )
    except psycopg.OperationalError as seen:
        raise Unreachable(
            f"tried to reach {where}: {str(seen).strip()}",
            hint="Check host, port, user and password in the PostgresDatabase block, and that the server runs.",
        ) from seen
    with conn, _told(where):
        for name, value in ({"lock_timeout": f"{LOCK_TIMEOUT_S}s"} | dict(settings or {})).items():
            conn.execute("SELECT set_config(%s, %s, false)", (name, value))
        yield conn


@contextlib.contextmanager
def _told(where: str) -> Iterator[None]:
    """Raise what may happen to any statement as errors that say where it happened and what to do."""
    try:
        yield
    except psycopg.errors.LockNotAvailable as seen:
        raise Blocked(
            f"{where}: waited {LOCK_TIMEOUT_S} s for a lock that somebody else holds: {str(seen).strip()}",
            hint="Look who holds it (pg_locks, pg_blocking_pids) and run again when it is free.",
        ) from seen
    except psycopg.errors.InsufficientPrivilege as seen:
        raise PreconditionError(
            f"{where} may not do this: {str(seen).strip()}",
            hint="Grant it, or put another role into the PostgresDatabase block.",
        ) from seen
    except psycopg.errors.DiskFull as seen:
        raise DiskTooSmall(
            f"{where} has no room left: {str(seen).strip()}", hint="Make room on the server's disk and run again."
        ) from seen
    except psycopg.OperationalError as seen:
        if seen.sqlstate and not seen.sqlstate.startswith(ENDED):
            raise
        raise Unreachable(
            f"{where} broke off: {str(seen).strip()}",
            hint="An administrator or a restart of the server ended it; its log says who. Run again.",
        ) from seen


def identifier(name: str) -> sql.Identifier:
    """Quote a name of any kind."""
    return sql.Identifier(name)
