"""Whether a primary has room for more clients."""

from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.plans.preflight import DatabaseRoom

QUESTION = """
SELECT pg_is_in_recovery(),
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       CASE WHEN pg_is_in_recovery() THEN NULL
            ELSE (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) FROM pg_stat_replication) END
"""


def room(pg: Postgres) -> DatabaseRoom:
    """Ask the server; errors as in `Postgres.admin`."""
    with pg.admin() as conn:
        row = conn.execute(QUESTION).fetchone()
    assert row is not None
    standby, used, most, lag = row
    return DatabaseRoom(standby=standby, used=used, most=most, lag_bytes=None if lag is None else int(lag))
