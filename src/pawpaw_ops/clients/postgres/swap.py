"""The swap of two names: fence, end sessions, rename twice in one transaction, reopen.

All of it is one statement that the server carries out by itself. Once it is sent, the death of this process changes
nothing: the names end up swapped and open, or unswapped and open. Only a crash of the server between the fence and the
commit leaves the live database fenced, and `settle` opens it again.
"""

from psycopg import errors, sql

from pawpaw_ops.clients.postgres import side
from pawpaw_ops.clients.postgres.catalog import database_row
from pawpaw_ops.clients.postgres.connection import Conn
from pawpaw_ops.errors import Blocked
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.database import Marker

FENCE_S = 10.0


class Names(Noun):
    """Three names: *incoming* becomes *live*, and what was *live* becomes *retired*."""

    live: str
    incoming: str
    retired: str


_SWAP = """
DO $pawpaw$
DECLARE
  live text := {live};
  incoming text := {incoming};
  retired text := {retired};
  there boolean := EXISTS (SELECT FROM pg_database WHERE datname = {live});
  until timestamptz := clock_timestamp() + make_interval(secs => {fence_s});
  failed text;
BEGIN
  IF there THEN
    EXECUTE format('ALTER DATABASE %I ALLOW_CONNECTIONS false', live);
  END IF;
  COMMIT;
  BEGIN
    LOOP
      PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname IN (live, incoming) AND pid <> pg_backend_pid();
      PERFORM pg_stat_clear_snapshot();
      EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname IN (live, incoming));
      IF clock_timestamp() > until THEN
        RAISE EXCEPTION 'sessions did not end within % s', {fence_s} USING ERRCODE = 'object_in_use';
      END IF;
      PERFORM pg_sleep(0.005);
      PERFORM pg_stat_clear_snapshot();
    END LOOP;
    IF there THEN
      EXECUTE format('ALTER DATABASE %I RENAME TO %I', live, retired);
      EXECUTE format('COMMENT ON DATABASE %I IS %L', retired, {retired_comment});
      EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 0', retired);
    END IF;
    EXECUTE format('ALTER DATABASE %I RENAME TO %I', incoming, live);
    EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT %s', live, {connection_limit});
    EXECUTE format('ALTER DATABASE %I ALLOW_CONNECTIONS true', live);
    EXECUTE format('COMMENT ON DATABASE %I IS %L', live, {live_comment});
    {fault}
  EXCEPTION WHEN OTHERS OR query_canceled THEN
    GET STACKED DIAGNOSTICS failed = MESSAGE_TEXT;
  END;
  IF failed IS NOT NULL AND there THEN
    EXECUTE format('ALTER DATABASE %I ALLOW_CONNECTIONS true', live);
  END IF;
  COMMIT;
  IF failed IS NOT NULL THEN
    RAISE EXCEPTION '%', failed USING ERRCODE = 'object_in_use';
  END IF;
END $pawpaw$
"""


def swap(conn: Conn, names: Names, *, retired: Marker, fence_s: float = FENCE_S, fault: str = "") -> None:
    """Make *incoming* the live database and keep the one that was, fenced, under the name *retired*.

    Args:
        conn: Session on the maintenance database, as a superuser.
        names: Which databases.
        retired: Marker for the replaced database; holds its comment and limit for the way back.
        fence_s: How long sessions may take to end, in seconds.
        fault: SQL run inside the transaction after the renames; tests wait or fail there.

    Raises:
        Blocked: A session would not end or the server refused; the live database is as before and open.

    Touches:
        Ends every session of both databases; renames both.
    """
    incoming = database_row(conn, names.incoming)
    marker = Marker.from_comment(incoming.comment) if incoming else None
    if marker is None:
        raise Blocked(f"the database {names.incoming!r} is gone or no longer marked as ours.", hint="Restore again.")
    statement = sql.SQL(_SWAP).format(
        live=sql.Literal(names.live),
        incoming=sql.Literal(names.incoming),
        retired=sql.Literal(names.retired),
        fence_s=sql.Literal(fence_s),
        retired_comment=sql.Literal(retired.to_comment()),
        live_comment=sql.Literal(marker.comment or None),
        connection_limit=sql.Literal(marker.connection_limit),
        fault=sql.SQL(fault),
    )
    conn.execute("SET client_connection_check_interval = 0; SET lock_timeout = '5s'")
    conn.execute("SELECT set_config('statement_timeout', %s, false)", (f"{int(fence_s + 20)}s",))
    try:
        conn.execute(statement)
    except (errors.ObjectInUse, errors.LockNotAvailable, errors.QueryCanceled) as seen:
        raise Blocked(
            f"the swap of {names.live!r} did not happen: {seen.diag.message_primary}. It is open and as before.",
            hint="End what still uses it and restore again.",
        ) from seen


def rename_and_open(conn: Conn, name: str, into: str) -> None:
    """Give a side database another name, its own comment and limit, and open it, in one transaction.

    Touches:
        The one database.
    """
    row = database_row(conn, name)
    marker = Marker.from_comment(row.comment) if row else None
    if marker is None:
        raise Blocked(f"the database {name!r} is gone or no longer marked as ours.", hint="Restore again.")
    with conn.transaction():
        conn.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(into)))
        conn.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true CONNECTION LIMIT {}").format(
                sql.Identifier(into), sql.Literal(marker.connection_limit)
            )
        )
        side.set_comment(conn, into, marker.comment)


def settle(conn: Conn, names: Names, *, incoming_oid: int) -> str:
    """Bring an interrupted swap to one of its two ends: `swapped` or `before`; the live database is open afterwards.

    Touches:
        Reopens the live database if the fence was left standing.
    """
    live = database_row(conn, names.live)
    if live is not None and not live.allow_connections:
        side.reopen(conn, names.live)
    return "swapped" if live is not None and live.oid == incoming_oid else "before"
