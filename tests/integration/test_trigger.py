"""`pawpaw trigger`: how it ends, whatever becomes of the run, of the pool, of the server and of itself."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Completed, Crashed, Failed, Running

from deployments import run_log
from deployments.trigger import CODE, Exit, trigger
from pawpaw_ops.clients.http import answers
from pawpaw_ops.commands import prefect
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import HalfDone, Undone
from pawpaw_ops.runner import LocalRunner, Process
from tests.e2e.support_shop import free_port
from tests.integration.support_runs import Puppet, beside, free_home
from tests.waiting import wait_until


@pytest.fixture
def puppet(prefect_api: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Puppet]:
    monkeypatch.setattr(run_log, "LAG_S", 0.0)  # no run sends lines
    with get_client(sync_client=True) as client:
        yield Puppet(client)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (Completed(), Exit.COMPLETED),
        (Failed(message="encountered an exception: StoreError: no [store]"), Exit.FAILED),
        (Failed(message="something [else] happened"), Exit.FAILED),
        (Crashed(message="its process is gone"), Exit.FAILED),
        (Cancelled(), Exit.CANCELLED),
        (Failed(message="Undone: it failed: no [store]. Look there. [undone]"), Exit.UNDONE),
        (Failed(message="HalfDone: between two states. [half-done]"), Exit.HALF_DONE),
    ],
    ids=lambda value: value.name,
)
def test_deploy_L1_every_end_has_an_exit_code_of_its_own(puppet: Puppet, end: State, code: Exit) -> None:
    def script(run: Puppet) -> None:
        run.set(Running())
        run.heard("is Running")
        run.set(end)

    thread = beside(script, puppet)
    assert trigger(puppet.name, {}, say=puppet.said.append) is code
    thread.join()


@pytest.mark.parametrize(("kind", "code"), [(Undone, "undone"), (HalfDone, "half-done")])
def test_an_error_of_ours_is_known_by_its_code_in_what_prefect_says(
    prefect_api: None, kind: type[Undone | HalfDone], code: str
) -> None:
    @flow
    def fails() -> None:
        raise kind("tried it: it said [store].", hint="Look.")

    state = fails(return_state=True)
    found = CODE.search(state.message or "")
    assert found is not None
    assert found["code"] == code


def test_deploy_D8_the_same_key_attaches_to_the_run_that_is_there(puppet: Puppet) -> None:
    def script(run: Puppet) -> None:
        run.set(Running())
        run.heard("is Running")
        run.set(Completed())

    thread = beside(script, puppet)
    assert trigger(puppet.name, {}, idempotency_key="job-1", say=puppet.said.append) is Exit.COMPLETED
    assert trigger(puppet.name, {}, idempotency_key="job-1", say=puppet.said.append) is Exit.COMPLETED
    thread.join()
    assert len(puppet.runs()) == 1


def test_deploy_L4_a_run_that_does_not_end_in_time_goes_on_unless_it_shall_not(puppet: Puppet) -> None:
    def script(run: Puppet) -> None:
        run.set(Running())
        run.heard("it goes on")
        run.heard("is asked to stop")
        wait_until(lambda: run.state() == "Cancelling", "the run is asked to stop")
        run.set(Cancelled())

    thread = beside(script, puppet)
    assert trigger(puppet.name, {}, idempotency_key="k", timeout_s=2, say=puppet.said.append) is Exit.TIMED_OUT
    assert puppet.state() == "Running"
    ended = trigger(puppet.name, {}, idempotency_key="k", timeout_s=0.5, cancel_on_timeout=True, say=puppet.said.append)
    assert ended is Exit.TIMED_OUT
    thread.join()
    assert puppet.state() == "Cancelled"


def test_deploy_L6_nobody_takes_a_run_of_a_pool_that_is_paused(puppet: Puppet) -> None:
    """Not even a worker that is online; and what never began is begun by the same key when the pool is resumed."""
    puppet.heartbeat()
    puppet.client.update_work_pool(puppet.pool, WorkPoolUpdate(is_paused=True))
    ended = trigger(puppet.name, {}, idempotency_key="k", no_worker_s=0.5, say=puppet.said.append)
    assert ended is Exit.NO_WORKER
    assert f"the pool {puppet.pool} is paused" in puppet.said[-1]
    assert puppet.state() == "Cancelled"
    puppet.client.update_work_pool(puppet.pool, WorkPoolUpdate(is_paused=False))
    assert trigger(puppet.name, {}, idempotency_key="k", timeout_s=0.5, say=puppet.said.append) is Exit.TIMED_OUT
    assert len(puppet.runs()) == 2


def test_deploy_L6_nobody_takes_a_run_without_a_worker(puppet: Puppet) -> None:
    assert trigger(puppet.name, {}, no_worker_s=0.5, say=puppet.said.append) is Exit.NO_WORKER
    assert f"no worker of the pool {puppet.pool} is online" in puppet.said[-1]
    assert puppet.state() == "Cancelled"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_deploy_E2_a_signal_asks_the_run_to_stop_and_waits(puppet: Puppet, number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def script(run: Puppet) -> None:
        run.set(Running())
        run.heard("is Running")
        os.kill(os.getpid(), number)
        wait_until(lambda: run.state() == "Cancelling", "the run is asked to stop")
        run.set(Cancelled())

    thread = beside(script, puppet)
    assert trigger(puppet.name, {}, say=puppet.said.append) is Exit.CANCELLED
    thread.join()
    assert signal.getsignal(number) is before


def test_deploy_E2_a_second_signal_leaves_the_run_alone(puppet: Puppet) -> None:
    """GitHub sends SIGINT, SIGTERM 7.5 seconds later, and kills then; the run ends by itself."""

    def script(run: Puppet) -> None:
        run.set(Running())
        run.heard("is Running")
        os.kill(os.getpid(), signal.SIGINT)
        wait_until(lambda: run.state() == "Cancelling", "the run is asked to stop")
        os.kill(os.getpid(), signal.SIGTERM)

    thread = beside(script, puppet)
    with pytest.raises(KeyboardInterrupt):
        trigger(puppet.name, {}, say=puppet.said.append)
    thread.join()
    assert puppet.state() == "Cancelling"


class Server:
    """A Prefect server that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.settings = free_home(folder) | {"PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
        self.process: Process | None = None
        self.others: list[Process] = []

    def ending(self, process: Process) -> Process:
        """End a process with this server, whatever becomes of the test."""
        self.others.append(process)
        return process

    def start(self) -> None:
        """Start it and wait until it answers."""
        line = prefect.server(sys.executable, port=self.port, settings=self.settings)
        self.process = LocalRunner().spawn(line, log=self.folder / "server.log")
        wait_until(lambda: answers(f"{self.url}/health"), "the server answers", deadline_s=180)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        if self.process is not None:
            self.process.end(grace_s=15, first=signal.SIGKILL)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    with temporary_settings({PREFECT_API_URL: made.url}):
        yield made
    for process in made.others:
        process.end()
    made.kill()


def _client(server: Server) -> SyncPrefectClient:
    assert PREFECT_API_URL.value() == server.url
    return get_client(sync_client=True)


def test_deploy_L3_a_server_that_goes_away_and_comes_back_changes_nothing(own_server: Server, tmp_path: Path) -> None:
    """The run ends while nobody can be asked; the command waits, and says how it ended."""
    log = tmp_path / "trigger.log"
    words = (sys.executable, "-P", "-m", "pawpaw_ops.cli", "trigger")
    with _client(own_server) as client:
        puppet = Puppet(client)
        line = Command(
            argv=(*words, puppet.name, "--idempotency-key", "job-7", "--timeout", "300"),
            env=free_home(tmp_path / "waiter") | {"PREFECT_API_URL": own_server.url},
            timeout_s=300,
        )
        waiter = own_server.ending(LocalRunner().spawn(line, log=log))
        puppet.set(Running())
        wait_until(lambda: "is Running" in log.read_text(), "the waiter follows the run")
    own_server.kill()
    wait_until(lambda: "does not answer" in log.read_text(), "the waiter notices")
    own_server.start()
    with _client(own_server) as client:
        puppet.client = client
        puppet.set(Failed(message="Undone: it failed [undone]"))
        wait_until(lambda: not waiter.alive(), "the waiter ends")
    assert waiter.popen.returncode == Exit.UNDONE
    assert "answers again" in log.read_text()
