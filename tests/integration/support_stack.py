"""A stack for a test: its database on a real server, its store, its blocks, and short ways to look at both."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from psycopg import sql
from pyrage import x25519

from blocks import BackupIdentity, BackupStore, ComposeProject, PostgresDatabase, Stack
from pawpaw_ops.clients.postgres import fingerprint
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.models.database import ClientTools, Fingerprint
from pawpaw_ops.models.stack import StackSettings
from tests.integration.support_limits import make_limit
from tests.waiting import wait_until

SHOP = Path(__file__).parents[2] / "deployments" / "demo" / "shop.sql"
DEADLINE_S = 30.0


def postgres_15() -> ClientTools:
    """Where Debian keeps PostgreSQL 15."""
    return ClientTools(folder=Path("/usr/lib/postgresql/15/bin"))


def load_shop(server: DisposableServer, name: str, *, scale: int = 1) -> None:
    """Make a database with the demo's shop in it."""
    with server.postgres().admin() as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with server.postgres(name).connect(settings={"shop.scale": str(scale)}) as conn:
        conn.execute(SHOP.read_bytes())


TINY = """
CREATE ROLE "tía's" NOLOGIN;
CREATE TABLE "un o" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "v%" text, d numeric, j jsonb);
CREATE TABLE dos (id int PRIMARY KEY, uno bigint REFERENCES "un o" (id), f float8, t timestamptz);
INSERT INTO "un o" ("v%", d, j) SELECT 'ñ' || n, n / 7.0, jsonb_build_object('n', n) FROM generate_series(1, 500) n;
INSERT INTO dos
    SELECT n, n, n / 3.0, timestamptz '2026-01-01 00:00Z' + n * interval '1 h' FROM generate_series(1, 300) n;
CREATE INDEX ON dos (uno);
CREATE VIEW v AS SELECT * FROM dos;
GRANT SELECT ON dos TO "tía's";
"""


def load_tiny(server: DisposableServer, name: str) -> None:
    """Make a database of two small tables, for tests that run a flow many times."""
    with server.postgres().admin() as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with server.postgres(name).connect() as conn:
        conn.execute(TINY.encode())


class Kit:
    """One test's stack."""

    def __init__(self, server: DisposableServer, folder: Path, *, database: str = "") -> None:
        self.server, self.folder = server, folder
        self.name = f"t{secrets.token_hex(4)}"
        self.database = database or f"shop_{self.name}"
        self.identity = x25519.Identity.generate()
        self.store_folder = folder / "store"
        self.state_dir = folder / "state"

    def create(self, *, template: str = "shop_template", **store: Any) -> None:
        """Make the database and the blocks."""
        with self.server.postgres().admin() as conn:
            conn.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(self.database), sql.Identifier(template)
                )
            )
        self.save_blocks(**store)

    def save_blocks(
        self,
        *,
        database: dict[str, Any] | None = None,
        project: ComposeProject | None = None,
        standby: DisposableServer | None = None,
        **store: Any,
    ) -> None:
        """Write the blocks, anew where they are there already."""
        login = self.server.database()
        fields = {
            "name": self.database,
            "host": login.host,
            "port": login.port,
            "user": login.user,
            "password": login.password,
            "tools_folder": self.server.tools.folder,
        }
        base = PostgresDatabase(**(fields | (database or {})))
        base.save(self.name, overwrite=True)
        kept = BackupStore(**({"folder": self.store_folder, "recipients": [str(self.identity.to_public())]} | store))
        kept.save(self.name, overwrite=True)
        BackupIdentity(identities=[str(self.identity)]).save(self.name, overwrite=True)
        replica = None
        if standby is not None:
            there = standby.database()
            replica = PostgresDatabase(**(fields | (database or {}) | {"host": there.host, "port": there.port}))
            replica.save(f"{self.name}-replica", overwrite=True)
        stack = Stack(state_dir=self.state_dir, database=base, store=kept, project=project, replica=replica)
        stack.save(self.name, overwrite=True)
        make_limit(self.name)

    def remove(self) -> None:
        """Drop every database of this test and its folder."""
        with self.server.postgres().admin() as conn:
            names = conn.execute(
                "SELECT datname FROM pg_database WHERE strpos(datname, %s) > 0", (self.name,)
            ).fetchall()
            for (name,) in names:
                conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        shutil.rmtree(self.folder, ignore_errors=True)

    def settings(self) -> StackSettings:
        """The stack as the flows see it."""
        return Stack.named(self.name).settings()

    def postgres(self, database: str = "") -> Postgres:
        """A way in to the live database, or another."""
        return self.server.postgres(database or self.database, run_id="test")

    def sql(self, statement: str, *, database: str = "") -> list[tuple[Any, ...]]:
        """Run SQL in the live database and return the rows, if any."""
        with self.postgres(database).connect() as conn:
            cursor = conn.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def prints(self, database: str = "") -> Fingerprint:
        """What the database holds now."""
        return fingerprint.take_now(self.postgres(database), jobs=2)

    def catalog(self, index: int = 0) -> Catalog:
        """The catalogue of one location."""
        settings = self.settings()
        return Catalog(locations(settings.store)[index], self.name, self.database)

    def databases(self) -> list[str]:
        """Names of all databases of this test."""
        with self.server.postgres().admin() as conn:
            rows = conn.execute(
                "SELECT datname FROM pg_database WHERE strpos(datname, %s) > 0 ORDER BY 1", (self.name,)
            ).fetchall()
        return [row[0] for row in rows]

    def preview(self) -> str:
        """What the last restore showed before it asked."""
        return self.shown(f"restore-preview-{self.name}")

    def shown(self, key: str) -> str:
        """What the newest artifact of that key says."""
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        with get_client(sync_client=True) as client:
            found = client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.UPDATED_DESC, limit=1)
        return found[0].description or ""

    def assert_clean(self) -> None:
        """Common post-conditions: no scratch, session, lock or unfinished journal of ours; live is open."""
        assert not list((self.state_dir / "staging").glob("*"))
        assert not list((self.state_dir / "journal").glob("*.jsonl"))
        assert (self.state_dir / "lock").read_bytes() == b""
        with self.server.postgres(run_id="look").admin() as conn:
            ours = (
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pawpaw-ops/%'"
                " AND application_name NOT IN ('pawpaw-ops/look', 'pawpaw-ops/test')"
            )
            # A server process ends a moment after its session was closed, or told to end.
            wait_until(lambda: conn.execute(ours).fetchone() == (0,), "no session of ours is left", deadline_s=10)
        assert self.sql("SELECT 1") == [(1,)]

    def assert_live_untouched(self, before: object) -> None:
        """Live holds what it held, no database is beside it, and nothing else of ours is left."""
        assert self.prints().tables == before
        assert self.databases() == [self.database]
        self.assert_clean()


def try_connect(kit: Kit, database: str) -> psycopg.Connection[Any]:
    """Connect the way an application does."""
    login = kit.server.database()
    return psycopg.connect(
        host=login.host,
        port=login.port,
        dbname=database,
        user=login.user,
        password=login.password.get_secret_value(),
        autocommit=True,
        connect_timeout=5,
    )


@contextlib.contextmanager
def locked_dump(kit: Kit) -> Iterator[None]:
    """Hold a table, while the block lasts, that a dump alone wants to lock: one without rows and partitions."""
    kit.sql("CREATE TABLE parted (a int) PARTITION BY RANGE (a)")
    with kit.postgres().connect() as conn, conn.transaction():
        conn.execute("LOCK TABLE parted IN ACCESS EXCLUSIVE MODE")
        yield


def waiting_dump(kit: Kit) -> None:
    """Wait until pg_dump waits for that table."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%'"
    wait_until(lambda: kit.sql(waiting, database="postgres") != [(0,)], "the dump waits for the lock", deadline_s=60)
