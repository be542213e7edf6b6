"""`pawpaw drain`: a worker is stopped when nothing of it runs."""

from collections.abc import Iterator

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.states import Completed, Paused, Pending, Running

from deployments.drain import drain
from pawpaw_ops.errors import ConfigError, PreconditionError
from tests.integration.support_runs import Puppet, beside


@pytest.fixture
def client(prefect_api: None) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as made:
        yield made


@pytest.fixture
def puppet(client: SyncPrefectClient) -> Puppet:
    """A deployment with one run that is only scheduled: no process has it yet."""
    made = Puppet(client)
    found = client.read_deployment_by_name(made.name)
    client.create_flow_run_from_deployment(found.id)
    return made


def test_what_is_scheduled_waits_in_the_paused_pool(client: SyncPrefectClient, puppet: Puppet) -> None:
    drain(client, timeout_s=0, say=puppet.said.append, pool=puppet.pool)
    assert client.read_work_pool(puppet.pool).is_paused
    assert puppet.said == [f"the pool {puppet.pool} is paused and nothing runs"]


def test_what_runs_ends_first(client: SyncPrefectClient, puppet: Puppet) -> None:
    puppet.set(Running())

    def script(run: Puppet) -> None:
        run.heard("(Running)")
        assert run.client.read_work_pool(run.pool).is_paused
        run.set(Completed())

    thread = beside(script, puppet)
    drain(client, timeout_s=60, say=puppet.said.append, pool=puppet.pool)
    thread.join()
    assert puppet.state() == "Completed"
    assert "nothing runs" in puppet.said[-1]


@pytest.mark.parametrize("state", [Pending(), Running(), Paused(timeout_seconds=600)], ids=lambda state: state.name)
def test_what_does_not_end_in_time_is_named(client: SyncPrefectClient, puppet: Puppet, state: State) -> None:
    """Also a run that waits for approval: its process goes with the worker."""
    puppet.set(state)
    with pytest.raises(PreconditionError, match=rf"{puppet.run().name} \({state.name}\)"):
        drain(client, timeout_s=0, say=puppet.said.append, pool=puppet.pool)
    assert client.read_work_pool(puppet.pool).is_paused


def test_a_pool_that_is_not_there_is_named(client: SyncPrefectClient) -> None:
    with pytest.raises(ConfigError, match="no work pool 'none'"):
        drain(client, timeout_s=0, say=print, pool="none")
