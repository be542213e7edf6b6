"""What in a database has an owner of its own; nothing here changes anything.

Source: postgresql.org/docs/15/catalogs.html; functions-info.html (`pg_identify_object`, `aclexplode`).
"""

from pawpaw_ops.clients.postgres.connection import Conn
from pawpaw_ops.models.roles import OWNER, ObjectSeen

FIRST_OF_OURS = 16384
"""Smaller object ids are the server's own. Source: FirstNormalObjectId in access/transam.h."""

SYSTEM = "~ '^pg_(toast|temp_|catalog$)|^information_schema$'"
_CLASSES = (
    "SELECT 'pg_database'::regclass, oid, datdba, datacl, '' FROM pg_database WHERE datname = current_database()",
    (
        "SELECT 'pg_namespace'::regclass, oid, nspowner, nspacl, '' FROM pg_namespace"
        " WHERE oid >= %(first)s OR nspname = 'public'"
    ),
    # Sequences that belong to a column, indexes and toast tables follow their table. What a view reads stands in its
    # rule: dependencies on the server's own catalogues are not written down.
    (
        "SELECT 'pg_class'::regclass, c.oid, relowner, relacl, CASE WHEN relkind IN ('v', 'm') AND EXISTS ("
        r"  SELECT FROM pg_rewrite w CROSS JOIN regexp_matches(w.ev_action::text, ':relid (\d+)', 'g') m"
        "   JOIN pg_class r ON r.oid = m[1]::oid AND r.oid <> c.oid"
        "   LEFT JOIN pg_depend x ON x.classid = 'pg_class'::regclass AND x.objid = r.oid AND x.deptype = 'e'"
        "  WHERE w.ev_class = c.oid AND (r.oid < %(first)s OR x.objid IS NOT NULL)"
        "   AND NOT has_table_privilege('public', r.oid, 'SELECT'))"
        "  THEN 'lee lo que sólo un superusuario puede leer' ELSE '' END"
        " FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT (relkind = 'S' AND EXISTS ("
        "  SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid"
        "   AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')))"
    ),
    # Arrays follow their type, row types their table; multiranges follow their range since 17.
    (
        "SELECT 'pg_type'::regclass, t.oid, typowner, typacl, ''"
        " FROM pg_type t LEFT JOIN pg_class c ON c.oid = typrelid"
        " WHERE typtype IN ('e', 'd', 'r') OR (typtype = 'c' AND relkind = 'c')"
        " OR (typtype = 'm' AND current_setting('server_version_num')::int < 170000)"
        " OR (typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid))"
    ),
    (
        "SELECT 'pg_proc'::regclass, p.oid, proowner, proacl, CASE WHEN prosecdef AND rolsuper"
        " THEN 'corre con los derechos del superusuario (SECURITY DEFINER): revísela y cámbiela a mano' ELSE '' END"
        " FROM pg_proc p JOIN pg_roles o ON o.oid = proowner"
    ),
    (
        "SELECT 'pg_publication'::regclass, p.oid, pubowner, NULL, CASE WHEN puballtables {or_schemas}"
        "  THEN 'publica tablas que todavía no hay: sólo puede ser de un superusuario' ELSE '' END"
        " FROM pg_publication p"
    ),
    "SELECT 'pg_largeobject'::regclass, oid, lomowner, lomacl, '' FROM pg_largeobject_metadata",
    "SELECT 'pg_foreign_server'::regclass, oid, srvowner, srvacl, '' FROM pg_foreign_server",
    "SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner, fdwacl, '' FROM pg_foreign_data_wrapper",
    "SELECT 'pg_language'::regclass, oid, lanowner, lanacl, '' FROM pg_language",
    "SELECT 'pg_event_trigger'::regclass, oid, evtowner, NULL, '' FROM pg_event_trigger",
    "SELECT 'pg_extension'::regclass, oid, extowner, NULL, '' FROM pg_extension",
    (
        "SELECT 'pg_subscription'::regclass, oid, subowner, NULL, '' FROM pg_subscription"
        " WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ),
    "SELECT 'pg_operator'::regclass, oid, oprowner, NULL, '' FROM pg_operator",
    "SELECT 'pg_opclass'::regclass, oid, opcowner, NULL, '' FROM pg_opclass",
    "SELECT 'pg_opfamily'::regclass, oid, opfowner, NULL, '' FROM pg_opfamily",
    "SELECT 'pg_collation'::regclass, oid, collowner, NULL, '' FROM pg_collation",
    "SELECT 'pg_conversion'::regclass, oid, conowner, NULL, '' FROM pg_conversion",
    "SELECT 'pg_ts_dict'::regclass, oid, dictowner, NULL, '' FROM pg_ts_dict",
    "SELECT 'pg_ts_config'::regclass, oid, cfgowner, NULL, '' FROM pg_ts_config",
    "SELECT 'pg_statistic_ext'::regclass, oid, stxowner, NULL, '' FROM pg_statistic_ext",
)
_OR_SCHEMAS = "OR EXISTS (SELECT FROM pg_publication_namespace WHERE pnpubid = p.oid)"
"""Since 15 a publication may be of all tables of a schema."""
_OWNER_OF = {
    "pg_largeobject": ("pg_largeobject_metadata", "lomowner"),
    **{
        name: (name, f"{prefix}owner")
        for name, prefix in {
            "pg_namespace": "nsp",
            "pg_class": "rel",
            "pg_type": "typ",
            "pg_proc": "pro",
            "pg_publication": "pub",
            "pg_foreign_server": "srv",
            "pg_foreign_data_wrapper": "fdw",
            "pg_language": "lan",
            "pg_event_trigger": "evt",
            "pg_extension": "ext",
            "pg_subscription": "sub",
            "pg_operator": "opr",
            "pg_opclass": "opc",
            "pg_opfamily": "opf",
            "pg_collation": "coll",
            "pg_conversion": "con",
            "pg_ts_dict": "dict",
            "pg_ts_config": "cfg",
            "pg_statistic_ext": "stx",
        }.items()
    },
    "pg_database": ("pg_database", "datdba"),
}
"""Class of an object -> the catalogue and the column that have its owner."""
_OWNED = (
    "SELECT o.class::text, o.oid::int8, i.type, i.identity, quote_ident(r.rolname),"
    " r.rolsuper OR r.rolname = %(login)s, bound,"
    " ARRAY(SELECT privilege_type || ' ' || is_grantable FROM aclexplode(acl) e"
    "   JOIN pg_roles g ON g.oid = e.grantee AND g.rolname = %(owner)s ORDER BY 1),"
    " ARRAY(SELECT format('%%s (%%I) %%s', privilege_type, attname, is_grantable)"
    "   FROM pg_attribute a CROSS JOIN aclexplode(attacl) e"
    "   JOIN pg_roles g ON g.oid = e.grantee AND g.rolname = %(owner)s"
    "   WHERE o.class = 'pg_class'::regclass AND a.attrelid = o.oid ORDER BY 1)"
    f" FROM ({' UNION ALL '.join(_CLASSES)}) AS o (class, oid, who, acl, bound)"
    " JOIN pg_roles r ON r.oid = o.who AND r.rolname NOT IN (%(owner)s, 'pg_database_owner')"
    " CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) i"
    " WHERE (o.oid >= %(first)s OR o.class IN ('pg_namespace'::regclass, 'pg_database'::regclass))"
    f" AND coalesce(i.schema, '') !{SYSTEM} AND NOT (i.type = 'schema' AND i.identity {SYSTEM})"
    " AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = o.class AND x.objid = o.oid AND (x.deptype = 'e'"
    "  OR (x.deptype = 'i' AND o.class = 'pg_proc'::regclass)))"
    " ORDER BY 3, 4"
)


def owned(conn: Conn, login: str) -> tuple[ObjectSeen, ...]:
    """Return everything in the database that is not the owner-to-be's, the server's or an extension's.

    Args:
        conn: A session on the database.
        login: What is this one's or a superuser's may move.
    """
    row = conn.execute("SELECT to_regclass('pg_catalog.pg_publication_namespace') IS NOT NULL").fetchone()
    query = _OWNED.replace("{or_schemas}", _OR_SCHEMAS if row == (True,) else "")
    rows = conn.execute(query.encode(), {"login": login, "owner": OWNER, "first": FIRST_OF_OURS}).fetchall()
    return tuple(
        ObjectSeen(
            kind=row[2],
            name=row[3],
            owner=row[4],
            movable=row[5],
            bound=row[6],
            granted=tuple(_granted(words) for words in (*row[7], *row[8])),
            moved="SELECT {2} = '{3}'::regrole FROM {1} WHERE oid = {0}".format(row[1], *_OWNER_OF[row[0]], OWNER),
        )
        for row in rows
    )


def _granted(words: str) -> tuple[str, bool]:
    privilege, _, grantable = words.rpartition(" ")
    return privilege, grantable == "true"
