"""Runs of deployed verbs: start one and wait for its end, answer its question, see how all of them stand."""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

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
    LogFilter,
    LogFilterFlowRunId,
    WorkerFilter,
    WorkerFilterStatus,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse, SetStateStatus, StateAbortDetails, StateRejectDetails
from prefect.client.schemas.sorting import FlowRunSort, LogSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Cancelling
from prefect.utilities.urls import url_for

from deployments.apply import POOL, TAG
from deployments.server import POLL_S, SERVER_ERROR, patiently, server
from pawpaw_ops.errors import ConfigError, PreconditionError

NOT_FOUND = 404
Say = Callable[[str], None]


class Exit(IntEnum):
    """How a run ended, as an exit code; 2 is our own mistake."""

    COMPLETED = 0
    FAILED = 1
    CANCELLED = 3
    TIMED_OUT = 4
    NO_WORKER = 5


def trigger(
    name: str,
    parameters: Mapping[str, Any],
    *,
    idempotency_key: str = "",
    timeout_s: float = 14400.0,
    no_worker_s: float = 60.0,
    say: Say = print,
) -> Exit:
    """Start a run and wait for its end, through times when the server is away.

    Args:
        name: Deployment: `restore-db/prod`.
        parameters: Over the deployment's own.
        idempotency_key: The same key starts the same run only once.
        timeout_s: Longest wait; the run goes on when it is over.
        no_worker_s: How long nobody may take the run; it is cancelled then.
        say: Told each change of state.

    Raises:
        ConfigError: No such deployment or parameter.
        Unreachable: The server did not answer when the run was to be started, or for two minutes later.
    """
    with server() as client:
        deployment = _deployment(client, name)
        _check_parameters(deployment, parameters)
        run = _start(client, deployment, parameters, idempotency_key or str(uuid.uuid4()))
        say(f"{name} is run {run.id}: {url_for(run) or 'no UI is known'}")
        return _wait(client, name, run.id, timeout_s=timeout_s, no_worker_s=no_worker_s, say=say)


def _deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    try:
        return client.read_deployment_by_name(name)
    except (ObjectNotFound, ValueError) as seen:
        raise ConfigError(
            f"looked for the deployment {name!r} and there is none.",
            hint="`pawpaw status` shows them; `pawpaw apply` makes them.",
        ) from seen


def _check_parameters(deployment: DeploymentResponse, parameters: Mapping[str, Any]) -> None:
    known = (deployment.parameter_openapi_schema or {}).get("properties", {})
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise ConfigError(f"{', '.join(unknown)} is no parameter of this verb.", hint=f"Known are: {', '.join(known)}.")


def _start(
    client: SyncPrefectClient, deployment: DeploymentResponse, parameters: Mapping[str, Any], key: str
) -> FlowRun:
    try:
        return client.create_flow_run_from_deployment(
            deployment.id, parameters=dict(parameters), idempotency_key=key, tags=[TAG]
        )
    except PrefectHTTPStatusError as seen:
        if seen.response.status_code >= SERVER_ERROR:
            raise
        raise ConfigError(f"the server refused the parameters: {seen.response.json().get('detail')}.") from seen


def _wait(
    client: SyncPrefectClient, name: str, run_id: uuid.UUID, *, timeout_s: float, no_worker_s: float, say: Say
) -> Exit:
    began = time.monotonic()
    shown = ""
    while time.monotonic() - began < timeout_s:
        run = patiently(lambda: client.read_flow_run(run_id))
        state = run.state
        if state is not None and state.name != shown:
            shown = state.name or ""
            say(f"{name} {_told(run)}")
        if state is not None and state.is_final():
            if not state.is_completed():
                say(log_tail(client, run))
            return {StateType.COMPLETED: Exit.COMPLETED, StateType.CANCELLED: Exit.CANCELLED}.get(
                state.type, Exit.FAILED
            )
        if (
            state is not None
            and state.is_scheduled()
            and time.monotonic() - began > no_worker_s
            and not workers(client)
        ):
            client.set_flow_run_state(run.id, Cancelling())
            say(f"no worker of the pool {POOL} is online; the run was cancelled. Start one on the stack's host.")
            return Exit.NO_WORKER
        time.sleep(POLL_S)
    say(f"{name} has not ended within {timeout_s:g} s; it goes on.")
    return Exit.TIMED_OUT


def _told(run: FlowRun) -> str:
    state = run.state
    assert state is not None
    tail = f": {state.message}" if state.message else ""
    if state.is_paused():
        tail = f": approve or refuse it in the UI, or with `pawpaw approve {run.id}`"
    return f"is {state.name}{tail}"


def log_tail(client: SyncPrefectClient, run: FlowRun, *, lines: int = 30) -> str:
    """Return the last lines of a run's log."""
    only = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id]))
    found = client.read_logs(only, limit=lines, sort=LogSort.TIMESTAMP_DESC)
    return "\n".join(log.message for log in reversed(found))


def workers(client: SyncPrefectClient) -> list[str]:
    """Return the names of the workers that are online."""
    online = WorkerFilter(status=WorkerFilterStatus(any_=["ONLINE"]))
    try:
        return [worker.name for worker in client.read_workers_for_work_pool(POOL, worker_filter=online)]
    except ObjectNotFound:
        return []


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
