"""How much write-ahead log a server keeps, and for whom."""

from typing import Any

from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.models.base import Noun
from pawpaw_ops.plans.wal_archive import Reader, Segment

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
SEGMENTS = """
SELECT name, stat.size, stat.modification
FROM pg_ls_dir(%(folder)s, true, false) AS name, pg_stat_file(%(folder)s || '/' || name, true) AS stat
WHERE name ~ '^[0-9A-F]{24}([.]partial)?$' AND stat.size IS NOT NULL
"""
ARCHIVE_COMMAND = """
SELECT CASE WHEN current_setting('archive_mode') = 'off' THEN '' ELSE current_setting('archive_command') END
"""
# A base backup that is being taken says no position. A slot says none when it was given up, and from when it is made
# anew until its standby, which reads the archive meanwhile, has caught up.
READERS = """
SELECT 'the slot ' || slot_name, pg_walfile_name(restart_lsn) FROM pg_replication_slots
UNION ALL
SELECT 'the reader ' || application_name, pg_walfile_name(coalesce(replay_lsn, flush_lsn, write_lsn, sent_lsn))
FROM pg_stat_replication
UNION ALL
SELECT 'the server itself', pg_walfile_name(redo_lsn) FROM pg_control_checkpoint()
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


def archive_command(pg: Postgres) -> str:
    """Return the program by which the server archives; empty where it does not. Errors as in `Postgres.admin`."""
    with pg.admin() as conn:
        row: tuple[Any, ...] | None = conn.execute(ARCHIVE_COMMAND).fetchone()
    assert row is not None
    return str(row[0]).partition(" ")[0]


def archived(pg: Postgres, folder: str) -> tuple[Segment, ...]:
    """List an archive as the server sees it; it takes a superuser. Errors as in `Postgres.admin`."""
    with pg.admin() as conn:
        rows = conn.execute(SEGMENTS, {"folder": folder}).fetchall()
    return tuple(Segment(name=name, size_bytes=size, archived_at=at) for name, size, at in rows)


def readers(pg: Postgres) -> tuple[Reader, ...]:
    """Return everybody of whom a primary knows that they read its log; the server itself is one.

    Raises:
        Unreachable: The server does not answer.
        PostgresError: It is a standby.
    """
    with pg.admin() as conn:
        return tuple(Reader(who=who, needs=needs) for who, needs in conn.execute(READERS).fetchall())
