"""What an engine has: images, what uses them, and since when they are there."""

from collections.abc import Mapping

from pydantic import AwareDatetime

from pawpaw_ops.models.base import Noun


class Image(Noun):
    """An image, or a layer that a build left between two others.

    Attributes:
        id: `sha256:…`.
        parent: Id of the image that it was built on, where the engine knows; empty otherwise.
        names: `repository:tag`.
        digests: `repository@sha256:…`.
        size_bytes: Its size, layers that others share included.
        own_bytes: What no other image shares; None where the engine does not say.
    """

    id: str
    parent: str = ""
    names: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size_bytes: int = 0
    own_bytes: int | None = None


class OneOff(Noun):
    """A container that ran one command for our project, and has ended."""

    id: str
    name: str
    created_at: AwareDatetime


class Inventory(Noun):
    """What an engine has.

    Attributes:
        used: Image id -> a container of it, running or not, of whatever project.
        one_offs: Ended containers of single commands of our project.
        running: Ids of the images of containers that run.
    """

    images: tuple[Image, ...]
    used: Mapping[str, str] = {}
    one_offs: tuple[OneOff, ...] = ()
    running: frozenset[str] = frozenset()


class Sighting(Noun):
    """When an image was first there, and all names that it was ever seen with.

    The date that an image itself tells is its build's: one that CI built ten days ago may have come a minute ago.
    """

    at: AwareDatetime
    names: tuple[str, ...] = ()
