"""Side databases: made beside the live one, marked as ours, invisible to everybody else, dropped when left over."""

from collections.abc import Mapping

from psycopg import errors, sql

from pawpaw_ops.clients.postgres.catalog import database_row
from pawpaw_ops.clients.postgres.connection import Conn, app_name, identifier
from pawpaw_ops.errors import ExtensionMissing, PreconditionError, RoleMissing
from pawpaw_ops.models.database import DatabaseRow, Marker
from pawpaw_ops.plans.restore import LONGEST_NAME


def derived_name(live: str, suffix: str) -> str:
    """Return `live_suffix`, cut in whole characters so that it fits 63 bytes."""
    room = LONGEST_NAME - len(suffix.encode()) - 1
    return f"{live.encode()[:room].decode(errors='ignore')}_{suffix}"


def create(conn: Conn, name: str, *, like: DatabaseRow, marker: Marker) -> None:
    """Create an empty database with the encoding and locale of *like*, closed to all but superusers.

    Raises:
        PreconditionError: A database of that name exists, or the server lacks the locale.

    Touches:
        Adds one database, marked in the next statement; `drop` also takes an empty one of ours without the mark.
    """
    words = [
        sql.SQL(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {} CONNECTION LIMIT 0"
        ).format(identifier(name), sql.Literal(like.encoding), sql.Literal(like.collate), sql.Literal(like.ctype))
    ]
    if like.locale_provider == "i":
        words.append(sql.SQL("LOCALE_PROVIDER icu ICU_LOCALE {}").format(sql.Literal(like.icu_locale)))
    try:
        conn.execute(sql.SQL(" ").join(words))
    except (errors.DuplicateDatabase, errors.WrongObjectType, errors.InvalidParameterValue) as seen:
        raise PreconditionError(
            f"could not create the database {name!r}: {seen.diag.message_primary}.",
            hint="Choose another name, or install the locale on the server.",
        ) from seen
    mark(conn, name, marker)


def mark(conn: Conn, name: str, marker: Marker) -> None:
    """Write *marker* as the database's comment."""
    set_comment(conn, name, marker.to_comment())


def set_comment(conn: Conn, name: str, comment: str) -> None:
    """Write a database's comment; an empty one removes it."""
    text = sql.Literal(comment) if comment else sql.SQL("NULL")
    conn.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(identifier(name), text))


def drop(conn: Conn, name: str, *, run_id: str) -> bool:
    """Drop a side database of *run_id* if it is there and still one; never a live or an old one.

    Returns:
        Whether one was dropped.

    Touches:
        Ends the sessions of that database and removes it.
    """
    row = database_row(conn, name)
    if row is None:
        return False
    marker = Marker.from_comment(row.comment)
    unmarked = marker is None and not row.comment and row.connection_limit == 0
    if not unmarked and (marker is None or marker.role != "side" or marker.run_id != run_id):
        return False
    force_drop(conn, name)
    return True


def force_drop(conn: Conn, name: str) -> None:
    """Drop a database and end its sessions. The caller has checked its marker."""
    conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier(name)))


def end_backends(conn: Conn, *, run_id: str) -> int:
    """End every session of a run and return how many there were.

    Touches:
        Ends sessions whose application name is the run's.
    """
    row = conn.execute(
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
        " WHERE application_name = %s AND pid <> pg_backend_pid()",
        (app_name(run_id),),
    ).fetchone()
    return row[0] if row else 0


def close(conn: Conn, name: str) -> None:
    """Refuse every new session on a database, superusers' too."""
    conn.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(identifier(name)))


def close_old(conn: Conn, name: str) -> None:
    """Fence an old database again after it was looked at; nothing else is ever closed here."""
    row = database_row(conn, name)
    marker = Marker.from_comment(row.comment) if row else None
    if marker is not None and marker.role == "old":
        close(conn, name)


def reopen(conn: Conn, name: str) -> None:
    """Let sessions in again."""
    conn.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(identifier(name)))


def create_roles(conn: Conn, missing: Mapping[str, tuple[str, ...]]) -> None:
    """Create roles without password.

    Raises:
        RoleMissing: The server would not make one.

    Touches:
        Adds roles; nobody can log in as one until it gets a password.
    """
    for name, attributes in missing.items():
        try:
            conn.execute(sql.SQL("CREATE ROLE {} {}").format(identifier(name), sql.SQL(" ".join(attributes))))
        except (errors.ReservedName, errors.InsufficientPrivilege) as seen:
            raise RoleMissing(f"the backup needs the role {name!r}: {seen.diag.message_primary}.") from seen


def drop_roles(conn: Conn, names: tuple[str, ...]) -> None:
    """Drop roles that a run made, if they are there and nothing depends on them."""
    for name in names:
        conn.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(identifier(name)))


def check_extensions(needed: Mapping[str, str], available: frozenset[str]) -> None:
    """Refuse a server that cannot offer every extension.

    Raises:
        ExtensionMissing: Names all that are missing.
    """
    missing = sorted(set(needed) - available)
    if missing:
        raise ExtensionMissing(
            f"the backup needs the extensions {', '.join(missing)}; the server does not offer them.",
            hint="Install them on the server (Debian: postgresql-contrib, postgresql-NN-NAME) and run again.",
        )


def set_properties(conn: Conn, name: str, wanted: DatabaseRow) -> None:
    """Give a database the owner, ACL and settings of *wanted*; comment and connection limit follow at the swap.

    Touches:
        Changes the catalog rows of *name* alone.
    """
    target = identifier(name)
    conn.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(target, identifier(wanted.owner)))
    if wanted.acl is not None:
        everybody = sql.SQL(", ").join([sql.SQL("PUBLIC"), identifier(wanted.owner)])
        conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(target, everybody))
        for word in wanted.acl:
            grantee, _, privilege = word.rpartition("=")
            conn.execute(
                sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
                    sql.SQL(privilege.removesuffix("*")),
                    target,
                    identifier(grantee) if grantee else sql.SQL("PUBLIC"),
                    sql.SQL(" WITH GRANT OPTION" if privilege.endswith("*") else ""),
                )
            )
    for role, settings in wanted.settings.items():
        who = sql.SQL("ROLE {} IN DATABASE").format(identifier(role)) if role else sql.SQL("DATABASE")
        for setting in settings:
            key, _, value = setting.partition("=")
            conn.execute(sql.SQL("ALTER {} {} SET {} = {}").format(who, target, identifier(key), _value(key, value)))


LISTS = ("search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries")


def _value(key: str, value: str) -> sql.Composable:
    """Write a stored setting back; the settings that are lists are stored with their own quotes. Source: pg_dump."""
    if key not in LISTS:
        return sql.Literal(value)
    return sql.SQL(value) if value else sql.Literal("")


def properties_differ(one: DatabaseRow, other: DatabaseRow) -> dict[str, tuple[object, object]]:
    """Return the properties in which two databases differ: name -> the two values."""
    names = ("owner", "encoding", "collate", "ctype", "connection_limit", "acl", "settings", "comment")
    pairs = {name: (getattr(one, name), getattr(other, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
