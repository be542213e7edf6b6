"""Where the programs of a server's own release are."""

import os
from pathlib import Path

import docker

from pawpaw_ops.clients.docker import find_image, find_mount
from pawpaw_ops.clients.engine import engine_address
from pawpaw_ops.models.database import ClientTools, ToolImage
from pawpaw_ops.models.redis import Redis

DATA = "/data"
"""The folder of Redis' own image."""


def with_tools(server: Redis, *, run_id: str) -> Redis:
    """Return the server with its tools found: a folder goes before the container's image, and that before the PATH.

    The data folder of a container is what is mounted on its `/data`, unless the block says otherwise.

    Raises:
        ConfigError: The engine has no such container.
        Unreachable: The Docker engine does not answer.
    """
    if not server.container:
        return server
    folder = server.data_folder or find_mount(docker.from_env, server.container, DATA)
    server = server.model_copy(update={"data_folder": folder})
    if server.tools.folder is not None:
        return server
    container, image = find_image(docker.from_env, server.container)
    found = ToolImage(
        id=image,
        container=container,
        name=server.container,
        engine=engine_address(None),
        owner=f"{os.geteuid()}:{os.getegid()}",
        run_id=run_id,
    )
    return server.model_copy(update={"tools": ClientTools(image=found)})


def folder_of(server: Redis, seen: str) -> Path | None:
    """Return where on this host the folder is that a server calls *seen*; None where that cannot be known."""
    if server.container:
        return find_mount(docker.from_env, server.container, seen)
    return Path(seen) if Path(seen).is_dir() else None
