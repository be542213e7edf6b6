from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.sorting import FlowRunSort

from deployments import runs
from deployments.apply import POOL, apply
from deployments.server import server
from deployments.trigger import Exit, trigger
from pawpaw_ops.errors import ConfigError, PreconditionError
from tests.integration.support_worker import running_worker
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("applied")
FILE = """
[blocks.postgres-database.demo]
name = "shop"
host = "127.0.0.1"
port = 9
[blocks.backup-store.demo]
folder = "{folder}/store"
[blocks.stack.demo]
state_dir = "{folder}/state"
database = "postgres-database/demo"
store = "backup-store/demo"
"""


@pytest.fixture(scope="module")
def applied(prefect_api: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "store").mkdir()
    path = folder / "blocks.toml"
    path.write_text(FILE.format(folder=folder), encoding="utf-8")
    apply(path, env={}, say=lambda _: None)
    with get_client(sync_client=True) as client:
        client.update_work_pool(POOL, WorkPoolUpdate(is_paused=False))
    return folder


@pytest.fixture(scope="module")
def worker(applied: Path) -> Iterator[None]:
    with running_worker("tests", applied / "worker.log", {"TMPDIR": str(applied)}):
        yield


def test_a_run_that_no_worker_takes_is_cancelled() -> None:
    said: list[str] = []
    assert trigger("list-backups/demo", {}, no_worker_s=1, say=said.append) is Exit.NO_WORKER
    with get_client(sync_client=True) as client:
        assert not runs.workers(client)
        newest = client.read_flow_runs(sort=FlowRunSort.EXPECTED_START_TIME_DESC)[0]
        assert newest.state is not None
        assert newest.state.is_cancelled()
    assert "no worker of the pool pawpaw is online" in said[-1]


def test_a_worker_that_is_no_longer_heard_of_counts_as_gone() -> None:
    with get_client(sync_client=True) as client:
        client.send_worker_heartbeat(POOL, "ghost", heartbeat_interval_seconds=1)
        assert "ghost" in runs.workers(client)
        wait_until(lambda: not runs.workers(client), "the worker that fell silent is gone")


def test_a_run_that_does_not_end_in_time_goes_on() -> None:
    said: list[str] = []
    assert trigger("list-backups/demo", {}, timeout_s=0.1, say=said.append) is Exit.TIMED_OUT
    assert "it goes on" in said[-1]


def test_an_unknown_deployment_is_refused() -> None:
    for name in ("paint-db/demo", "backup-db/mars", "backup-db"):
        with pytest.raises(ConfigError, match=name):
            trigger(name, {})


def test_unknown_and_unfit_parameters_are_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match="colour is no parameter"):
        trigger("backup-db/demo", {"colour": "red"})
    with pytest.raises(ConfigError, match="refused the parameters"):
        trigger("restore-db/demo", {"approval_timeout_h": "long"})


def test_nothing_waits_for_approval() -> None:
    with server() as client:
        for name in ("", "restore-demo-newest"):
            with pytest.raises(ConfigError, match="found 0"):
                runs.waiting(client, name)
        with pytest.raises(ConfigError, match="there is no run"):
            runs.waiting(client, "00000000-0000-4000-8000-000000000000")
        with pytest.raises(PreconditionError, match="does not wait for approval"):
            runs.waiting(client, str(client.read_flow_runs()[0].id))


@pytest.mark.usefixtures("worker")
def test_a_verb_runs_to_its_end_and_the_same_key_starts_it_once() -> None:
    first: list[str] = []
    again: list[str] = []
    assert trigger("list-backups/demo", {}, idempotency_key="ci-7", say=first.append) is Exit.COMPLETED
    assert trigger("list-backups/demo", {}, idempotency_key="ci-7", say=again.append) is Exit.COMPLETED
    # A server with its hands full is asked again, and that is said too.
    started = [[line for line in said if line.startswith("list-backups/demo is run ")] for said in (first, again)]
    assert len(started[0]) == 1
    assert started[0] == started[1]
    with server() as client:
        found = {one.name: one for one in runs.standings(client)}
    assert found["list-backups/demo"].last is not None
    assert found["backup-db/demo"].next_at is None


@pytest.mark.usefixtures("worker")
def test_a_verb_that_fails_shows_the_end_of_its_log() -> None:
    said: list[str] = []
    assert trigger("backup-db/demo", {}, say=said.append) is Exit.FAILED
    assert "127.0.0.1:9" in said[-1]
