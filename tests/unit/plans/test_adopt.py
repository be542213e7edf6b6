"""Which statements bring a database to the roles of the stack, in which order, and how each is taken back."""

import re
from pathlib import Path

import pytest

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.roles import (
    APP_LOGINS,
    OWNER,
    ROLES,
    DefaultPrivilege,
    Found,
    ObjectSeen,
    Privilege,
    RoleSeen,
)
from pawpaw_ops.plans.adopt import plan_adoption
from pawpaw_ops.plans.secret_checks import POSTGRES_USERS

MAKE_ROLES = Path(__file__).parents[3] / "stack" / "postgres" / "bin" / "make-roles"
ENV = {"DB_USER": "postgres", "DB_PASSWORD": "x", **dict.fromkeys(POSTGRES_USERS, "y")}
SUPER = RoleSeen(name="postgres", words=frozenset({"LOGIN"}), has_password=True)
PLAIN = RoleSeen(name="tienda", words=frozenset({"LOGIN"}), has_password=True)


def found(**more: object) -> Found:
    """A database of the superuser `postgres` on which nothing was done yet."""
    base: dict[str, object] = {
        "database": "shop",
        "login": "postgres",
        "login_name": "postgres",
        "login_is_superuser": True,
        "roles": {"postgres": SUPER},
        "superusers": frozenset({"postgres"}),
    }
    return Found.model_validate(base | more)


def all_there() -> dict[str, RoleSeen]:
    """The roles as they are after an adoption."""
    made = {
        wanted.name: RoleSeen(
            name=wanted.name,
            words=frozenset(wanted.words.split()),
            member_of=(wanted.member_of,) if wanted.member_of else (),
            has_password=wanted.name not in {OWNER, APP_LOGINS[1]},
            works_as=OWNER if wanted.name in APP_LOGINS else "",
        )
        for wanted in ROLES
    }
    return made | {"postgres": SUPER}


def thing(kind: str, name: str, **more: object) -> ObjectSeen:
    return ObjectSeen.model_validate({"kind": kind, "name": name, "owner": "postgres", **more})


def test_the_roles_are_those_that_the_image_makes() -> None:
    """One truth: the names, the attributes and the order of stack/postgres/bin/make-roles."""
    rows = re.findall(r"^\s+\((\d), '(\w+)', '([^']+)'\)", MAKE_ROLES.read_text(), re.MULTILINE)
    assert [(name, words) for _, name, words in rows] == [(one.name, one.attributes) for one in ROLES]
    names = re.search(r"^passwords=\((.*)\)$", MAKE_ROLES.read_text(), re.MULTILINE)
    assert names is not None
    opened = {change.variable for change in plan_adoption(found(), ENV).changes if change.variable}
    assert opened == set(names[1].split())


def test_nothing_is_left_to_do_where_all_is_so() -> None:
    assert plan_adoption(found(roles=all_there()), {}).changes == ()


def test_after_a_rotation_neither_login_is_opened_again() -> None:
    """The one that is closed got a password that nobody knows."""
    roles = all_there()
    roles[APP_LOGINS[1]] = roles[APP_LOGINS[1]].model_copy(update={"has_password": True})
    assert plan_adoption(found(roles=roles), {"DB_USER": APP_LOGINS[1]}).changes == ()


def test_the_order_keeps_the_application_up() -> None:
    objects = (
        thing("view", "public.v"),
        thing("materialized view", "public.m"),
        thing("table", "public.t"),
        thing("schema", "ventas"),
        thing("database", "shop"),
    )
    lacking = (Privilege(kind="view", name="public.old", privilege="SELECT"),)
    login = {"login": "tienda", "login_name": "tienda", "login_is_superuser": False, "roles": {"tienda": PLAIN}}
    said = [change.do for change in plan_adoption(found(objects=objects, lacking=lacking, **login), ENV).changes]
    order = [
        f"CREATE ROLE {OWNER} NOLOGIN",
        f"GRANT {OWNER} TO tienda",
        f"GRANT SELECT ON TABLE public.old TO {OWNER}",
        f"ALTER DATABASE shop OWNER TO {OWNER}",
        f"ALTER SCHEMA ventas OWNER TO {OWNER}",
        f"ALTER TABLE public.t OWNER TO {OWNER}",
        f"ALTER VIEW public.v OWNER TO {OWNER}",
        f"ALTER MATERIALIZED VIEW public.m OWNER TO {OWNER}",
        "ALTER ROLE pawpaw_app_a LOGIN PASSWORD '…'",
    ]
    assert sorted(order, key=said.index) == order
    assert all("PASSWORD" in line for line in said[-5:])


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("aggregate", "ALTER ROUTINE public.x OWNER TO pawpaw_owner"),
        ("statistics object", "ALTER STATISTICS public.x OWNER TO pawpaw_owner"),
        ("large object", "ALTER LARGE OBJECT public.x OWNER TO pawpaw_owner"),
        ("text search dictionary", "ALTER TEXT SEARCH DICTIONARY public.x OWNER TO pawpaw_owner"),
    ],
)
def test_kinds_are_spelled_as_sql_spells_them(kind: str, statement: str) -> None:
    assert statement in {one.do for one in plan_adoption(found(objects=(thing(kind, "public.x"),)), ENV).changes}


def test_what_stays_is_named_and_not_moved() -> None:
    objects = (
        thing("event trigger", "watch"),
        thing("function", "public.f()", bound="SECURITY DEFINER"),
        thing("table", "others.t", owner="reportes", movable=False),
    )
    made = plan_adoption(found(objects=objects, notes={"policy p": "nombra"}), ENV)
    assert set(made.stays) == {"event trigger watch", "function public.f()", "table others.t", "policy p"}
    assert not [change for change in made.changes if "OWNER TO" in change.do]


def test_every_statement_has_one_that_takes_it_back() -> None:
    objects = (thing("table", "public.t", granted=(("SELECT", True), ('UPDATE ("a")', False))),)
    defaults = (
        DefaultPrivilege(schema_name="ventas", objects="TABLES", grantee="PUBLIC", privilege="SELECT"),
        DefaultPrivilege(schema_name="", objects="ROUTINES", grantee="PUBLIC", privilege="EXECUTE", taken=True),
    )
    undo = {one.do: one.undo for one in plan_adoption(found(objects=objects, defaults=defaults), ENV).changes}
    head = f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER}"
    assert undo[f"ALTER TABLE public.t OWNER TO {OWNER}"] == "ALTER TABLE public.t OWNER TO postgres"
    assert undo[f"REVOKE SELECT ON TABLE public.t FROM {OWNER}"] == (
        f"GRANT SELECT ON TABLE public.t TO {OWNER} WITH GRANT OPTION"
    )
    assert undo[f'REVOKE UPDATE ("a") ON TABLE public.t FROM {OWNER}'] == (
        f'GRANT UPDATE ("a") ON TABLE public.t TO {OWNER}'
    )
    assert undo[f"{head} IN SCHEMA ventas GRANT SELECT ON TABLES TO PUBLIC"] == (
        f"{head} IN SCHEMA ventas REVOKE SELECT ON TABLES FROM PUBLIC"
    )
    assert undo[f"{head} REVOKE EXECUTE ON ROUTINES FROM PUBLIC"] == f"{head} GRANT EXECUTE ON ROUTINES TO PUBLIC"
    assert undo["CREATE ROLE pawpaw_replicator LOGIN REPLICATION"] == "DROP ROLE IF EXISTS pawpaw_replicator"
    assert all(undo.values())


def test_roles_that_are_there_are_mended_and_no_more() -> None:
    roles = all_there()
    roles[OWNER] = RoleSeen(name=OWNER, words=frozenset({"LOGIN"}))
    roles["pawpaw_rotator"] = RoleSeen(name="pawpaw_rotator", words=frozenset({"LOGIN"}), has_password=True)
    roles["pawpaw_backup"] = RoleSeen(name="pawpaw_backup", words=frozenset({"LOGIN"}), has_password=True)
    assert {one.do: one.undo for one in plan_adoption(found(roles=roles), ENV).changes} == {
        f"ALTER ROLE {OWNER} NOLOGIN": f"ALTER ROLE {OWNER} LOGIN",
        "GRANT pg_read_all_data TO pawpaw_backup": "REVOKE pg_read_all_data FROM pawpaw_backup",
        "ALTER ROLE pawpaw_rotator CREATEROLE": "ALTER ROLE pawpaw_rotator NOCREATEROLE",
    }


def test_what_cannot_end_well_is_refused() -> None:
    with pytest.raises(PreconditionError, match="no DB_PASSWORD, REPLICATOR_DB_PASSWORD"):
        plan_adoption(found(), {**ENV, "DB_PASSWORD": "", "REPLICATOR_DB_PASSWORD": ""})
    with pytest.raises(PreconditionError, match="pawpaw_owner is a superuser"):
        plan_adoption(found(superusers=frozenset({OWNER})), ENV)
    login = PLAIN.model_copy(update={"inherits": False})
    with pytest.raises(PreconditionError, match="NOINHERIT"):
        plan_adoption(found(login_name="tienda", login_is_superuser=False, roles={"tienda": login}), ENV)
