"""Start a deployed verb and wait for its end: what CI does, through times when the server is away."""

import contextlib
import re
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import FrameType
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelling
from prefect.utilities.urls import url_for

from deployments import run_log
from deployments.apply import POOL
from deployments.runs import workers
from deployments.server import POLL_S, SERVER_ERROR, patiently, server
from pawpaw_ops.clients.http import NO_ANSWER
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.lifecycle import TAG

CODE = re.compile(r"\[(?P<code>[a-z]+(?:-[a-z]+)*)\]\s*$")
"""How every error of ours ends."""
STOP_S = 120.0
"""How long a run that was told to stop may take to its next safe point before we leave it alone."""
Say = Callable[[str], None]


class Exit(IntEnum):
    """How a run ended, as an exit code; 2 is our own mistake."""

    COMPLETED = 0
    FAILED = 1
    CANCELLED = 3
    TIMED_OUT = 4
    NO_WORKER = 5
    UNDONE = 6
    HALF_DONE = 7


BY_CODE = {"undone": Exit.UNDONE, "half-done": Exit.HALF_DONE}


def trigger(
    name: str,
    parameters: Mapping[str, Any],
    *,
    idempotency_key: str = "",
    timeout_s: float = 14400.0,
    no_worker_s: float = 60.0,
    cancel_on_timeout: bool = False,
    say: Say = print,
) -> Exit:
    """Start a run and wait for its end.

    While it waits, the first SIGINT or SIGTERM asks the run to stop at its next safe point; the second leaves it alone.

    Args:
        name: Deployment: `deploy/prod`.
        parameters: Over the deployment's own.
        idempotency_key: The same key starts the same run only once; one that no worker ever took is started again.
        timeout_s: Longest wait; the run goes on when it is over.
        no_worker_s: How long nobody may take the run; it is cancelled then.
        cancel_on_timeout: Ask the run to stop when the wait is over.
        say: Told each change of state, and what the run writes.

    Raises:
        ConfigError: No such deployment or parameter.
        Unreachable: The server did not answer when the run was to be started, or refuses us.
        KeyboardInterrupt: The second signal came.
    """
    # Prefect's own client would ask again for a minute without a word; `patiently` says so, and does it for longer.
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), server() as client:
        deployment = find_deployment(client, name)
        _check_parameters(deployment, parameters)
        with _signals() as stop:
            run = _start(client, deployment, parameters, idempotency_key or str(uuid.uuid4()), say)
            say(f"{name} is run {run.id}: {url_for(run) or 'no UI is known'}")
            wait = Wait(client, name, run.id, deployment.work_pool_name or POOL, stop, say)
            return wait.for_end(timeout_s=timeout_s, no_worker_s=no_worker_s, cancel_on_timeout=cancel_on_timeout)


def find_deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    """Return a deployment by `verb/stack`.

    Raises:
        ConfigError: There is none.
    """
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
    client: SyncPrefectClient, deployment: DeploymentResponse, parameters: Mapping[str, Any], key: str, say: Say
) -> FlowRun:
    """Start a run, or find the one that this key started; one that ended before it began is no obstacle."""
    attempt = 1
    while True:
        run = _create(client, deployment, parameters, key if attempt == 1 else f"{key}#{attempt}", say)
        state = run.state
        if state is None or not state.is_final() or run.run_count > 0:
            return run
        attempt += 1


def _create(
    client: SyncPrefectClient, deployment: DeploymentResponse, parameters: Mapping[str, Any], key: str, say: Say
) -> FlowRun:
    def ask() -> FlowRun:  # the key makes a second request harmless
        return client.create_flow_run_from_deployment(
            deployment.id, parameters=dict(parameters), idempotency_key=key, tags=[TAG]
        )

    try:
        return patiently(ask, say=say)
    except PrefectHTTPStatusError as seen:
        if seen.response.status_code >= SERVER_ERROR:
            raise
        raise ConfigError(f"the server refused the parameters: {seen.response.json().get('detail')}.") from seen


@dataclass
class Wait:
    """Waits for one run.

    Attributes:
        stop: Set when a signal came.
    """

    client: SyncPrefectClient
    name: str
    run_id: uuid.UUID
    pool: str
    stop: threading.Event
    say: Say
    shown: str = ""
    asked: bool = False

    def for_end(self, *, timeout_s: float, no_worker_s: float, cancel_on_timeout: bool) -> Exit:
        """Wait until the run has ended, or the time is over, or nobody takes it."""
        began = time.monotonic()
        follow = run_log.Follow(self.client, self.run_id, self.say)
        ended = self._watch(follow, began + timeout_s, taken_by=began + no_worker_s)
        if ended is not None:
            return ended
        if not cancel_on_timeout:
            self.say(f"{self.name} has not ended within {timeout_s:g} s; it goes on.")
            return Exit.TIMED_OUT
        self.say(f"{self.name} has not ended within {timeout_s:g} s; it is asked to stop.")
        self._ask_to_stop()
        if self._watch(follow, time.monotonic() + STOP_S) is None:
            self.say(f"{self.name} has not stopped within {STOP_S:g} s; it will at its next safe point.")
        return Exit.TIMED_OUT

    def _watch(self, follow: run_log.Follow, until: float, *, taken_by: float = float("inf")) -> Exit | None:
        """Look at the run until it has ended; None when the time is over."""
        while (left_s := until - time.monotonic()) > 0:
            try:
                run = patiently(lambda: self._look(follow), patience_s=left_s, say=self.say)
            except NO_ANSWER:
                return None
            state = run.state
            if state is not None and state.is_final():
                return self._tell_end(follow, run, state)
            if state is not None and state.is_scheduled() and time.monotonic() > taken_by and self._nobody():
                return Exit.NO_WORKER
            if self.asked:
                time.sleep(POLL_S)
            elif self.stop.wait(POLL_S):
                self.say(f"{self.name} is asked to stop at its next safe point; a second signal leaves it alone.")
                self._ask_to_stop()
        return None

    def _look(self, follow: run_log.Follow) -> FlowRun:
        run = self.client.read_flow_run(self.run_id)
        if run.state is not None and run.state.name != self.shown:
            self.shown = run.state.name or ""
            self.say(f"{self.name} {_told(run, run.state)}")
        follow.show()
        return run

    def _tell_end(self, follow: run_log.Follow, run: FlowRun, state: State) -> Exit:
        if run.run_count > 0:
            patiently(follow.show_the_rest, say=self.say)
        if state.is_completed():
            return Exit.COMPLETED
        task, tail = patiently(lambda: run_log.failing_task(self.client, run), say=self.say)
        if task:
            self.say(f"{self.name}: the task “{task}” failed; the end of its log:\n{tail}")
        if state.type is StateType.CANCELLED:
            return Exit.CANCELLED
        code = CODE.search(state.message or "")
        return BY_CODE.get(code["code"], Exit.FAILED) if code else Exit.FAILED

    def _nobody(self) -> bool:
        """Whether nobody will take the run; it is cancelled then, so that it does not begin when nobody waits."""
        pool = self.client.read_work_pool(self.pool)
        if not pool.is_paused and workers(self.client, self.pool):
            return False
        self._ask_to_stop()
        why = f"the pool {self.pool} is paused" if pool.is_paused else f"no worker of the pool {self.pool} is online"
        self.say(f"{why}; the run was cancelled. Start one on the stack's host, or resume the pool.")
        return True

    def _ask_to_stop(self) -> None:
        self.asked = True
        patiently(lambda: self.client.set_flow_run_state(self.run_id, Cancelling()), say=self.say)


def _told(run: FlowRun, state: State) -> str:
    tail = f": {state.message}" if state.message else ""
    if state.is_paused():
        tail = f": approve or refuse it in the UI, or with `pawpaw approve {run.id}`"
    return f"is {state.name}{tail}"


@contextlib.contextmanager
def _signals() -> Iterator[threading.Event]:
    """Turn the first SIGINT or SIGTERM into an event and the second into an interrupt, where signals reach us."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def heard(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
