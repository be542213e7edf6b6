"""Deciding what may go from an engine: arithmetic of sets, over what is there and what is on record.

Everything starts out protected by not being ours. What is left over is used by nobody, pinned by nobody, and nothing to
go back to.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.inventory import Image, Inventory, OneOff, Sighting
from pawpaw_ops.models.release import Build, Release

PIN = "keep"
"""A tag that begins so keeps an image for ever: `docker tag ID pawpaw-backend:keep-black-friday`."""

UNUSED, LAYER = "nadie la usa, ni se volvería a ella", "capa que dejó una compilación"


class Records(Noun):
    """What the stack has on record.

    Attributes:
        repositories: Names, without a tag, that only this stack's builds have.
        wanted: References that the `.env` and the Compose file name.
        needed: References that a deploy under way will run; they may be of any age, and of no kept release or build.
    """

    ledger: tuple[Release, ...]
    builds: tuple[Build, ...]
    repositories: frozenset[str]
    wanted: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()


class Limits(Noun):
    """How much is kept beside what serves: releases to go back to, newest builds, and what is young."""

    releases: int = 3
    builds: int = 3
    min_age: timedelta = timedelta(hours=48)


class Going(Noun):
    """One image that goes, by the names that it had when it was shown."""

    id: str
    names: tuple[str, ...]
    size_bytes: int
    own_bytes: int | None
    why: str


class PrunePlan(Noun):
    """What goes, in this order, and why the others of ours stay.

    Attributes:
        images: Those that go; an image comes before what it was built on.
        one_offs: Ended containers that go.
        kept: Id -> why, of our images alone.
    """

    images: tuple[Going, ...] = ()
    one_offs: tuple[OneOff, ...] = ()
    kept: Mapping[str, str] = {}

    @property
    def nothing(self) -> bool:
        """Nothing goes."""
        return not self.images and not self.one_offs

    @property
    def frees_bytes(self) -> int:
        """What at least comes free: layers that two of them share with each other alone are not in it."""
        return sum(one.size_bytes if one.own_bytes is None else one.own_bytes for one in self.images)

    @property
    def id(self) -> str:
        """Tells this plan from any other."""
        words = [f"{one.id} {' '.join(one.names)}" for one in self.images] + [one.id for one in self.one_offs]
        return hashlib.sha256("\n".join(sorted(words)).encode()).hexdigest()[:12]


def repository(name: str) -> str:
    """Return a name without its tag or digest: `localhost:5000/paw/api:1` -> `localhost:5000/paw/api`."""
    path = name.partition("@")[0]
    head, colon, tag = path.rpartition(":")
    return head if colon and "/" not in tag else path


def kept_releases(ledger: Sequence[Release], count: int) -> tuple[Release, ...]:
    """Return the release that serves and the newest *count* others that one may go back to.

    Those that a rollback left are no way back; two releases of the same images are one.

    Raises:
        PreconditionError: No release is on record, so that nothing can be told to be superfluous.
    """
    if not ledger:
        raise PreconditionError(
            "no release is on record, so it cannot be told which images are needed to go back; nothing was removed.",
            hint="Deploy once; if releases.jsonl was lost, bring it back from a backup first.",
        )
    left = {release.back_from for release in ledger} - {""}
    kept = [ledger[-1]]
    for release in reversed(ledger[:-1]):
        if len(kept) > count:
            break
        if release.version not in left and all(release.images != other.images for other in kept):
            kept.append(release)
    return tuple(kept)


def check_known(inventory: Inventory, records: Records) -> None:
    """Refuse an inventory that cannot be whole: what serves now is on the engine, or we look at another one.

    Raises:
        PreconditionError: It lacks an image of the newest release.
    """
    known = {ref for image in inventory.images for ref in (image.id, *image.names, *image.digests)}
    serving = kept_releases(records.ledger, 0)[0]
    missing = sorted(set(serving.images.values()) - known)
    if missing:
        raise PreconditionError(
            f"the engine lacks {', '.join(missing)} of the release {serving.id} that serves; nothing was removed.",
            hint="Is this the stack's engine? Is releases.jsonl this stack's?",
        )


def see(inventory: Inventory, before: Mapping[str, Sighting], records: Records, now: datetime) -> dict[str, Sighting]:
    """Return the sightings as they are to be remembered: of what is or was ours, and of what it was built on.

    One that is gone is forgotten. A build's or release's own date counts as a sighting, since it was made here.
    """
    made: dict[str, datetime] = {}
    for build in records.builds:
        made |= {one.id: min(build.built_at, made.get(one.id, build.built_at)) for one in build.images}
    by_id = {image.id: image for image in inventory.images}
    watched = {image.id for image in inventory.images if image.id in before or _of_us(image, before, records)}
    watched |= {above for image in tuple(watched) for above in _ancestors(image, by_id)}
    found = {}
    for image_id in watched:
        old = before.get(image_id)
        times = [one for one in (old.at if old else None, made.get(image_id)) if one is not None]
        names = sorted(_names(by_id[image_id], before))
        found[image_id] = Sighting(at=min(times, default=now), names=tuple(names))
    return found


def plan_prune(
    inventory: Inventory, sightings: Mapping[str, Sighting], records: Records, limits: Limits, now: datetime
) -> PrunePlan:
    """Decide what may go.

    Args:
        inventory: What the engine has.
        sightings: As `see` returned them.
        records: What is on record.
        limits: How much is kept.
        now: The time; a sighting after it protects.

    Raises:
        PreconditionError: The records do not say enough.
    """
    check_known(inventory, records)
    ours = {image.id: image for image in inventory.images if _of_us(image, sightings, records)}
    protected = _protected(inventory, records, limits)
    kept = {one.id: why for one in ours.values() if (why := _why_kept(one, protected, sightings, now - limits.min_age))}
    free = {*ours} - {*kept}
    going = _carrying_nothing(free | _layers(free, inventory, sightings, {*ours}), inventory)
    kept |= dict.fromkeys(free - going, "otra imagen se apoya en ella")
    by_id = {image.id: image for image in inventory.images}
    order = sorted(going, key=lambda one: (-len(_ancestors(one, by_id)), one))
    return PrunePlan(
        images=tuple(_going(by_id[one], LAYER if one not in ours else UNUSED) for one in order),
        one_offs=tuple(one for one in inventory.one_offs if one.created_at + limits.min_age < now),
        kept=kept,
    )


def lost_otherwise(inventory: Inventory, records: Records, limits: Limits) -> tuple[str, ...]:
    """Return the releases to go back to that `docker system prune -a` would take: it leaves what runs alone."""
    return tuple(
        release.id
        for release in kept_releases(records.ledger, limits.releases)
        if not {*_ids(inventory, release)} <= inventory.running
    )


def _ids(inventory: Inventory, release: Release) -> Iterator[str]:
    wanted = {*release.images.values()}
    return (image.id for image in inventory.images if wanted & {image.id, *image.names, *image.digests})


def _names(image: Image, sightings: Mapping[str, Sighting]) -> set[str]:
    seen = sightings.get(image.id)
    return {*image.names, *(seen.names if seen else ())}


def _of_us(image: Image, sightings: Mapping[str, Sighting], records: Records) -> bool:
    """Whether it is this stack's and nobody else's: a single name of another's makes it theirs too."""
    names = _names(image, sightings)
    if any(repository(name) not in records.repositories for name in (*names, *image.digests)):
        return False
    recorded = {one.id for build in records.builds for one in build.images}
    recorded |= {ref for release in records.ledger for ref in release.images.values()}
    return bool(names) or bool(recorded & {image.id, *image.digests})


def _protected(inventory: Inventory, records: Records, limits: Limits) -> dict[str, str]:
    """Return reference -> why it stays."""
    newest = sorted(records.builds, key=lambda build: build.built_at, reverse=True)[: limits.builds]
    found = dict.fromkeys(records.needed, "la necesita el despliegue que está en curso")
    found |= dict.fromkeys(records.wanted, "la nombra el .env o el archivo de Compose")
    found |= {image_id: f"contenedor {name}" for image_id, name in inventory.used.items()}
    found |= {one.id: f"compilación {build.version}" for build in newest for one in build.images}
    for release in reversed(kept_releases(records.ledger, limits.releases)):
        found |= dict.fromkeys(release.images.values(), f"versión {release.id}")
    return found


def _why_kept(image: Image, protected: Mapping[str, str], sightings: Mapping[str, Sighting], before: datetime) -> str:
    """Return what protects an image; empty where nothing does."""
    for ref in (image.id, *image.names, *image.digests):
        if ref in protected:
            return protected[ref]
    if any(name.rpartition(":")[2].startswith(PIN) for name in image.names):
        return "fijada por su etiqueta"
    seen = sightings.get(image.id)
    return "llegó hace poco" if seen is None or seen.at > before else ""


def _layers(
    free: Iterable[str], inventory: Inventory, sightings: Mapping[str, Sighting], ours: Iterable[str]
) -> set[str]:
    """Return the layers that a build left below images.

    What has no parent was fetched or imported, and what ever had a name was somebody's: neither is a layer in between.
    """
    by_id = {image.id: image for image in inventory.images}
    above = {by_id[found] for image_id in free for found in _ancestors(image_id, by_id)}
    return {one.id for one in above if _nameless(one, sightings)} - {*ours} - {*inventory.used}


def _nameless(image: Image, sightings: Mapping[str, Sighting]) -> bool:
    seen = sightings.get(image.id)
    return bool(image.parent and seen and not seen.names and not image.names and not image.digests)


def _carrying_nothing(going: set[str], inventory: Inventory) -> set[str]:
    """Leave out what something that stays was built on: the engine would take its name and keep its bytes."""
    while True:
        left = going - {image.parent for image in inventory.images if image.id not in going}
        if left == going:
            return going
        going = left


def _ancestors(image_id: str, by_id: Mapping[str, Image]) -> list[str]:
    found: list[str] = []
    parent = by_id[image_id].parent
    while parent in by_id and parent not in found:
        found.append(parent)
        parent = by_id[parent].parent
    return found


def _going(image: Image, why: str) -> Going:
    return Going(id=image.id, names=image.names, size_bytes=image.size_bytes, own_bytes=image.own_bytes, why=why)
