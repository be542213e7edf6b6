"""What an engine holds, all of it: images, layers, what uses them, and what they take. Only read."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docker.errors import DockerException

from pawpaw_ops.clients.compose_project import ONE_OFF, PROJECT
from pawpaw_ops.clients.docker import data_folder
from pawpaw_ops.clients.engine import connect
from pawpaw_ops.errors import Unreachable
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.inventory import Image, Inventory, OneOff
from pawpaw_ops.plans.preflight import Disk

NONE = "<none>"
DF_S = 300
"""Walking all volumes may take long."""


class Usage(Noun):
    """What the engine says that its things take, in bytes.

    Attributes:
        layers: All images together.
        own: Image id -> what no other image shares.
        cache: The builder's cache.
        volumes: Name -> size, of our project's volumes alone.
    """

    layers: int
    own: Mapping[str, int]
    cache: int
    volumes: Mapping[str, int]


def look(address: str, project: str, own: Mapping[str, int]) -> Inventory:
    """Return what is on the engine.

    Args:
        address: The engine's.
        project: The Compose project whose ended one-off containers are listed.
        own: As `usage` said.

    Raises:
        Unreachable: It does not answer.
    """
    try:
        engine = connect(address)
        try:
            # Images last: one that a container of the first answer uses is in the second.
            containers = engine.api.containers(all=True)
            return parse(engine.api.images(all=True), containers, project, own)
        finally:
            engine.close()
    except (DockerException, OSError) as seen:
        raise Unreachable(f"the Docker engine did not say what it has: {seen}.", hint="Start it.") from seen


def usage(address: str, project: str) -> Usage:
    """Return what the engine's things take; errors as in `look`."""
    try:
        engine = connect(address, timeout_s=DF_S)
        try:
            return parse_usage(engine.api.df(), project)
        finally:
            engine.close()
    except (DockerException, OSError) as seen:
        raise Unreachable(f"the Docker engine did not say what it holds: {seen}.", hint="Start it.") from seen


def engine_disk(address: str) -> Disk:
    """Look at the engine's disk, which this host sees where the engine is this host's.

    Raises:
        Unreachable: The engine does not answer, or this host does not see its disk.
    """
    folder = data_folder(address)
    try:
        return disk_of(folder)
    except OSError as seen:
        raise Unreachable(
            f"the engine's folder {folder} cannot be looked at: {seen.strerror}.", hint="Is the engine this host's?"
        ) from seen


def disk_of(folder: Path | str) -> Disk:
    """Look at the disk that a folder is on.

    Raises:
        OSError: The folder is not there.
    """
    found = os.statvfs(folder)
    return Disk(
        bytes_total=found.f_blocks * found.f_frsize,
        bytes_free=found.f_bavail * found.f_frsize,
        inodes_total=found.f_files,
        inodes_free=found.f_favail,
    )


def parse(
    images: Sequence[Mapping[str, Any]], containers: Sequence[Mapping[str, Any]], project: str, own: Mapping[str, int]
) -> Inventory:
    """Parse the engine's lists, of any version from 20.10 to 29.

    Source: docs.docker.com/reference/api/engine/version/v1.41 and v1.51 (ImageList, ContainerList): names are null,
    empty or `<none>` where there are none.
    """
    return Inventory(
        images=tuple(_image(one, own) for one in images),
        used={one["ImageID"]: _name(one) for one in containers},
        one_offs=tuple(_one_off(one) for one in containers if _is_one_off(one, project)),
        running=frozenset(one["ImageID"] for one in containers if one["State"] == "running"),
    )


def parse_usage(found: Mapping[str, Any], project: str) -> Usage:
    """Parse what `GET /system/df` says; sizes that the engine did not count are -1 there and missing here."""
    shared = {one["Id"]: (one.get("Size", 0), one.get("SharedSize", -1)) for one in found.get("Images") or ()}
    sizes = {
        one["Name"]: (one.get("UsageData") or {}).get("Size", -1)
        for one in found.get("Volumes") or ()
        if (one.get("Labels") or {}).get(PROJECT) == project
    }
    return Usage(
        layers=found.get("LayersSize", 0),
        own={image_id: size - part for image_id, (size, part) in shared.items() if 0 <= part <= size},
        cache=sum(one.get("Size", 0) for one in found.get("BuildCache") or ()),
        volumes={name.removeprefix(f"{project}_"): size for name, size in sizes.items() if size >= 0},
    )


def _image(found: Mapping[str, Any], own: Mapping[str, int]) -> Image:
    return Image(
        id=found["Id"],
        parent=found.get("ParentId") or "",
        names=tuple(name for name in found.get("RepoTags") or () if NONE not in name),
        digests=tuple(name for name in found.get("RepoDigests") or () if NONE not in name),
        size_bytes=found["Size"],
        own_bytes=own.get(found["Id"]),
    )


def _name(container: Mapping[str, Any]) -> str:
    return str((container.get("Names") or [container["Id"]])[0]).lstrip("/")


def _is_one_off(container: Mapping[str, Any], project: str) -> bool:
    labels = container.get("Labels") or {}
    return labels.get(PROJECT) == project and labels.get(ONE_OFF) == "True" and container["State"] in {"exited", "dead"}


def _one_off(container: Mapping[str, Any]) -> OneOff:
    created = datetime.fromtimestamp(container["Created"], UTC)
    return OneOff(id=container["Id"], name=_name(container), created_at=created)
