"""How much write-ahead log a server keeps, and for whom."""

from typing import Any

from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.models.base import Noun

QUESTION = """
SELECT (SELECT coalesce(sum(size), 0)::bigint FROM pg_ls_waldir()),
       coalesce(
           (SELECT string_agg(format('%s (%s MiB)', slot_name, coalesce(
               pg_wal_lsn_diff(
                   CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                   restart_lsn
               )::bigint >> 20, 0)), ', ' ORDER BY slot_name)
            FROM pg_replication_slots WHERE NOT active), '')
"""


class KeptWal(Noun):
    """The log on the server's disk.

    Attributes:
        size_bytes: All segments together.
        idle_slots: Replication slots that nobody reads from, and how much each holds back; empty where there is none.
    """

    size_bytes: int
    idle_slots: str


def kept_wal(pg: Postgres) -> KeptWal:
    """Ask the server; it takes a superuser or `pg_monitor`. Errors as in `Postgres.admin`."""
    with pg.admin() as conn:
        row: tuple[Any, ...] | None = conn.execute(QUESTION).fetchone()
    assert row is not None
    return KeptWal(size_bytes=row[0], idle_slots=row[1])
