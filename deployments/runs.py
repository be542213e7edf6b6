"""Runs of deployed verbs: answer what one asks, see how all of them stand."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
    WorkerFilter,
    WorkerFilterStatus,
)
from prefect.client.schemas.objects import FlowRun, StateType, Worker
from prefect.client.schemas.responses import DeploymentResponse, SetStateStatus, StateAbortDetails, StateRejectDetails
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from deployments.apply import POOL
from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.lifecycle import TAG

HEARTBEAT_S = 30
MISSED = 3
"""A worker is gone after this many heartbeats that did not come, as Prefect's server counts."""
NOT_FOUND = 404


def workers(client: SyncPrefectClient, pool: str = POOL) -> list[str]:
    """Return the names of a pool's workers that are online and heard of.

    The server's mark alone is not enough: the service that takes it away does not run on every server.
    """
    online = WorkerFilter(status=WorkerFilterStatus(any_=["ONLINE"]))
    try:
        found = client.read_workers_for_work_pool(pool, worker_filter=online)
    except ObjectNotFound:
        return []
    return [worker.name for worker in found if _heard_of(worker)]


def _heard_of(worker: Worker) -> bool:
    every_s = worker.heartbeat_interval_seconds or HEARTBEAT_S
    return worker.last_heartbeat_time is not None and utc_now() - worker.last_heartbeat_time < timedelta(
        seconds=MISSED * every_s
    )


def waiting(client: SyncPrefectClient, text: str = "") -> FlowRun:
    """Return the run that waits for approval.

    Args:
        client: Of the server.
        text: Its id or name; empty means the only one.

    Raises:
        ConfigError: None, or several.
        PreconditionError: That run does not wait.
    """
    if run_id := _id(text):
        return _paused(client, run_id)
    found = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED])),
            name=FlowRunFilterName(any_=[text]) if text else None,
            tags=FlowRunFilterTags(all_=[TAG]),
        )
    )
    if len(found) != 1:
        names = "".join(f"\n  {run.id}  {run.name}" for run in found)
        raise ConfigError(
            f"looked for a run that waits for approval and found {len(found)}.{names}", hint="Name one by its id."
        )
    return found[0]


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _paused(client: SyncPrefectClient, run_id: uuid.UUID) -> FlowRun:
    try:
        run = client.read_flow_run(run_id)
    except ObjectNotFound as seen:
        raise ConfigError(f"there is no run {run_id}.") from seen
    if run.state is None or not run.state.is_paused():
        raise PreconditionError(
            f"{run.name} is {run.state.name if run.state else 'new'}; it does not wait for approval."
        )
    return run


def question(client: SyncPrefectClient, run: FlowRun) -> str:
    """Return what a waiting run asks, as markdown; empty when it asks nothing, or has not yet said what."""
    keys = run.state.state_details.run_input_keyset if run.state else None
    if not keys or "description" not in keys:
        return ""
    try:
        return str(json.loads(client.read_flow_run_input(run.id, keys["description"])))
    except PrefectHTTPStatusError as seen:
        if seen.response.status_code != NOT_FOUND:
            raise
        return ""  # a run is paused a moment before its question is stored


def answer(client: SyncPrefectClient, run: FlowRun, *, approve: bool, type_the_name: str) -> None:
    """Answer it.

    Raises:
        PreconditionError: The server does not take the answer; it says why.

    Touches:
        The run goes on: with a yes and the right name it does what it asked for, else it fails.
    """
    said = {"approve": approve, "type_the_name": type_the_name}
    result = client.resume_flow_run(run.id, run_input=said)
    if result.status is not SetStateStatus.ACCEPT:
        details = result.details
        reason = details.reason if isinstance(details, StateRejectDetails | StateAbortDetails) else result.status.value
        raise PreconditionError(f"{run.name} did not take the answer: {reason}.")


@dataclass(frozen=True)
class Standing:
    """How one deployment stands."""

    name: str
    last: FlowRun | None
    next_at: datetime | None


def standings(client: SyncPrefectClient) -> list[Standing]:
    """Return our deployments, by environment and verb, each with its newest run and its next scheduled one."""
    ours = client.read_deployments(deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])))
    flows = {flow_id: client.read_flow(flow_id).name for flow_id in {found.flow_id for found in ours}}
    return [
        Standing(
            name=f"{flows[found.flow_id]}/{found.name}",
            last=_first(client, found, begun=True),
            next_at=next_run.next_scheduled_start_time if (next_run := _first(client, found, begun=False)) else None,
        )
        for found in sorted(ours, key=lambda found: (found.name, flows[found.flow_id]))
    ]


def _first(client: SyncPrefectClient, deployment: DeploymentResponse, *, begun: bool) -> FlowRun | None:
    scheduled = [StateType.SCHEDULED]
    types = FlowRunFilterStateType(not_any_=scheduled) if begun else FlowRunFilterStateType(any_=scheduled)
    found: Sequence[FlowRun] = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=types)),
        sort=FlowRunSort.START_TIME_DESC if begun else FlowRunSort.NEXT_SCHEDULED_START_TIME_ASC,
        limit=1,
    )
    return found[0] if found else None
