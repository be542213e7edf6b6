"""A team's database on a server of its own, an application that works on it throughout, and what the catalogues say."""

import contextlib
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql
from pydantic import SecretStr

from blocks import ComposeProject
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.models.roles import ROLES
from pawpaw_ops.plans.secret_checks import POSTGRES_USERS
from tests.integration.support_stack import Kit
from tests.waiting import wait_until

HERE = Path(__file__).parent
CATALOGS = {
    "pg_class": ("rel", "r"),
    "pg_namespace": ("nsp", "n"),
    "pg_proc": ("pro", "f"),
    "pg_type": ("typ", "T"),
    "pg_database": ("dat", "d"),
    "pg_largeobject_metadata": ("lom", "L"),
    "pg_operator": ("opr", ""),
    "pg_collation": ("coll", ""),
    "pg_statistic_ext": ("stx", ""),
    "pg_publication": ("pub", ""),
    "pg_event_trigger": ("evt", ""),
    "pg_extension": ("ext", ""),
}
"""Catalogue -> what its columns begin with, and its letter for `acldefault`."""
OWNER_COLUMNS = {"pg_database": "datdba"}
SHARED = (
    (
        "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit,"
        " rolpassword FROM pg_authid ORDER BY 1"
    ),
    "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members ORDER BY 1, 2",
    "SELECT setdatabase, setrole::regrole::text, setconfig FROM pg_db_role_setting ORDER BY 1, 2",
    (
        "SELECT defaclrole::regrole::text, defaclnamespace, defaclobjtype, defaclacl::text FROM pg_default_acl"
        " ORDER BY 1, 2, 3"
    ),
    (
        "SELECT attrelid::regclass::text, attname, ARRAY(SELECT x::text FROM aclexplode(attacl) x ORDER BY 1)"
        " FROM pg_attribute WHERE attacl IS NOT NULL AND attacl <> '{}' ORDER BY 1, 2"
    ),
)


class Team(Kit):
    """A stack whose application logs in as the owner of everything."""

    login, password = "postgres", SecretStr("")

    def settle(self, *, login: str = "postgres", database: str = "team") -> None:
        """Make the database from a template, the `.env` and the blocks."""
        self.login = login
        self.password = self.server.password if login == "postgres" else SecretStr("canary-of-the-shop")
        with self.server.postgres().admin() as conn:
            words = "CREATE DATABASE {} TEMPLATE {} OWNER {}"
            names = map(sql.Identifier, (self.database, database, login))
            conn.execute(sql.SQL(words).format(*names))
        folder = self.folder / "stack"
        folder.mkdir()
        (folder / "docker-compose.prod.yml").write_text("services: {}\n")
        self.env = {"DB_NAME": self.database, "DB_USER": login, "DB_PASSWORD": self.password.get_secret_value()}
        self.env |= {
            name: f"canary-{secrets.token_hex(8)}" for name in POSTGRES_USERS if name != "POSTGRES_BOOTSTRAP_PASSWORD"
        }
        self.tell()
        self.save_blocks(project=ComposeProject(folder=folder))

    def tell(self) -> None:
        """Write the `.env`."""
        text = "".join(f"{name}={value}\n" for name, value in self.env.items())
        (self.folder / "stack" / ".env").write_text(text)

    def remove(self) -> None:
        """Drop the roles too, which the server's other databases would see."""
        super().remove()
        with self.server.postgres().admin() as conn:
            for wanted in ROLES[::-1]:
                conn.execute(f"DROP ROLE IF EXISTS {wanted.name}".encode())

    def connect(self, user: str, password: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Log in the way an application does."""
        where = self.server.database()
        return psycopg.connect(
            host=where.host, port=where.port, dbname=self.database, user=user, password=password, autocommit=True
        )

    def catalogue(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all owners, privileges, default privileges and roles, to be compared."""
        found = {}
        for name, (prefix, letter) in CATALOGS.items():
            owner = OWNER_COLUMNS.get(name, f"{prefix}owner")
            acl = f"coalesce({prefix}acl, acldefault('{letter}', {owner}))" if letter else "NULL"
            if name == "pg_class":
                acl = f"coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", {owner}))"
            found[name] = self.sql(
                f"SELECT oid, {owner}, ARRAY(SELECT x::text FROM aclexplode({acl}) x ORDER BY 1) FROM {name} ORDER BY 1"
            )
        return found | {question: self.sql(question) for question in SHARED}


def load_team(server: DisposableServer) -> None:
    """Make the templates: `team` and `small` are the superuser's, `tienda` is a login's that is none."""
    with server.postgres().admin() as conn:
        for statement in (
            "CREATE ROLE tienda LOGIN PASSWORD 'canary-of-the-shop'",
            "CREATE ROLE reportes",
            "CREATE DATABASE team",
            "CREATE DATABASE small",
            "CREATE DATABASE tienda OWNER tienda",
        ):
            conn.execute(statement.encode())
    with server.postgres("team").connect() as conn:
        conn.execute((HERE / "team.sql").read_bytes())
        conn.execute((HERE / "superusers.sql").read_bytes())
        conn.execute(b"CREATE SCHEMA ajeno AUTHORIZATION reportes; CREATE TABLE ajeno.t (a int, s serial)")
        conn.execute(b"ALTER TABLE ajeno.t OWNER TO reportes")
    with server.postgres("tienda").connect() as conn:
        conn.execute(b"SET ROLE tienda")
        conn.execute((HERE / "team.sql").read_bytes())
    with server.postgres("small").connect() as conn:
        conn.execute(
            b'CREATE SCHEMA ventas; CREATE TABLE ventas."clientes \xc3\xb1" (id bigserial PRIMARY KEY);'
            b'INSERT INTO ventas."clientes \xc3\xb1" SELECT FROM generate_series(1, 20);'
            b"CREATE TABLE ventas.pedidos (id bigserial PRIMARY KEY, total int,"
            b' cliente bigint REFERENCES ventas."clientes \xc3\xb1" (id));'
            b"CREATE VIEW ventas.resumen AS SELECT cliente, sum(total) AS total FROM ventas.pedidos GROUP BY 1"
        )


class Shop:
    """The application: it writes orders and reads them, session after session, and remembers what was refused."""

    def __init__(self, team: Team) -> None:
        self.team, self.done, self.failed = team, 0, list[str]()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: self.done > 0 or bool(self.failed), "the application works")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, seen: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(psycopg.Error), self._session() as conn:
                for _ in range(20):
                    self._try(conn)

    @contextlib.contextmanager
    def _session(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        try:
            conn = self.team.connect(self.team.login, self.team.password.get_secret_value())
        except psycopg.Error as seen:
            self.failed.append(str(seen))
            raise
        with conn:
            conn.execute("SET statement_timeout = '5s'")
            yield conn

    def _try(self, conn: psycopg.Connection[tuple[Any, ...]]) -> None:
        try:
            conn.execute(
                'INSERT INTO ventas.pedidos (cliente, total) SELECT id, 1 FROM ventas."clientes ñ"'
                " ORDER BY random() LIMIT 1"
            )
            conn.execute("SELECT total FROM ventas.resumen LIMIT 1").fetchall()
            self.done += 1
        except psycopg.Error as seen:
            self.failed.append(str(seen))
