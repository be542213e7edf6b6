"""One statement at a time on a database that is in use: nobody is held up for longer than a moment."""

import time

from psycopg import errors

from pawpaw_ops.clients.postgres.connection import Conn
from pawpaw_ops.errors import Blocked

WAITS_S = (0.1, 0.1, 0.2, 0.2, 0.5, 0.5, 1.5)
"""How long to queue for a lock, try by try: whoever comes after us waits as long. The last is longer than
`deadlock_timeout`, so that an autovacuum gives way."""
PAUSE_S = 0.25
PATIENCE_S = 60.0
GONE = (
    errors.UndefinedTable,
    errors.UndefinedObject,
    errors.UndefinedFunction,
    errors.InvalidSchemaName,
    errors.UndefinedColumn,
    errors.InvalidCatalogName,
)
"""What the server says of something that is not there."""
BUSY = (errors.LockNotAvailable, errors.DeadlockDetected)


def say(conn: Conn, statement: str, *, patience_s: float = PATIENCE_S) -> None:
    """Carry out a statement that needs a lock for an instant, without holding anybody up.

    Whoever wants the same table queues behind us, so that we queue briefly, let the others through, and try again.

    Args:
        conn: A session on the database; autocommit.
        statement: What to do; several, parted by `;`, are one transaction.
        patience_s: How long to try, in seconds.

    Raises:
        Blocked: The lock was not to be had in that time.

    Touches:
        What the statement says.
    """
    until, tries = time.monotonic() + patience_s, 0
    while True:
        wait_s = WAITS_S[min(tries, len(WAITS_S) - 1)]
        conn.execute("SELECT set_config('lock_timeout', %s, false)", (f"{wait_s * 1000:.0f}ms",))
        try:
            conn.execute(statement.encode())
        except BUSY as seen:
            tries += 1
            if time.monotonic() > until:
                raise Blocked(
                    f"tried {statement!r} {tries} times in {patience_s:g} s and somebody always had it locked:"
                    f" {oldest_transaction(conn)}.",
                    hint="End that transaction, or run again when it is over.",
                ) from seen
        else:
            return
        time.sleep(PAUSE_S)


def take_back(conn: Conn, statement: str, *, done: str) -> None:
    """Carry out an undo statement; what is not there any more needs none.

    Args:
        conn: A session on the database; autocommit.
        statement: What takes it back.
        done: SQL that asks whether there is something to take back; empty takes it back in any case. A statement that
            changes nothing would wait for its lock all the same.

    Raises:
        Blocked: As in `say`.

    Touches:
        What the statement says.
    """
    try:
        if not done or conn.execute(done.encode()).fetchone() == (True,):
            say(conn, statement)
    except GONE:
        return


def oldest_transaction(conn: Conn) -> str:
    """Say who has had a transaction open for longest in the database."""
    row = conn.execute(
        "SELECT format('%s (process %s) has a transaction since %s', coalesce(nullif(application_name, ''), usename),"
        " pid, xact_start) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL"
        " AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1"
    ).fetchone()
    return row[0] if row else "nobody has a transaction open now"
