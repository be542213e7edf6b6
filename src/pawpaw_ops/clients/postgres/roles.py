"""Who may log in, who may do what in a database and who owns what; nothing here changes anything.

Source: postgresql.org/docs/15/catalogs.html; functions-info.html (`pg_identify_object`, `aclexplode`).
"""

from collections.abc import Sequence
from typing import Any

from pawpaw_ops.clients.postgres.connection import Conn
from pawpaw_ops.clients.postgres.ownership import FIRST_OF_OURS, SYSTEM, owned
from pawpaw_ops.models.roles import OWNER, ROLES, DefaultPrivilege, Found, Privilege, RoleSeen

_ALL = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
PUBLIC = "public"
_HELD = (
    (
        "SELECT 'pg_class'::regclass, c.oid, relowner, p, has_table_privilege(%(from)s::name, c.oid, p),"
        " has_table_privilege(%(to)s::name, c.oid, p) FROM pg_class c, unnest(%(table)s::text[]) p"
        " WHERE relkind IN ('r', 'p', 'v', 'm', 'f')"
    ),
    (
        "SELECT 'pg_class'::regclass, c.oid, relowner, p, has_sequence_privilege(%(from)s::name, c.oid, p),"
        " has_sequence_privilege(%(to)s::name, c.oid, p) FROM pg_class c,"
        " unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) p WHERE relkind = 'S'"
    ),
    (
        "SELECT 'pg_proc'::regclass, c.oid, proowner, 'EXECUTE',"
        " has_function_privilege(%(from)s::name, c.oid, 'EXECUTE'),"
        " has_function_privilege(%(to)s::name, c.oid, 'EXECUTE') FROM pg_proc c"
    ),
    (
        "SELECT 'pg_namespace'::regclass, c.oid, nspowner, p, has_schema_privilege(%(from)s::name, c.oid, p),"
        " has_schema_privilege(%(to)s::name, c.oid, p) FROM pg_namespace c, unnest(ARRAY['USAGE', 'CREATE']) p"
    ),
    (
        "SELECT 'pg_type'::regclass, c.oid, typowner, 'USAGE', has_type_privilege(%(from)s::name, c.oid, 'USAGE'),"
        " has_type_privilege(%(to)s::name, c.oid, 'USAGE') FROM pg_type c WHERE typtype <> 'p'"
    ),
    (
        "SELECT 'pg_foreign_server'::regclass, c.oid, srvowner, 'USAGE',"
        " has_server_privilege(%(from)s::name, c.oid, 'USAGE'),"
        " has_server_privilege(%(to)s::name, c.oid, 'USAGE') FROM pg_foreign_server c"
    ),
)
_LACKING = (
    "SELECT i.type, i.identity, p, r.rolsuper OR r.rolname IN (%(from)s, %(owner)s, 'pg_database_owner')"
    f" FROM ({' UNION ALL '.join(_HELD)}) AS h (class, oid, who, p, old, new) JOIN pg_roles r ON r.oid = who"
    " CROSS JOIN LATERAL pg_identify_object(h.class, h.oid, 0) i"
    " WHERE old AND NOT new AND (h.oid >= %(first)s OR (i.type = 'schema' AND i.identity = 'public'))"
    f" AND coalesce(i.schema, '') !{SYSTEM} AND NOT (i.type = 'schema' AND i.identity {SYSTEM})"
    " AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = h.class AND x.objid = h.oid AND x.deptype = 'e')"
    " ORDER BY 1, 2, 3"
)
_DEFAULTS = (
    "WITH d AS (SELECT coalesce(quote_ident(nspname), '') AS place, defaclobjtype AS t, defaclacl AS acl,"
    "  CASE defaclnamespace WHEN 0 THEN acldefault(CASE defaclobjtype WHEN 'S' THEN 's' ELSE defaclobjtype END,"
    "   defaclrole) END AS plain, defaclrole AS who"
    "  FROM pg_default_acl LEFT JOIN pg_namespace n ON n.oid = defaclnamespace"
    "  JOIN pg_roles r ON r.oid = defaclrole WHERE rolname = %(of)s),"
    " has AS (SELECT place, t, who, e.* FROM d, aclexplode(acl) e),"
    " had AS (SELECT place, t, who, e.* FROM d, aclexplode(plain) e),"
    " told AS ("
    "  SELECT has.*, false AS taken FROM has WHERE NOT EXISTS (SELECT FROM had WHERE had.place = has.place"
    "    AND had.t = has.t AND had.grantee = has.grantee AND had.privilege_type = has.privilege_type"
    "    AND had.is_grantable = has.is_grantable)"
    "  UNION ALL SELECT had.*, true FROM had WHERE NOT EXISTS (SELECT FROM has WHERE had.place = has.place"
    "    AND had.t = has.t AND had.grantee = has.grantee AND had.privilege_type = has.privilege_type))"
    " SELECT place, CASE t WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES'"
    "   WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END,"
    "  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, privilege_type, is_grantable,"
    "  taken FROM told WHERE grantee <> who AND (grantee = 0 OR pg_get_userbyid(grantee) <> %(owner)s)"
    " ORDER BY 1, 2, 3, 4"
)
_NOTES = (
    (
        "SELECT format('table %%s', oid::regclass), 'FORCE ROW LEVEL SECURITY: un superusuario no la obedece y el"
        " dueño nuevo sí' FROM pg_class WHERE relforcerowsecurity AND relkind IN ('r', 'p')"
    ),
    (
        "SELECT format('policy %%I of %%s', polname, polrelid::regclass), 'nombra al usuario de hoy' FROM pg_policy"
        " WHERE (SELECT oid FROM pg_roles WHERE rolname = %(login)s) = ANY (polroles)"
    ),
    (
        "SELECT format('user mapping for server %%I', srvname), 'es del usuario de hoy; haga otro para el dueño nuevo'"
        " FROM pg_user_mappings WHERE usename = %(login)s"
    ),
    # The names alone: a setting of an application may be a secret.
    (
        "SELECT format('setting %%s', split_part(one, '=', 1)), 'es del usuario de hoy (ALTER ROLE … SET);"
        " póngaselo a los dos usuarios nuevos' FROM pg_db_role_setting s, unnest(setconfig) one"
        " WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = %(login)s) AND setdatabase IN"
        " (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND split_part(one, '=', 1) <> 'role'"
    ),
)


def find(conn: Conn, login: str) -> Found:
    """Ask who owns what in the session's database; the session's role must be a superuser.

    Args:
        conn: A session on the database.
        login: Who the application logs in as.
    """
    row = conn.execute(
        "SELECT quote_ident(current_database()), quote_ident(%(login)s),"
        " coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = %(login)s), false)",
        {"login": login},
    ).fetchone()
    assert row is not None
    roles = read_roles(conn, login)
    objects = owned(conn, login)
    bound = {(one.kind, one.name) for one in objects if one.bound}
    lacks = lacking(conn, login, OWNER if OWNER in roles else PUBLIC)
    defaults = [set(_default_privileges(conn, of)) for of in (login, OWNER)]
    return Found(
        database=row[0],
        login=row[1],
        login_name=login,
        login_is_superuser=row[2],
        roles=roles,
        superusers=frozenset(one[0] for one in conn.execute("SELECT rolname FROM pg_roles WHERE rolsuper")),
        objects=objects,
        lacking=tuple(one for one in lacks if not one.movable or (one.kind, one.name) in bound),
        defaults=tuple(sorted(defaults[0] - defaults[1], key=lambda one: tuple(map(str, dict(one).values())))),
        notes=dict(conn.execute(" UNION ALL ".join(_NOTES).encode(), {"login": login}).fetchall()),
    )


def read_roles(conn: Conn, login: str) -> dict[str, RoleSeen]:
    """Return those of the wanted roles that there are, and the application's login."""
    rows = conn.execute(
        "SELECT rolname, rolcanlogin, rolcreaterole, rolreplication, rolinherit, rolpassword IS NOT NULL,"
        " ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = roleid WHERE member = a.oid),"
        " coalesce((SELECT substr(one, 6) FROM pg_db_role_setting s, unnest(setconfig) one"
        "  WHERE setrole = a.oid AND setdatabase = 0 AND starts_with(one, 'role=')), '')"
        " FROM pg_authid a WHERE rolname = ANY (%s)",
        ([login, *(wanted.name for wanted in ROLES)],),
    ).fetchall()
    words = ("LOGIN", "CREATEROLE", "REPLICATION")
    return {
        row[0]: RoleSeen(
            name=row[0],
            words=frozenset(word for word, has in zip(words, row[1:4], strict=True) if has),
            inherits=row[4],
            has_password=row[5],
            member_of=tuple(row[6]),
            works_as=row[7],
        )
        for row in rows
    }


def lacking(conn: Conn, holder: str, other: str) -> tuple[Privilege, ...]:
    """Return what one role may do in the database and another may not, but for the server's and extensions' objects."""
    rows: Sequence[tuple[Any, ...]] = conn.execute(
        _LACKING.encode(), {"from": holder, "to": other, "owner": OWNER, "table": list(_ALL), "first": FIRST_OF_OURS}
    ).fetchall()
    return tuple(Privilege(kind=row[0], name=row[1], privilege=row[2], movable=row[3]) for row in rows)


def _default_privileges(conn: Conn, of: str) -> tuple[DefaultPrivilege, ...]:
    rows = conn.execute(_DEFAULTS.encode(), {"of": of, "owner": OWNER}).fetchall()
    names = ("schema_name", "objects", "grantee", "privilege", "grantable", "taken")
    return tuple(DefaultPrivilege(**dict(zip(names, row, strict=True))) for row in rows)
