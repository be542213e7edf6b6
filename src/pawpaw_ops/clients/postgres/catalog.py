"""Facts about a server and its databases; nothing here changes anything."""

import re
from datetime import datetime

from psycopg import errors

from pawpaw_ops.clients.postgres.connection import APP_PREFIX, Conn, Postgres, PostgresError
from pawpaw_ops.errors import ConfigError, IdentityMismatch, PreconditionError, VersionMismatch
from pawpaw_ops.models.database import Database, DatabaseRow, Marker, ServerFacts

OLDEST_MAJOR = 14


def server_facts(conn: Conn) -> ServerFacts:
    """Ask the server who it is."""
    row = conn.execute(
        "SELECT (SELECT system_identifier FROM pg_control_system())::text, current_setting('server_version_num')::int,"
        " pg_is_in_recovery(), (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),"
        " (SELECT timeline_id FROM pg_control_checkpoint()),"
        " (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text"
    ).fetchone()
    assert row is not None
    return ServerFacts(
        system_identifier=row[0],
        version_num=row[1],
        in_recovery=row[2],
        is_superuser=row[3],
        timeline=row[4],
        lsn=row[5] or "",
    )


def check_identity(pg: Postgres, *, needs_superuser: bool) -> tuple[ServerFacts, DatabaseRow | None]:
    """Ask who answers and refuse anybody but the configured server.

    Returns:
        The server, and the live database's row; None where no database has its name.

    Raises:
        IdentityMismatch: The system identifier is not the configured one.
        VersionMismatch: Older than 14.
        PreconditionError: A standby, or no superuser, where one is needed.
    """
    with pg.admin() as conn:
        facts = server_facts(conn)
        wanted = pg.database.system_identifier
        if wanted and facts.system_identifier != wanted:
            raise IdentityMismatch(
                f"{_where(pg.database)} answers with system identifier {facts.system_identifier}; the block says"
                f" {wanted}.",
                hint="Another server stands behind this address. Mend it, or the block if the server was replaced.",
            )
        if facts.major < OLDEST_MAJOR:
            raise VersionMismatch(
                f"{_where(pg.database)} is PostgreSQL {facts.major}; {OLDEST_MAJOR} or newer is needed."
            )
        if needs_superuser and (facts.in_recovery or not facts.is_superuser):
            seen = "is a standby" if facts.in_recovery else f"does not make {pg.database.user!r} a superuser"
            raise PreconditionError(
                f"{_where(pg.database)} {seen}; restoring needs a superuser on a primary.",
                hint="Put the primary's address and its administrator into the PostgresDatabase block.",
            )
        return facts, database_row(conn, pg.database.name)


def database_row(conn: Conn, name: str) -> DatabaseRow | None:
    """Read a database's row, ACL, settings and comment; None where there is none of that name."""
    provider = _column(conn, "datlocprovider", "'c'")
    icu = _column(conn, "datlocale", _column(conn, "daticulocale", "NULL"))
    version = _column(conn, "datcollversion", "NULL")
    row = conn.execute(
        "SELECT d.oid::int8, datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype,"
        f" {provider}, {icu}, {version}, datconnlimit, datallowconn, datacl IS NULL,"
        " coalesce(shobj_description(d.oid, 'pg_database'), ''), pg_database_size(d.oid)"
        " FROM pg_database d WHERE datname = %s",
        (name,),
    ).fetchone()
    if row is None:
        return None
    return DatabaseRow(
        oid=row[0],
        name=row[1],
        owner=row[2],
        encoding=row[3],
        collate=row[4],
        ctype=row[5],
        locale_provider=row[6],
        icu_locale=row[7] or "",
        collation_version=row[8] or "",
        connection_limit=row[9],
        allow_connections=row[10],
        acl=None if row[11] else _acl(conn, row[0]),
        settings=_settings(conn, row[0]),
        comment=row[12],
        size_bytes=row[13],
    )


def _column(conn: Conn, name: str, otherwise: str) -> str:
    """Return the column's name where this server's `pg_database` has it, else *otherwise*."""
    query = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'pg_database'::regclass AND attname = %s)"
    row = conn.execute(query, (name,)).fetchone()
    return name if row and row[0] else otherwise


def _acl(conn: Conn, oid: int) -> tuple[str, ...]:
    rows = conn.execute(
        "SELECT CASE grantee WHEN 0 THEN '' ELSE pg_get_userbyid(grantee) END || '=' || privilege_type"
        " || CASE WHEN is_grantable THEN '*' ELSE '' END"
        " FROM pg_database d, aclexplode(datacl) WHERE d.oid = %s ORDER BY 1",
        (oid,),
    ).fetchall()
    return tuple(row[0] for row in rows)


def _settings(conn: Conn, oid: int) -> dict[str, tuple[str, ...]]:
    rows = conn.execute(
        "SELECT CASE setrole WHEN 0 THEN '' ELSE pg_get_userbyid(setrole) END, setconfig"
        " FROM pg_db_role_setting WHERE setdatabase = %s ORDER BY 1",
        (oid,),
    ).fetchall()
    return {row[0]: tuple(row[1]) for row in rows}


def marked_databases(conn: Conn, *, of: str) -> dict[str, Marker]:
    """Return our side and old databases of the live database *of*: name -> marker, newest last."""
    rows = conn.execute(
        "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database ORDER BY oid"
    ).fetchall()
    found = {row[0]: Marker.from_comment(row[1] or "") for row in rows}
    return {name: marker for name, marker in found.items() if marker is not None and marker.of == of}


def blockers(conn: Conn, name: str) -> tuple[str, ...]:
    """Return what must not be interrupted: prepared transactions, logical slots, subscriptions."""
    rows = conn.execute(
        "SELECT format('prepared transaction %%L of %%s since %%s', gid, owner, prepared)"
        " FROM pg_prepared_xacts WHERE database = %(name)s"
        " UNION ALL SELECT format('logical replication slot %%L (%%s)', slot_name, plugin)"
        " FROM pg_replication_slots WHERE database = %(name)s"
        " UNION ALL SELECT format('subscription %%L', subname)"
        " FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE datname = %(name)s",
        {"name": name},
    ).fetchall()
    return tuple(row[0] for row in rows)


def our_backends(conn: Conn) -> dict[int, str]:
    """Return the sessions of this product other than *conn*: process id -> run id."""
    rows = conn.execute(
        "SELECT pid, application_name FROM pg_stat_activity"
        " WHERE starts_with(application_name, %s) AND pid <> pg_backend_pid()",
        (APP_PREFIX,),
    ).fetchall()
    return {row[0]: row[1].removeprefix(APP_PREFIX) for row in rows}


def waiting_behind(conn: Conn, app: str) -> tuple[float, str]:
    """Return how long the longest waiter has waited for a session of *app*, in seconds, and what it waits to do."""
    row = conn.execute(
        "SELECT extract(epoch FROM clock_timestamp() - w.query_start)::float8, left(w.query, 200)"
        " FROM pg_stat_activity w WHERE w.wait_event_type = 'Lock' AND w.application_name <> %(app)s AND EXISTS ("
        "  SELECT FROM pg_stat_activity b WHERE b.application_name = %(app)s AND b.pid = ANY (pg_blocking_pids(w.pid)))"
        " ORDER BY 1 DESC LIMIT 1",
        {"app": app},
    ).fetchone()
    return (row[0], row[1]) if row else (0.0, "")


def available_extensions(conn: Conn) -> frozenset[str]:
    """Return the extensions that this server could create."""
    return frozenset(row[0] for row in conn.execute("SELECT name FROM pg_available_extensions").fetchall())


def database_names(conn: Conn) -> tuple[str, ...]:
    """Return the names of all databases."""
    return tuple(row[0] for row in conn.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall())


def free_bytes(conn: Conn) -> int | None:
    """Ask the server's own host how much room its data folder and its log have; None where the server may not say.

    Source: a backend's working folder is the data folder; POSIX `df -Pk`.
    """
    try:
        with conn.transaction():
            conn.execute("CREATE TEMP TABLE pawpaw_df (line text) ON COMMIT DROP")
            conn.execute("COPY pawpaw_df FROM PROGRAM 'df -Pk . pg_wal'")
            rows = conn.execute("SELECT line FROM pawpaw_df").fetchall()
    except (errors.InsufficientPrivilege, errors.ExternalRoutineException, errors.ReadOnlySqlTransaction):
        return None
    free = [re.search(r" (\d+) +\d+% ", row[0]) for row in rows[1:]]
    return min((int(found[1]) * 1024 for found in free if found), default=None)


def wal_to_come(conn: Conn) -> int:
    """Return by how many bytes the log may grow before the server recycles it; it takes a superuser."""
    row = conn.execute(
        "SELECT greatest(0, pg_size_bytes(current_setting('max_wal_size'))"
        " - (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()))::int8"
    ).fetchone()
    assert row is not None
    return int(row[0])


def slots_at_risk(conn: Conn, within_bytes: int) -> tuple[str, ...]:
    """Return the slots in use that the server gives up when its log has grown by so much, in words.

    A server whose own limit is small gets half of that.
    """
    rows = conn.execute(
        "SELECT format('the slot %%L may fall %%s bytes further behind', slot_name, greatest(safe_wal_size, 0))"
        " FROM pg_replication_slots WHERE active AND safe_wal_size"
        " < least(%s, pg_size_bytes(current_setting('max_slot_wal_keep_size')) / 2) ORDER BY 1",
        (within_bytes,),
    ).fetchall()
    return tuple(row[0] for row in rows)


def existing_roles(conn: Conn) -> frozenset[str]:
    """Return the names of all roles."""
    return frozenset(row[0] for row in conn.execute("SELECT rolname FROM pg_roles").fetchall())


def newest_row_at(conn: Conn, query: str) -> datetime | None:
    """Run the block's freshness query, under the database's own search path, and return its time.

    Raises:
        ConfigError: The query fails; the server's words are quoted.
    """
    found = _answer(conn, query, "freshness")
    return found if isinstance(found, datetime) else None


def schema_version(conn: Conn, query: str) -> str:
    """Run the block's schema query in the same way and return its answer as text; empty where there is none.

    Raises:
        ConfigError: As above.
    """
    found = _answer(conn, query, "schema")
    return "" if found is None else str(found)


def _answer(conn: Conn, query: str, what: str) -> object:
    try:
        with conn.transaction():
            conn.execute("SET LOCAL search_path TO DEFAULT")
            row = conn.execute(query.encode()).fetchone()
    except PostgresError as seen:
        raise ConfigError(
            f"the {what} query {query!r} fails: {str(seen).strip()}", hint="Mend it in the PostgresDatabase block."
        ) from seen
    return row[0] if row else None


def _where(database: Database) -> str:
    return f"the server at {database.host}:{database.port}"
