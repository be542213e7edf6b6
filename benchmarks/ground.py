"""The ground that both sides stand on: one PostgreSQL 15 set as in production, one Prefect server, one worker."""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.demo import world
from deployments.demo.home import Home
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.models.database import ClientTools

if TYPE_CHECKING:
    from tests.integration.support_stack import Kit

SETTINGS = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "max_wal_size": "2GB"}
SHOP = Path(__file__).parents[1] / "deployments" / "demo" / "shop.sql"
TOOLS = ClientTools(folder=Path("/usr/lib/postgresql/15/bin"))
Say = Callable[[str], None]


@dataclass(frozen=True)
class Ground:
    """What is up."""

    root: Path
    server: DisposableServer
    settings: dict[str, str]

    def bare(self, statement: str) -> list[tuple[object, ...]]:
        """Run SQL in the maintenance database and return the rows, if any."""
        with self.server.postgres().admin() as conn:
            cursor = conn.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def ground(*, say: Say) -> Iterator[Ground]:
    """Start everything; on the way out everything is ended and removed.

    Touches:
        A temporary folder, servers on loopback, and the Prefect settings in this process' environment.
    """
    root = Path(tempfile.mkdtemp(prefix="pawpaw-bench-"))
    root.chmod(0o755)
    home = Home(root / "demo", secrets.token_hex(8))
    home.begin()
    server = DisposableServer(root / "pg", tools=TOOLS, port=world.free_port(), settings=SETTINGS)
    try:
        server.initialise()
        server.start()
        make_shop(server, "shop", scale=1)
        settings = world.start_prefect(home)
        world.use(settings)
        world.apply_blocks(home, settings, server, say=say)
        yield Ground(root, server, settings)
    finally:
        home.end()
        server.remove()
        shutil.rmtree(root, ignore_errors=True)


def make_shop(server: DisposableServer, name: str, *, scale: int) -> None:
    """Make a shop. Its rows are known to be consistent, so they are inserted without firing the foreign keys."""
    with server.postgres().admin() as conn:
        conn.execute(f'CREATE DATABASE "{name}"'.encode())
    settings = {"shop.scale": str(scale), "session_replication_role": "replica"}
    with server.postgres(name).connect(settings=settings) as conn:
        conn.execute(SHOP.read_bytes())
        conn.execute("VACUUM ANALYZE")


@contextlib.contextmanager
def stack(ground: Ground, *, scale: int) -> Iterator["Kit"]:
    """Make a stack with a shop of its own; what it needs on disk and on the server goes with it."""
    from tests.integration.support_stack import Kit

    kit = Kit(ground.server, ground.root / f"stack-{scale}")
    kit.folder.mkdir()
    make_shop(ground.server, kit.database, scale=scale)
    kit.save_blocks()
    try:
        yield kit
    finally:
        kit.remove()


def drop_replaced(kit: "Kit") -> None:
    """Drop what restores left beside the live database, and what the server still has to write."""
    with kit.server.postgres().admin() as conn:
        for name in kit.databases():
            if name != kit.database:
                conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def settle(ground: Ground) -> None:
    """Let both sides begin alike: nothing dirty in the server or the system."""
    ground.bare("CHECKPOINT")
    os.sync()
