"""`pawpaw watch`: asks for a reconciliation of the gateway as soon as its files are no longer true, and only then.

It runs beside the worker for as long as the host does. What it may miss the schedule of `reconcile-gateway` finds.
"""

import contextlib
import hashlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from types import FrameType

from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from rich.console import Console

from blocks import Stack
from deployments.server import server
from deployments.trigger import find_deployment
from pawpaw_ops.clients.events import listen
from pawpaw_ops.clients.gateway import live_files
from pawpaw_ops.errors import OpsError, Unreachable
from pawpaw_ops.models.lifecycle import TAG
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans.reconcile import Drift
from pawpaw_ops.plans.upstreams import SERVICES
from pawpaw_ops.session.journal import holder_at_work
from pawpaw_ops.tasks.reconcile import find_drift

VERB = "reconcile-gateway"
Say = Callable[[str], None]


def ask_for(deployment: str, key: str) -> str:
    """Ask the Prefect server for a run, once, and return the run's name; the same key starts it once.

    Raises:
        ConfigError: There is no such deployment.
        Unreachable: The server did not answer, or refuses us.
    """
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), server() as client:
        found = find_deployment(client, deployment)
        return client.create_flow_run_from_deployment(found.id, idempotency_key=key, tags=[TAG]).name


@dataclass
class Watch:
    """Listens, looks, asks.

    Attributes:
        settings: The stack.
        say: Told what is done.
        ask: Asks for a run of a deployment, with an idempotency key; returns the run's name.
        settle_s: What happens within this time is looked at once.
        again_s: When to look again at what could not be asked for.
        longest_s: How long the engine is left alone at most, before it is tried again.
        looks: How often it has looked.
    """

    settings: StackSettings
    say: Say
    ask: Callable[[str, str], str] = ask_for
    settle_s: float = 1.0
    again_s: float = 5.0
    longest_s: float = 60.0
    looks: int = 0
    _heard: SimpleQueue[bool] = field(default_factory=SimpleQueue)
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def deployment(self) -> str:
        """What is asked for."""
        return f"{VERB}/{self.settings.name}"

    def stop(self) -> None:
        """Let it end; may be called from a handler of signals."""
        self._heard.put(False)

    def run(self) -> None:
        """Watch until it is stopped."""
        threading.Thread(target=self._listen, daemon=True).start()
        again_s: float | None = None
        while self._woken(again_s) and self._settled():
            again_s = self._look()
            self.looks += 1
        self._stop.set()

    def _woken(self, again_s: float | None) -> bool:
        try:
            return self._heard.get(timeout=again_s)
        except Empty:
            return True

    def _settled(self) -> bool:
        until = time.monotonic() + self.settle_s
        while (left_s := until - time.monotonic()) > 0:
            with contextlib.suppress(Empty):
                if not self._heard.get(timeout=left_s):
                    return False
        return True

    def _listen(self) -> None:
        """Wake the other thread; come back to an engine that went away, less and less often."""
        project, wait_s = self.settings.its_project(), 1.0

        def heard(what: str) -> None:
            nonlocal wait_s
            wait_s = 1.0
            self.say(what or f"listening to the engine of {project.name}")
            if self._heard.empty():  # one look answers any number of events
                self._heard.put(True)

        while not self._stop.is_set():
            try:
                listen(project.engine, project.name, SERVICES, heard)
            except Unreachable as seen:
                self.say(f"{seen.message} Trying again in {wait_s:g} s.")
            self._stop.wait(wait_s)
            wait_s = min(2 * wait_s, self.longest_s)

    def _look(self) -> float | None:
        """Hold the files against the containers; returns when to look again, None where the next event will do."""
        try:
            found = find_drift(self.settings)
            if not found.wrong:
                return None
            if verb := holder_at_work(self.settings.state_dir):
                self.say(f"{verb} is at work; what differs may be its own")
                return self.again_s
            self._ask(found)
        except OpsError as seen:
            self.say(f"{seen} Trying again in {self.again_s:g} s.")
            return self.again_s
        return None

    def _ask(self, found: Drift) -> None:
        """Ask for one run; the same difference from the same files starts it once."""
        files = live_files(self.settings.its_project())
        seen = json.dumps([files, found.wrong], sort_keys=True).encode()
        key = f"watch-{self.settings.name}-{hashlib.sha256(seen).hexdigest()[:32]}"
        name = self.ask(self.deployment, key)
        said = "; ".join(f"{service}: {why}" for service, why in found.wrong.items())
        self.say(f"{said}. Asked for {self.deployment}: {name}")


def watch(stack: str = "prod") -> None:
    """Ask for reconcile-gateway as soon as a replica has another address, and only then; ends on SIGTERM.

    Args:
        stack: Name of the Stack block, and of the deployment.
    """
    console = Console(highlight=False, markup=False)
    made = Watch(Stack.named(stack).settings(), say=lambda text: console.print(text, soft_wrap=True))
    with server() as client:
        find_deployment(client, made.deployment)
    with _stopped_by_signals(made):
        made.run()


@contextlib.contextmanager
def _stopped_by_signals(made: Watch) -> Iterator[None]:
    def heard(_number: int, _frame: FrameType | None) -> None:
        made.stop()

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
