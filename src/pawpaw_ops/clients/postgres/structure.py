"""A database's structure: which objects are there, and a digest of each one's definition."""

from psycopg import errors

from pawpaw_ops.clients.postgres.connection import Conn

_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_NO_EXTENSION = (
    "NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = '{0}'::regclass AND x.objid = {1}.oid AND x.deptype = 'e')"
)
_REL = (
    f"pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND {_OURS} AND {_NO_EXTENSION.format('pg_class', 'c')}"
)

_PARTS = (
    (
        f"SELECT 'schema', quote_ident(n.nspname), pg_get_userbyid(n.nspowner)::text FROM pg_namespace n WHERE {_OURS}"
        f" AND {_NO_EXTENSION.format('pg_namespace', 'n')}"
    ),
    (
        "SELECT CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'"
        " WHEN 'f' THEN 'foreign table' ELSE 'table' END, format('%I.%I', n.nspname, c.relname),"
        " concat_ws('|', c.relkind, c.relpersistence, c.reloptions, pg_get_userbyid(c.relowner), c.relrowsecurity,"
        "  pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid),"
        "  CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)"
        f" FROM {_REL} WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
    ),
    (
        "SELECT 'column', format('%I.%I.%I', n.nspname, c.relname, a.attname),"
        " concat_ws('|', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,"
        "  (SELECT collname FROM pg_collation WHERE oid = a.attcollation), pg_get_expr(d.adbin, d.adrelid))"
        f" FROM {_REL} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    ),
    (
        f"SELECT 'index', format('%I.%I', n.nspname, c.relname), pg_get_indexdef(c.oid) FROM {_REL}"
        " JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = i.indrelid"
        " WHERE i.indisvalid OR t.relkind = 'p'"  # the others are what a build left behind; pg_dump leaves them out
    ),
    (
        "SELECT 'constraint', format('%I.%I %I', n.nspname, c.relname, k.conname),"
        f" pg_get_constraintdef(k.oid) FROM {_REL} JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype <> 'n'"
    ),
    (
        "SELECT 'trigger', format('%I.%I %I', n.nspname, c.relname, t.tgname),"
        " pg_get_triggerdef(t.oid) || t.tgenabled::text"
        f" FROM {_REL} JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal"
    ),
    (
        "SELECT 'policy', format('%I.%I %I', n.nspname, c.relname, p.polname),"
        " concat_ws('|', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid),"
        "  pg_get_expr(p.polwithcheck, p.polrelid))"
        f" FROM {_REL} JOIN pg_policy p ON p.polrelid = c.oid"
    ),
    (
        "SELECT 'rule', format('%I.%I %I', n.nspname, c.relname, r.rulename), pg_get_ruledef(r.oid)"
        f" FROM {_REL} JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename <> '_RETURN'"
    ),
    (
        "SELECT 'grants', format('%I.%I', n.nspname, c.relname),"
        " (SELECT string_agg(coalesce(g.rolname, 'PUBLIC') || '=' || privilege_type || is_grantable::text, ','"
        "    ORDER BY coalesce(g.rolname, 'PUBLIC') COLLATE \"C\", privilege_type)"
        "  FROM aclexplode(coalesce(c.relacl,"
        "   acldefault(CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r' END, c.relowner))) e"
        "  LEFT JOIN pg_roles g ON g.oid = e.grantee)"
        f" FROM {_REL} WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
    ),
    (
        "SELECT 'function', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),"
        " CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) ELSE p.prokind::text END"
        " || pg_get_userbyid(p.proowner)"
        f" FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND {_OURS}"
        f" WHERE {_NO_EXTENSION.format('pg_proc', 'p')}"
    ),
    (
        "SELECT 'type', format('%I.%I', n.nspname, t.typname),"
        " concat_ws('|', t.typtype, pg_get_userbyid(t.typowner), format_type(t.typbasetype, t.typtypmod),"
        "  (SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder)"
        "    FROM pg_enum WHERE enumtypid = t.oid),"
        "  (SELECT string_agg(pg_get_constraintdef(oid), ',' ORDER BY conname)"
        "    FROM pg_constraint WHERE contypid = t.oid AND contype <> 'n'))"
        f" FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND {_OURS}"
        f" WHERE t.typtype IN ('e', 'd', 'r') AND {_NO_EXTENSION.format('pg_type', 't')}"
    ),
    "SELECT 'event trigger', quote_ident(evtname), concat_ws('|', evtevent, evtenabled, evttags) FROM pg_event_trigger",
    (
        "SELECT 'publication', quote_ident(pubname), concat_ws('|', puballtables, pubinsert, pubupdate, pubdelete)"
        " FROM pg_publication"
    ),
    (
        "SELECT 'foreign server', quote_ident(srvname), concat_ws('|', srvtype, srvversion, srvoptions)"
        " FROM pg_foreign_server"
    ),
)


def structure(conn: Conn) -> dict[str, str]:
    """Return `kind identity` -> first half of the MD5 of its definition.

    Definitions are the server's own words; one that is written back and read again may be worded differently, so
    a missing object is a failure and another digest only a note.
    """
    query = (
        "SELECT kind || ' ' || identity, left(md5(coalesce(definition, '')), 16)"
        " FROM ({}) AS s (kind, identity, definition)"
    )
    rows = conn.execute(query.format(" UNION ALL ".join(_PARTS)).encode()).fetchall()
    return dict(sorted((row[0], row[1]) for row in rows))


def extensions(conn: Conn) -> dict[str, str]:
    """Return the extensions: name -> version."""
    return dict(conn.execute("SELECT extname, extversion FROM pg_extension ORDER BY 1").fetchall())


def roles(conn: Conn) -> dict[str, tuple[str, ...]]:
    """Return the roles that something in this database depends on: name -> attributes as `CREATE ROLE` spells them.

    A role that a setting or default privilege names is among them; what makes a role powerful over the whole
    server (SUPERUSER, REPLICATION, BYPASSRLS) is left out, so that no restore can hand it out.
    """
    rows = conn.execute(
        "SELECT rolname, rolcanlogin, rolcreatedb, rolcreaterole, rolinherit FROM pg_roles"
        " WHERE rolname !~ '^pg_' AND oid IN ("
        " SELECT refobjid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass"
        "  AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"
        "  AND (dbid <> 0 OR objid = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        " UNION SELECT datdba FROM pg_database WHERE datname = current_database()"
        " UNION SELECT setrole FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
        "  WHERE datname = current_database()"
        ") ORDER BY 1"
    ).fetchall()
    words = ("LOGIN", "CREATEDB", "CREATEROLE", "INHERIT")
    return {
        row[0]: tuple(word if has else f"NO{word}" for word, has in zip(words, row[1:], strict=True)) for row in rows
    }


def invalid_objects(conn: Conn) -> tuple[str, ...]:
    """Return the indexes and constraints that the server itself calls not valid."""
    rows = conn.execute(
        f"SELECT format('index %I.%I', n.nspname, c.relname) FROM {_REL}"
        " JOIN pg_index i ON i.indexrelid = c.oid WHERE NOT i.indisvalid"
        f" UNION ALL SELECT format('constraint %I.%I %I', n.nspname, c.relname, k.conname) FROM {_REL}"
        " JOIN pg_constraint k ON k.conrelid = c.oid WHERE NOT k.convalidated ORDER BY 1"
    ).fetchall()
    return tuple(row[0] for row in rows)


def broken_indexes(conn: Conn) -> tuple[str, ...]:
    """Check every B-tree index against its table where the server offers `amcheck`; return the first broken one.

    Touches:
        Nothing; the extension is made in a transaction that is rolled back.
    """
    offered = conn.execute("SELECT FROM pg_available_extensions WHERE name = 'amcheck'").fetchone()
    if offered is None:
        return ()
    with conn.transaction(force_rollback=True):
        conn.execute("CREATE SCHEMA pawpaw_amcheck")
        conn.execute("CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA pawpaw_amcheck")
        conn.execute("SET LOCAL search_path = pawpaw_amcheck")
        try:
            conn.execute(
                f"SELECT bt_index_check(c.oid, true) FROM {_REL}"
                " JOIN pg_index i ON i.indexrelid = c.oid AND i.indisvalid"
                " JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'"
                " WHERE c.relkind = 'i' AND c.relpersistence = 'p'"
            )
        except errors.IndexCorrupted as seen:
            return (str(seen.diag.message_primary),)
    return ()
