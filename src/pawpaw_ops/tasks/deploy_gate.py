"""The gate before the switch: new replicas get requests when all of them work."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pawpaw_ops.clients.compose_project import watching
from pawpaw_ops.clients.http import probe
from pawpaw_ops.errors import VerificationError
from pawpaw_ops.plans.services import Service
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.session import Session
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.last_words import failed, fell
from pawpaw_ops.tasks.operation import operation

POLL_S = 0.2
OK = 200
Look = Callable[[Iterable[str]], dict[str, Seen]]


@dataclass(frozen=True)
class Gate:
    """What new replicas must show before they get requests.

    Attributes:
        deadline_s: How long they may take to be ready, in seconds.
        stable_s: How long they must stay so, in seconds.
        checked: Whether the engine must have found them healthy too. A release that has served before need not wait
            for the engine's next look: it says itself that it is ready, and gives a whole page.
    """

    deadline_s: float
    stable_s: float
    checked: bool = True


@operation("see that the new replicas work")
def gate(do: Session, wanted: Wanted, new: Sequence[Seen], limits: Gate) -> None:
    """Wait until every new container is healthy, says that it is ready, and stays so; all or nothing.

    Raises:
        VerificationError: One ended, was restarted, or was not ready in time: which, why, and its last words.

    Touches:
        Nothing; asks each for its readiness and for one whole page.
    """
    with watching(do.stack.its_project()) as look, ThreadPoolExecutor() as pool:
        found = _all_ready(do, wanted, new, limits, look=look, pool=pool)
        broken = list(pool.map(lambda one: _broken(wanted.service(one.service), one), found))
    for one, said in zip(found, broken, strict=True):
        if said:
            raise failed(do, [one], f"{one.name} {fell(do, one) or f'is ready and does not work: {said}'}")


def _all_ready(
    do: Session, wanted: Wanted, new: Sequence[Seen], limits: Gate, *, look: Look, pool: ThreadPoolExecutor
) -> list[Seen]:
    """Wait until all are ready and have stayed so; returns how they were seen last."""
    until, since, seen = time.monotonic() + limits.deadline_s, 0.0, ""
    while True:
        there = look(one.id for one in new)
        if gone := [one.name for one in new if one.id not in there]:
            raise VerificationError(f"somebody removed {', '.join(gone)}.")
        found = [there[one.id] for one in new]
        for one in found:
            _check_alive(do, one)
        waits = pool.map(lambda one: _not_ready(wanted.service(one.service), one, checked=limits.checked), found)
        seen = next(filter(None, waits), "")
        now = time.monotonic()
        since = 0.0 if seen else since or now
        if since and now - since >= limits.stable_s:
            return found
        if now > until:
            raise _late(do, found, f"not every new replica is ready after {limits.deadline_s:g} s: {seen}")
        time.sleep(POLL_S)


def _broken(service: Service, one: Seen) -> str:
    """Return what is wrong with a whole page of it; empty where nothing is, or where it has none."""
    status, said = probe(f"http://{one.address}:{service.port}{service.smoke}") if service.served else (OK, "")
    return "" if status == OK else said


def _check_alive(do: Session, one: Seen) -> None:
    if one.status in {"exited", "dead"} or one.restarts or one.health == "unhealthy":
        raise failed(do, [one], f"{one.name} {fell(do, one) or 'is unhealthy'}")


def _not_ready(service: Service, one: Seen, *, checked: bool) -> str:
    """Return what is still missing; empty when it may get traffic."""
    if one.status != "running" or ((checked or not service.served) and one.health not in {"", "healthy"}):
        return f"{one.name} is {one.health or one.status}"
    if not service.served:
        return "" if one.up else f"{one.name} has just been started"
    status, said = probe(f"http://{one.address}:{service.port}{service.ready}")
    return "" if status == OK else f"{one.name}: {said}"


def _late(do: Session, found: Sequence[Seen], why: str) -> VerificationError:
    """Say who was not ready in time; where the engine's own check is what it waits for, what that found last."""
    checks = [f"{one.name} {said}" for one in found if one.health == "starting" and (said := fell(do, one))]
    return failed(do, found, "; ".join([why, *checks]))
