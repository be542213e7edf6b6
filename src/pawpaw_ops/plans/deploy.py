"""Deciding what a deploy does: which containers come, which go, and what must not be touched."""

from collections.abc import Container, Iterable, Mapping, Sequence

from pydantic import Field

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.release import Release
from pawpaw_ops.plans.services import Kind, Service
from pawpaw_ops.plans.startup import Seen


class Roll(Noun):
    """What becomes of one rolling service.

    Attributes:
        keep: Ids of containers that are as they shall be.
        add: How many new ones are started beside.
        retire: Ids of containers that go when the new ones serve.
        dead: Ids of containers that do not run; Compose would count them, so they go first.
        why: What differs.
    """

    service: str
    keep: tuple[str, ...] = ()
    add: int = 0
    retire: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    why: str = ""

    @property
    def nothing(self) -> bool:
        """It is as it shall be."""
        return not (self.add or self.retire or self.dead)


class DeployPlan(Noun):
    """What a deploy does; all of it empty where there is nothing to do.

    Attributes:
        rolls: Rolling services that change.
        start: Services with no container at all: the first deploy, or one that was added.
        recreate: Singular services that changed and may be stopped for it.
        left: Singular services that changed and stay as they are -> why they cannot be rolled.
        orphans: Ids of containers whose service is no more.
        cold: Ids of warm replicas that are of no use to it; they end before new ones start.
    """

    rolls: tuple[Roll, ...] = ()
    start: tuple[str, ...] = ()
    recreate: tuple[str, ...] = ()
    left: dict[str, str] = Field(default_factory=dict)
    orphans: tuple[str, ...] = ()
    cold: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """There is nothing to do."""
        return not (self.rolls or self.start or self.recreate or self.orphans)


def plan_deploy(
    services: Iterable[Service],
    found: Iterable[Seen],
    *,
    hashes: Mapping[str, str],
    image_ids: Mapping[str, str],
    may_stop: Sequence[str] = (),
    warm: Container[str] = (),
) -> DeployPlan:
    """Hold what runs against what shall run.

    Args:
        services: Of the Compose file.
        found: Containers of the project.
        hashes: Service -> hash of its wanted settings.
        image_ids: Service -> id of the image that it shall run; one without is held against its settings alone.
        may_stop: Singular services that may be stopped and started again.
        warm: Ids of replicas that run without requests; those that are as wanted serve again.

    Raises:
        PreconditionError: *may_stop* names a service that there is not, or that can be rolled.
    """
    by_name = {one.name: one for one in services}
    _check_may_stop(by_name, may_stop)
    there: dict[str, list[tuple[Seen, str]]] = {name: [] for name in by_name}
    orphans, cold = [], []
    for one in found:
        if one.service not in there:
            orphans.append(one.id)
        elif (why := _differs(one, hashes, image_ids)) and one.id in warm:
            cold.append(one.id)
        else:
            there[one.service].append((one, why))
    of = {kind: [one for one in by_name.values() if one.kind is kind and there[one.name]] for kind in Kind}
    rolls = [_roll(service, there[service.name]) for service in of[Kind.ROLLING]]
    changed = [service for service in of[Kind.SINGULAR] if any(why for _, why in there[service.name])]
    return DeployPlan(
        rolls=tuple(roll for roll in rolls if not roll.nothing),
        start=tuple(name for name in by_name if not there[name] and by_name[name].kind is not Kind.ONCE),
        recreate=tuple(service.name for service in changed if service.name in may_stop),
        left={service.name: service.why for service in changed if service.name not in may_stop},
        orphans=tuple(orphans),
        cold=tuple(cold),
    )


def _check_may_stop(services: Mapping[str, Service], may_stop: Sequence[str]) -> None:
    singular = [name for name, service in services.items() if service.kind is Kind.SINGULAR]
    for name in may_stop:
        if name not in singular:
            raise PreconditionError(
                f"{name!r} is no service that must be stopped to change; those are {', '.join(singular)}."
            )


def _differs(one: Seen, hashes: Mapping[str, str], image_ids: Mapping[str, str]) -> str:
    """Return what is not as it shall be; empty where all is."""
    if image_ids.get(one.service, one.image) != one.image:
        return "image"
    return "" if hashes.get(one.service, one.config_hash) == one.config_hash else "settings"


def _roll(service: Service, found: list[tuple[Seen, str]]) -> Roll:
    """Replicas beyond the wanted number go as well, the youngest first."""
    dead = [one for one, _ in found if one.status not in {"running", "restarting"}]
    good = sorted((one for one, why in found if not why and one not in dead), key=lambda one: one.number)
    keep, surplus = good[: service.replicas], good[service.replicas :]
    old = [one for one, why in found if why and one not in dead]
    reasons = sorted({why for _, why in found if why})
    if not old and (surplus or len(keep) < service.replicas):
        reasons.append(f"{service.replicas} replicas are wanted")
    return Roll(
        service=service.name,
        keep=tuple(one.id for one in keep),
        add=service.replicas - len(keep),
        retire=tuple(one.id for one in (*old, *surplus)),
        dead=tuple(one.id for one in dead),
        why=" and ".join(reasons),
    )


def choose_rollback(ledger: Sequence[Release], to: str = "") -> Release:
    """Choose the release to go back to.

    Args:
        ledger: The stack's releases, oldest first; the last one serves.
        to: A release's id or a version; empty means the newest that was not left by a rollback and is another version.

    Raises:
        PreconditionError: There is none.
    """
    if not ledger:
        raise PreconditionError("no release is on record, so there is none to go back to.")
    current = ledger[-1]
    if to:
        for release in reversed(ledger[:-1]):
            if to in {release.id, release.version}:
                return release
        known = ", ".join(release.id for release in ledger[:-1]) or "none"
        raise PreconditionError(f"{to!r} is no earlier release of this stack; those are {known}.")
    left = {release.back_from for release in ledger}
    for release in reversed(ledger[:-1]):
        if release.version not in left | {current.version}:
            return release
    raise PreconditionError(
        f"no release before {current.id} is left that was not already gone back from.",
        hint="Name one with to=…, or deploy a new version.",
    )


def contracts_between(ledger: Sequence[Release], target: Release) -> tuple[str, ...]:
    """Return the releases after *target* that came with a migration which *target* cannot work with."""
    return tuple(release.id for release in ledger if release.number > target.number and release.contract)
