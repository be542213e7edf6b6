"""Deciding what is built, under which names, and what is written on it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.plans.services import Service

SHA = 12
DIRTY = 8
OCI = "org.opencontainers.image"
NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


class WantedImage(Noun):
    """One image that is to be built.

    Attributes:
        service: Service of the Compose file.
        variable: Variable of the `.env` that names its image.
        name: What it will be called, without the version.
    """

    service: str
    variable: str
    name: str


def version_of(git_sha: str, *, tree: str = "") -> str:
    """Return the name of a state of the sources: of a tree with changes it has the tree's own hash too."""
    return f"{git_sha[:SHA]}-dirty-{tree[:DIRTY]}" if tree else git_sha[:SHA]


def check_clean(changed: Sequence[str], *, allow_dirty: bool) -> None:
    """Refuse sources that no commit has.

    Raises:
        PreconditionError: There are, and they are not allowed.
    """
    if not changed or allow_dirty:
        return
    shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")  # noqa: PLR2004
    raise PreconditionError(
        f"the stack's sources have changes that no commit has: {shown}.",
        hint="Commit them, or pass allow_dirty=true; the build's name says so then, and no deploy takes it by default.",
    )


def wanted_images(
    services: Iterable[Service], *, only: Sequence[str], project: str, registry: str = ""
) -> tuple[WantedImage, ...]:
    """Choose what is built.

    Args:
        services: Of the Compose file.
        only: Names of services; empty means all that the file builds.
        project: The Compose project: two stacks on one host do not share names.
        registry: Where the images go, such as `ghcr.io/pawpaw`; empty means nowhere.

    Raises:
        ConfigError: A chosen service is not built here, or no variable names its image; or nothing is built at all.
    """
    built = {one.name: one for one in services if one.builds}
    if unknown := sorted(set(only) - set(built)):
        raise ConfigError(f"{', '.join(unknown)} is not built by the Compose file; it builds {', '.join(built)}.")
    if not built:
        raise ConfigError("the Compose file builds nothing.")
    chosen = [one for name, one in built.items() if not only or name in only]
    if fixed := [one.name for one in chosen if not one.variable]:
        raise ConfigError(
            f"the image of {', '.join(fixed)} is not named by a variable, so that no other can be put in its place.",
            hint="Write image: ${NAME_IMAGE:-default} in the Compose file.",
        )
    where = f"{registry}/" if registry else ""
    return tuple(
        WantedImage(service=one.name, variable=one.variable, name=f"{where}{_part(f'{project}-{one.name}')}")
        for one in chosen
    )


def check_not_in_use(wanted: Iterable[WantedImage], version: str, env: Mapping[str, str]) -> None:
    """Refuse to move a name that the stack's `.env` runs by: the next container would silently be another image.

    Raises:
        PreconditionError: It runs by one.
    """
    for one in wanted:
        name = f"{one.name}:{version}"
        if env.get(one.variable) == name:
            raise PreconditionError(
                f"the .env runs {one.service} by the name {name}, which this build would give to another image.",
                hint=f"Give {one.variable} the image's id; a deploy does that.",
            )


def labels_of(*, version: str, git_sha: str, made_at: str, source: str) -> dict[str, str]:
    """Return what is written on an image.

    Source: github.com/opencontainers/image-spec/blob/main/annotations.md.
    """
    found = {"version": version, "revision": git_sha, "created": made_at, "source": public_address(source)}
    return {f"{OCI}.{name}": value for name, value in found.items() if value}


def public_address(remote: str) -> str:
    """Return a repository's address without what logs one in; empty for a folder of this host."""
    parts = urlsplit(remote)
    if parts.scheme in {"http", "https"} and parts.hostname:
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
    if parts.scheme == "ssh" and parts.hostname:
        return f"https://{parts.hostname}{parts.path}"
    host, colon, path = remote.partition(":")
    if colon and "/" not in host and not path.startswith("//"):
        return f"https://{host.rpartition('@')[2]}/{path}"
    return ""


def registry_prefix(url: str) -> str:
    """Return how images of a registry are called: its address without scheme and without a slash at the end."""
    return re.sub(r"^https?://", "", url).strip("/")


def _part(text: str) -> str:
    return NOT_IN_A_NAME.sub("-", text.lower()).strip("-")
