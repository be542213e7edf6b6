"""A deployment whose runs do what a test says: no worker, the states are set by hand."""

import contextvars
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun, State

from tests.waiting import wait_until


class Puppet:
    """One deployment, `paint-…/lab`, in a pool of its own with a worker that takes nothing."""

    def __init__(self, client: SyncPrefectClient) -> None:
        self.client = client
        self.flow = f"paint-{secrets.token_hex(4)}"
        self.pool = f"lab-{secrets.token_hex(4)}"
        self.name = f"{self.flow}/lab"
        self.said: list[str] = []
        client.create_work_pool(WorkPoolCreate(name=self.pool, type="process"))
        flow_id = client.create_flow_from_name(self.flow)
        client.create_deployment(flow_id, "lab", work_pool_name=self.pool, parameter_openapi_schema={"properties": {}})

    def heartbeat(self) -> None:
        """Let a worker be online."""
        self.client.send_worker_heartbeat(self.pool, "idle")

    def runs(self) -> list[FlowRun]:
        """Return its runs."""
        return self.client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=[self.flow])))

    def run(self) -> FlowRun:
        """Return its only run, when there is one."""
        wait_until(lambda: bool(self.runs()), "a run is there")
        (found,) = self.runs()
        return found

    def set(self, state: State) -> None:
        """Set the state of its run."""
        self.client.set_flow_run_state(self.run().id, state, force=True)

    def state(self) -> str:
        """Return the name of its run's state."""
        found = self.run().state
        return (found.name if found else "") or ""

    def heard(self, text: str) -> None:
        """Wait until something was said."""
        wait_until(lambda: any(text in line for line in self.said), f"{text!r} is said")


def beside(work: Callable[[Puppet], None], puppet: Puppet) -> threading.Thread:
    """Do something to a deployment's run in a thread, with a client of its own and this test's settings."""

    def target() -> None:
        with get_client(sync_client=True) as client:
            twin = Puppet.__new__(Puppet)
            twin.__dict__.update(puppet.__dict__ | {"client": client})
            work(twin)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(target,))
    thread.start()
    return thread


def free_home(folder: Path) -> dict[str, str]:
    """Return the environment of a Prefect of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PREFECT_HOME": str(folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
