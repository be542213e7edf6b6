"""ROT-25: a team's database comes to the roles of the stack on a real server, while its application works."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flows.adopt_roles import adopt_roles
from pawpaw_ops.clients.postgres import roles as facts
from pawpaw_ops.commands.command import Command
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.errors import NotApproved, PreconditionError, Undone
from pawpaw_ops.models.roles import APP_LOGINS, OWNER
from pawpaw_ops.plans.adopt import Adoption, plan_adoption
from pawpaw_ops.plans.secret_checks import POSTGRES_USERS
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session import open_session
from pawpaw_ops.testing import at_entry
from tests.integration.support_adopt import Shop, Team, load_team
from tests.integration.support_canaries import files
from tests.integration.support_child import Child
from tests.integration.support_stack import postgres_15
from tests.waiting import SOAK

MOST_ENTRIES = 80
EVERY = 1 if SOAK else 7
"""Of statements and entries one in so many is where it fails; `make soak` takes each of them."""


@pytest.fixture(scope="module")
def server() -> Iterator[DisposableServer]:
    """A server of its own: roles belong to all databases of one."""
    root = Path(tempfile.mkdtemp(prefix="pawpaw-adopt-"))
    root.chmod(0o755)
    made = DisposableServer(root, tools=postgres_15(), settings={"fsync": "off", "wal_level": "logical"})
    try:
        made.initialise()
        made.start()
        load_team(made)
        yield made
    finally:
        made.remove()


@pytest.fixture
def team(prefect_api: None, server: DisposableServer, tmp_path: Path) -> Iterator[Team]:
    made = Team(server, tmp_path)
    yield made
    made.remove()
    shutil.rmtree(tmp_path, ignore_errors=True)


def planned(team: Team) -> Adoption:
    with team.postgres().connect() as conn:
        return plan_adoption(facts.find(conn, team.login), team.env)


def owners(team: Team) -> set[str]:
    """Who owns the relations, routines, types and schemas that are nobody's of the server or an extension's."""
    rows = team.sql(
        "SELECT DISTINCT o::regrole::text FROM ("
        " SELECT 'pg_class'::regclass, oid, relowner FROM pg_class UNION ALL"
        " SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc UNION ALL"
        " SELECT 'pg_type'::regclass, oid, typowner FROM pg_type UNION ALL"
        " SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace UNION ALL"
        " SELECT 'pg_largeobject_metadata'::regclass, oid, lomowner FROM pg_largeobject_metadata UNION ALL"
        " SELECT 'pg_database'::regclass, oid, datdba FROM pg_database WHERE datname = current_database()"
        ") AS x (class, id, o) WHERE id >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d"
        " WHERE d.classid = class AND d.objid = id AND d.deptype IN ('e', 'i'))"
    )
    return {row[0] for row in rows}


def test_rotate_ROT_25_what_is_shown_changes_nothing(team: Team) -> None:
    """A run without approval shows the plan; another plan than the approved one is refused."""
    team.settle(database="team")
    before = team.catalogue()
    assert adopt_roles(stack=team.name) == planned(team).id
    with pytest.raises(NotApproved, match="approved was the plan cafe"):
        adopt_roles(stack=team.name, approve=True, plan="cafe")
    assert team.catalogue() == before
    team.assert_clean()


def adopt_at_work(team: Team) -> None:
    """Adopt while the application writes and reads; nothing of it is refused."""
    with Shop(team) as shop:
        began = shop.done
        adopt_roles(stack=team.name, approve=True)
        worked = shop.done - began
    assert shop.failed == []
    assert worked > 0


def test_rotate_ROT_25_the_superusers_database(team: Team) -> None:
    """Nothing of the team's is the superuser's any more but what only one can have; whoever logged in still does."""
    team.settle(database="team")
    stays = planned(team).stays
    adopt_at_work(team)
    assert set(stays) == {
        "event trigger vigila",
        "publication todo",
        "function public.poder()",
        "view public.contras",
        "extension citext",
        "schema ajeno",
        "table ajeno.t",
    }
    left = team.sql(
        "SELECT oid::regclass::text FROM pg_class WHERE relowner = 10 AND oid >= 16384 AND relkind <> 't'"
        " AND relnamespace <> 'pg_toast'::regnamespace UNION ALL"
        " SELECT oid::regproc::text FROM pg_proc WHERE proowner = 10 AND oid >= 16384 AND NOT EXISTS ("
        "  SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype IN ('e', 'i'))"
    )
    assert {row[0] for row in left} == {"contras", "poder"}
    assert owners(team) == {OWNER, "postgres", "reportes"}
    for name in APP_LOGINS:
        assert team.sql(f"SELECT rolconfig FROM pg_roles WHERE rolname = '{name}'") == [([f"role={OWNER}"],)]
    works_as_the_application(team, APP_LOGINS[0])
    for variable, role in POSTGRES_USERS.items():
        if variable in team.env:
            with team.connect(role, team.env[variable]) as conn:
                assert conn.execute("SELECT session_user").fetchone() == (role,)
    with pytest.raises(psycopg.OperationalError):
        team.connect(OWNER, team.env["DB_PASSWORD"])
    team.assert_clean()


def test_rotate_ROT_25_a_second_run_has_nothing_to_do(team: Team) -> None:
    """Whoever the application logs in as by then."""
    team.settle(database="team")
    adopt_roles(stack=team.name, approve=True)
    after = team.catalogue()
    adopt_roles(stack=team.name, approve=True)
    assert team.catalogue() == after
    team.env["DB_USER"] = APP_LOGINS[0]
    team.tell()
    assert planned(team).changes == ()
    adopt_roles(stack=team.name, approve=True)
    assert team.catalogue() == after


def works_as_the_application(team: Team, user: str) -> None:
    """Do as a login what an application and its migrations do."""
    with team.connect(user, team.env["DB_PASSWORD"]) as conn:
        for statement in (
            "INSERT INTO ventas.pedidos (cliente, total) VALUES (1, 5)",
            "UPDATE ventas.pedidos SET total = 6 WHERE cliente = 1",
            "SELECT * FROM ventas.resumen",
            "REFRESH MATERIALIZED VIEW ventas.tablero",
            "SELECT nextval('folio'), solo_yo(), suma(1, 2)",
            "SELECT junta(1), todos(*)",
            "INSERT INTO _prisma_migrations VALUES ('x', now())",
            "ALTER TABLE ventas.pedidos ADD COLUMN nota text",
            "ALTER TYPE ventas.estado ADD VALUE 'enviado'",
            "CREATE TABLE ventas.nueva (a int)",
            'DELETE FROM ventas."clientes ñ" WHERE id = 1',
        ):
            conn.execute(statement.encode())
    rows = team.sql("SELECT relowner::regrole::text, relacl::text FROM pg_class WHERE relname = 'nueva'")
    assert rows[0][0] == OWNER
    assert "pg_monitor=r/" in rows[0][1], "what is made later has the privileges that it had before"


def test_rotate_ROT_25_as_the_superuser_could_so_can_the_application(team: Team) -> None:
    """What stays with its owner is granted: a view on a view that only a superuser may read, a table of others."""
    team.settle(database="team")
    adopt_roles(stack=team.name, approve=True)
    with team.connect(APP_LOGINS[0], team.env["DB_PASSWORD"]) as conn:
        for statement in (
            "SELECT n FROM cuantas",
            "SELECT * FROM contras",
            "SELECT poder()",
            "INSERT INTO ajeno.t (a) VALUES (1)",
        ):
            conn.execute(statement.encode())


def test_rotate_ROT_25_a_login_that_is_no_superuser(team: Team) -> None:
    """It becomes a member of the owner first, so that it loses nothing at any moment."""
    team.settle(login="tienda", database="tienda")
    adopt_at_work(team)
    assert owners(team) == {OWNER}
    works_as_the_application(team, APP_LOGINS[0])
    with team.connect("tienda", "canary-of-the-shop") as conn:
        conn.execute("ALTER TABLE ventas.pedidos ADD COLUMN más text")


class Injected(Exception):
    """What a test raises."""


def _fail() -> None:
    raise Injected


@pytest.mark.parametrize(("login", "database"), [("postgres", "team"), ("tienda", "tienda")])
def test_rotate_ROT_25_a_failure_at_each_statement(team: Team, login: str, database: str) -> None:
    """Before and after every one: the catalogues are as they were, and the application did not notice."""
    team.settle(login=login, database=database)
    before = team.catalogue()
    changes = planned(team).changes
    assert len(changes) > 25
    with Shop(team) as shop:
        for number, change in list(enumerate(changes))[::EVERY]:
            event = ("step", "done")[number % 2]
            with at_entry(event, change.do, _fail), pytest.raises(Undone):
                adopt_roles(stack=team.name, approve=True)
            assert team.catalogue() == before, f"{event} {change.do}"
            team.assert_clean()
        with at_entry("done", changes[-1].do, _fail), pytest.raises(Undone):
            adopt_roles(stack=team.name, approve=True)
    assert team.catalogue() == before
    assert shop.failed == []


def test_rotate_ROT_25_what_was_begun_by_hand_goes_back_to_that(team: Team) -> None:
    """An owner who could log in, and held privileges of its own, is so again after a failure."""
    team.settle(database="team")
    team.sql(
        f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE pawpaw_app_a; CREATE ROLE pawpaw_rotator LOGIN;"
        f"GRANT SELECT ON ventas.pedidos TO {OWNER} WITH GRANT OPTION;"
        f"GRANT UPDATE (total) ON ventas.pedidos TO {OWNER};"
        f"GRANT USAGE ON SCHEMA ventas TO {OWNER}; GRANT {OWNER} TO pg_monitor"
    )
    before = team.catalogue()
    last = planned(team).changes[-1]
    with at_entry("done", last.do, _fail), pytest.raises(Undone):
        adopt_roles(stack=team.name, approve=True)
    assert team.catalogue() == before
    adopt_roles(stack=team.name, approve=True)
    assert owners(team) == {OWNER, "postgres", "reportes"}
    team.sql(f"REVOKE {OWNER} FROM pg_monitor")


def test_rotate_ROT_25_a_table_that_somebody_holds(team: Team) -> None:
    """Who waits for a lock lets the others through; when it is never to be had, everything goes back."""
    team.settle(database="team")
    before = team.catalogue()
    with Shop(team) as shop, team.connect("postgres", team.password.get_secret_value()) as holder, holder.transaction():
        holder.execute("LOCK TABLE ventas.pedidos IN ACCESS SHARE MODE")
        with pytest.raises(Undone, match="always had it locked"):
            adopt_roles(stack=team.name, approve=True, patience_s=4)
        assert team.catalogue() == before
    assert shop.failed == []


def test_rotate_ROT_25_killed_at_every_entry(team: Team) -> None:
    """Whichever entry is the last, the next run of any verb leaves all old or all new."""
    team.settle(database="small")
    before = team.catalogue()
    seen: list[bool] = []
    log = str(team.folder / "child.log")
    with Shop(team) as shop:
        for entry in range(1, MOST_ENTRIES, EVERY):
            code = Child("adopt-roles", log, kill_entry=entry, stack=team.name, approve=True).wait()
            with open_session(team.settings(), verb="test", purpose="recover", run_id=f"recover-{entry}"):
                pass
            new = team.catalogue() != before
            seen.append(new)
            assert not new or planned(team).changes == (), f"entry {entry}"
            team.assert_clean()
            if new:
                break
            assert code == -signal.SIGKILL, Path(log).read_text()[-3000:]
        else:
            pytest.fail("adopting has more entries than expected")
    assert shop.failed == []
    assert seen.count(False) > 30 // EVERY


def test_rotate_ROT_25_the_roles_are_those_of_make_roles(team: Team, server: DisposableServer) -> None:
    """The image's own script finds nothing to make or to change after it."""
    team.settle(database="small")
    adopt_roles(stack=team.name, approve=True)
    after = team.catalogue()
    script = Path(__file__).parents[2] / "stack" / "postgres" / "bin" / "make-roles"
    run_script(script, team, server)
    assert team.catalogue() == after


def run_script(script: Path, team: Team, server: DisposableServer) -> None:
    """Run `make-roles` as the stack does, on this server."""
    where = server.database()
    env: dict[str, Any] = {**team.env, "DB_USER": APP_LOGINS[0], "PGHOST": where.host, "PGPORT": str(where.port)}
    env |= {"PGPASSWORD": where.password.get_secret_value(), "PATH": f"{postgres_15().folder}:/usr/bin:/bin"}
    LocalRunner().run(Command(argv=("bash", str(script)), env=env))


def test_rotate_ROT_25_no_password_is_left_anywhere(team: Team) -> None:
    """Neither Prefect, nor the journal and its records, nor the server's log has one."""
    team.settle(database="small")
    with team.server.postgres().admin() as conn:
        conn.execute(b"ALTER SYSTEM SET log_statement = 'all'")
        conn.execute(b"SELECT pg_reload_conf()")
    adopt_roles(stack=team.name, approve=True)
    places = {str(path): path.read_bytes() for path in files(team.state_dir)}
    places["log"] = team.server.log_text().encode()
    words = [team.env[name] for name in ("DB_PASSWORD", *POSTGRES_USERS) if name in team.env]
    assert [(word, where) for word in words for where, held in places.items() if word.encode() in held] == []
    assert b"pawpaw_rotator" in places["log"]
    assert any("journal/done" in where for where in places)


def test_rotate_ROT_25_a_missing_password_is_named_first(team: Team) -> None:
    """Nothing was begun."""
    team.settle(database="small")
    before = team.catalogue()
    del team.env["ROTATOR_DB_PASSWORD"]
    team.tell()
    with pytest.raises(PreconditionError, match="no ROTATOR_DB_PASSWORD"):
        adopt_roles(stack=team.name, approve=True)
    assert team.catalogue() == before


def test_rotate_ROT_25_what_changes_its_meaning_is_named(team: Team) -> None:
    """Policies that an owner obeys and a superuser does not, and settings of the login, by name and not by value."""
    team.settle(login="tienda", database="tienda")
    team.sql(
        "ALTER TABLE ventas.pedidos ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY mía ON ventas.pedidos TO tienda USING (true);"
        f"ALTER ROLE tienda IN DATABASE {team.database} SET app.key = 'canary-in-a-setting';"
        f"ALTER ROLE tienda IN DATABASE {team.database} SET search_path = ventas, public"
    )
    stays = planned(team).stays
    assert {what for what in stays if not what.startswith("extension")} == {
        "table ventas.pedidos",
        'policy "mía" of ventas.pedidos',
        "setting app.key",
        "setting search_path",
    }
    assert "canary-in-a-setting" not in str(stays)


def test_rotate_ROT_25_default_privileges_are_the_same(team: Team) -> None:
    """What everybody had taken away stays so, what somebody was given is given; nothing else is said."""
    team.settle(database="team")
    head = f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER}"
    said = [change.do.removeprefix(f"{head} ") for change in planned(team).changes if change.do.startswith(head)]
    assert sorted(said) == [
        "GRANT USAGE ON SEQUENCES TO pg_monitor WITH GRANT OPTION",
        "IN SCHEMA ventas GRANT SELECT ON TABLES TO pg_monitor",
        "REVOKE EXECUTE ON ROUTINES FROM PUBLIC",
        "REVOKE USAGE ON TYPES FROM PUBLIC",
    ]
    adopt_roles(stack=team.name, approve=True)
    same = (
        "SELECT defaclnamespace, defaclobjtype,"
        " ARRAY(SELECT replace(x::text, defaclrole::regrole::text, 'owner') FROM unnest(defaclacl) x ORDER BY 1)"
        " FROM pg_default_acl WHERE defaclrole = '{}'::regrole ORDER BY 1, 2"
    )
    assert team.sql(same.format(OWNER)) == team.sql(same.format("postgres"))
