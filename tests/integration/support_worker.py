"""A worker of the tests' own server, which leaves no trace of itself there."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.settings import get_current_settings

from deployments.apply import POOL
from pawpaw_ops.commands import prefect
from pawpaw_ops.runner import LocalRunner


@contextmanager
def running_worker(name: str, log: Path, settings: Mapping[str, str] | None = None) -> Iterator[None]:
    """Resume the pool and run a worker for it.

    Its record goes with it: the tests' server does not run the service that marks silent workers as offline.
    """
    env = get_current_settings().to_environment_variables(exclude_unset=True) | dict(settings or {})
    with get_client(sync_client=True) as client:
        client.update_work_pool(POOL, WorkPoolUpdate(is_paused=False))
        process = LocalRunner().spawn(prefect.worker(sys.executable, pool=POOL, name=name, settings=env), log=log)
        try:
            yield
        finally:
            process.end(grace_s=15)
            client.request(
                "DELETE",
                "/work_pools/{work_pool_name}/workers/{name}",
                path_params={"work_pool_name": POOL, "name": name},
            )
