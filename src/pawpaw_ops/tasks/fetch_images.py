"""The images of services: those that the engine has, and those that only their registry has."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial

from pawpaw_ops.clients import images, releases
from pawpaw_ops.clients.images import ImageFacts, find_image
from pawpaw_ops.errors import PreconditionError, StoreError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.registry import Registry
from pawpaw_ops.plans.preflight import coming
from pawpaw_ops.plans.services import Service
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.make_room import make_room
from pawpaw_ops.tasks.operation import operation

DIGEST = "@sha256:"
"""Only a digest says exactly what to fetch."""
BUILD = "Build the version again: images of this host that were removed exist nowhere else."


def images_of(do: Session, services: Iterable[Service], login: Callable[[], Registry]) -> dict[str, ImageFacts]:
    """Return service -> facts of its image; one that the engine lacks is fetched.

    Args:
        do: The session.
        services: Those whose images are asked for.
        login: Loads the login of the registry, where one is needed.

    Raises:
        PreconditionError: One is not to be had, or there is no room for it. Nothing of it is there then.
        Unreachable: The engine does not answer.
    """
    engine = do.stack.its_project().engine
    wanted = {one.name: one.image for one in services}
    found = {name: find_image(engine, ref) for name, ref in wanted.items()}
    lacking = {name: wanted[name] for name in wanted if found[name] is None}
    if lacking and all(DIGEST in ref for ref in lacking.values()):
        fetch(do, sorted({*lacking.values()}), login(), needed={*wanted.values()})
        found |= {name: find_image(engine, ref) for name, ref in lacking.items()}
    return {name: _there(name, wanted[name], facts) for name, facts in found.items()}


def _there(service: str, ref: str, facts: ImageFacts | None) -> ImageFacts:
    if facts is None:
        raise PreconditionError(f"the image {ref} of {service} is not on this engine.", hint=BUILD)
    return facts


@operation("fetch images")
def fetch(do: Session, refs: Sequence[str], login: Registry, *, needed: Collection[str]) -> None:
    """Fetch images by their digests, when there is room for them.

    Args:
        do: The session.
        refs: `name@sha256:…`.
        login: Of the registry that is the stack's; others are asked as Docker's CLI would.
        needed: All images that must stay when room has to be made.

    Raises:
        PreconditionError: There is no room, or a registry does not have one, or did not give all of it.

    Touches:
        Images on the engine; the network. Where room must be made, images that nobody needs.
    """
    size = coming(refs, releases.builds(do.stack.state_dir))
    room = make_room(do, needed, coming_bytes=size)
    if room.finding.verdict is Verdict.FAILED:
        raise PreconditionError(f"{', '.join(refs)} cannot be fetched: {room.finding.says}.", hint=room.hint)
    known = "of unknown size" if size is None else f"at most {report.human_bytes(size)}"
    report.logger().info("fetching %s (%s)", ", ".join(refs), known)
    engine = do.stack.its_project().engine
    for ref in refs:
        mine = login.for_image(ref)
        step = partial(images.pull, engine, ref, username=mine.username, password=mine.password)
        try:
            do.step(f"fetch {ref}", step, scratch=True)
        except StoreError as seen:
            raise PreconditionError(
                f"the image {ref} is not on this engine and could not be fetched: {seen.message} What runs was not"
                " touched.",
                hint="Is the registry up, does it still have the image, and is its login (Docker Registry Credentials)"
                " good? Else build the version again.",
            ) from seen
