"""A standby around a swap on its primary: whether it will follow, and whether it did."""

import time
from collections.abc import Sequence
from typing import Any

from pawpaw_ops.clients.postgres.catalog import database_row
from pawpaw_ops.clients.postgres.connection import Conn, Postgres, PostgresError
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Noun, Verdict
from pawpaw_ops.plans.standby import Seen, Sender, Standby

CATCH_UP_S = 60.0
POLL_S = 0.02
_PRIMARY = "SELECT pg_current_wal_flush_lsn()::text, (SELECT system_identifier FROM pg_control_system())::text"
_SENDERS = """
SELECT application_name, coalesce(host(client_addr), ''),
       greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 0)::int8
  FROM pg_stat_replication r
 WHERE replay_lsn IS NOT NULL
   AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
 ORDER BY 1, 2
"""
"""Standbys alone: a tool that receives WAL or copies replays nothing, and a logical subscriber is no copy."""
_STANDBY = """
SELECT pg_is_in_recovery(),
       (SELECT system_identifier FROM pg_control_system())::text = %(system)s,
       CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() <> 'not paused' ELSE false END,
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming'),
       coalesce(greatest(pg_wal_lsn_diff(%(wanted)s::pg_lsn, pg_last_wal_replay_lsn()), 0), 0)::int8,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8
"""


class Followed(Noun):
    """How a standby followed a swap.

    Attributes:
        verdict: Verified: it serves the database that was swapped in. Failed: it was asked and does not. Not verified:
            it did not answer, or had not replayed the swap yet.
        says: The same with numbers.
        ended: Sessions that still read the replaced database there and were ended.
    """

    verdict: Verdict
    says: str
    ended: int = 0


def look(primary: Postgres, standby: Postgres | None) -> Seen:
    """Ask the primary for its standbys, and the one that is named how it does; errors as in `Postgres.admin`."""
    with primary.admin() as conn:
        wanted, system = _row(conn, _PRIMARY)
        senders = tuple(
            Sender(name=name, address=address, behind_bytes=behind)
            for name, address, behind in conn.execute(_SENDERS).fetchall()
        )
    if standby is None:
        return Seen(named=False, senders=senders)
    try:
        with standby.admin() as conn:
            found = _row(conn, _STANDBY, {"system": system, "wanted": wanted})
    except (PreconditionError, PostgresError) as seen:
        return Seen(named=True, senders=senders, away=_why(seen))
    recovering, same_server, paused, receiving, behind_bytes, replayed_s = found
    says = Standby(
        recovering=recovering,
        same_server=same_server,
        paused=paused,
        receiving=receiving,
        behind_bytes=behind_bytes,
        replayed_s=replayed_s,
    )
    return Seen(named=True, senders=senders, standby=says)


def follow(
    primary: Postgres, standby: Postgres, *, live_oid: int, retired: str, timeout_s: float = CATCH_UP_S
) -> Followed:
    """Wait until *standby* has replayed the swap, end sessions of the database *retired*, read the live one.

    Raises:
        Unreachable: The primary does not answer.

    Touches:
        Ends sessions on the standby that read *retired*: a rename does not, and they would go on reading it.
    """
    began = time.monotonic()
    with primary.admin() as conn:
        wanted = _row(conn, "SELECT pg_current_wal_flush_lsn()::text")[0]
    try:
        with standby.admin() as conn:
            if not _row(conn, "SELECT pg_is_in_recovery()")[0]:
                return _bad(f"the server at {standby.database.host} is no standby")
            while not _row(conn, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (wanted,))[0]:
                if time.monotonic() - began > timeout_s:
                    says = (
                        f"it had not replayed {wanted} after {timeout_s:g} s; sessions there may read what was replaced"
                    )
                    return Followed(verdict=Verdict.NOT_VERIFIED, says=says)
                time.sleep(POLL_S)
            return _settled(conn, standby, live_oid, retired, (time.monotonic() - began) * 1000)
    except (PreconditionError, PostgresError) as seen:
        return Followed(verdict=Verdict.NOT_VERIFIED, says=f"it does not answer: {_why(seen)}")


def _settled(conn: Conn, standby: Postgres, live_oid: int, retired: str, behind_ms: float) -> Followed:
    """End what reads the replaced database, and read the one that is live."""
    name = standby.database.name
    row = database_row(conn, name)
    if row is None or row.oid != live_oid:
        return _bad(f"{name!r} is {row} there, not the database {live_oid}")
    ended = _row(conn, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", (retired,))[
        0
    ]
    try:
        with standby.connect() as live:
            _row(live, "SELECT count(*) FROM pg_class")
    except (PreconditionError, PostgresError) as seen:
        return _bad(f"it does not serve {name!r}: {_why(seen)}")
    says = f"it followed after {behind_ms:.0f} ms, and {ended} sessions of the replaced database ended"
    return Followed(verdict=Verdict.VERIFIED, says=says, ended=ended)


def _why(seen: PreconditionError | PostgresError) -> str:
    return seen.message if isinstance(seen, PreconditionError) else str(seen).strip()


def _bad(says: str) -> Followed:
    return Followed(verdict=Verdict.FAILED, says=says)


def _row(conn: Conn, question: str, values: Sequence[object] | dict[str, object] = ()) -> tuple[Any, ...]:
    row = conn.execute(question.encode(), values or None).fetchone()
    assert row is not None
    return row
