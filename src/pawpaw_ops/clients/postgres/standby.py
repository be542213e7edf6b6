"""A standby after a swap on its primary: caught up, serving the new database, read by nobody as the replaced one."""

import time
from collections.abc import Sequence
from typing import Any

from pawpaw_ops.clients.postgres.catalog import database_row
from pawpaw_ops.clients.postgres.connection import Conn, Postgres, PostgresError
from pawpaw_ops.errors import VerificationError
from pawpaw_ops.models.base import Noun

CATCH_UP_S = 60.0
POLL_S = 0.02
HINT = "The swap itself holds. Look at the standby's log and pg_stat_replication on the primary."


class Followed(Noun):
    """How a standby followed a swap.

    Attributes:
        behind_ms: Milliseconds until it had replayed the swap.
        ended: Sessions that still read the replaced database there and were ended.
    """

    behind_ms: float
    ended: int


def follow(
    primary: Postgres, standby: Postgres, *, live_oid: int, retired: str, timeout_s: float = CATCH_UP_S
) -> Followed:
    """Wait until *standby* has replayed the swap, end sessions of the database *retired*, read the live one.

    Raises:
        VerificationError: It is no standby, did not catch up in time, or does not serve the database with *live_oid*.
        Unreachable: It does not answer.

    Touches:
        Ends sessions on the standby that read *retired*: a rename does not, and they would go on reading it.
    """
    began = time.monotonic()
    with primary.admin() as conn:
        wanted = _one(conn, "SELECT pg_current_wal_flush_lsn()::text")
    with standby.admin() as conn:
        if not _one(conn, "SELECT pg_is_in_recovery()"):
            raise VerificationError(f"the server at {standby.database.host} is no standby.", hint=HINT)
        while not _one(conn, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (wanted,)):
            if time.monotonic() - began > timeout_s:
                raise VerificationError(f"the standby had not replayed {wanted} after {timeout_s:g} s.", hint=HINT)
            time.sleep(POLL_S)
        behind_ms = (time.monotonic() - began) * 1000
        row = database_row(conn, standby.database.name)
        if row is None or row.oid != live_oid:
            raise VerificationError(
                f"on the standby {standby.database.name!r} is {row}, not the database {live_oid}.", hint=HINT
            )
        ended = _one(
            conn, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", (retired,)
        )
    try:
        with standby.connect() as conn:
            _one(conn, "SELECT count(*) FROM pg_class")
    except PostgresError as seen:
        raise VerificationError(f"the standby does not serve {standby.database.name!r}: {seen}.", hint=HINT) from seen
    return Followed(behind_ms=round(behind_ms, 1), ended=ended)


def _one(conn: Conn, question: str, values: Sequence[object] = ()) -> Any:
    row = conn.execute(question.encode(), values or None).fetchone()
    assert row is not None
    return row[0]
