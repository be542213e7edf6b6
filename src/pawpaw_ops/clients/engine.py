"""The way to a Docker engine, also to one that is restarted."""

import contextlib
import functools
import os
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from docker import DockerClient
from docker.constants import DEFAULT_TIMEOUT_SECONDS

from pawpaw_ops.errors import Unreachable

T = TypeVar("T")
LOCAL_ENGINE = "unix:///var/run/docker.sock"
AWAY_S = 60.0
"""How long an engine may be away that is restarted: without live-restore it ends its containers first, for 15 s."""
AWAY_SINCE: dict[str, float] = {}
"""Address of an engine that does not answer -> since when."""


class Engine(Protocol):
    """The part of `docker.DockerClient` that is used here."""

    @property
    def containers(self) -> Any:
        """The engine's containers."""

    def close(self) -> None:
        """Let go of the connections."""


def engine_address(base_url: str | None) -> str:
    """Return the address of the engine that the SDK speaks to, so that the CLI speaks to the same one.

    Args:
        base_url: The block's; none means `DOCKER_HOST`, else this host's engine. The CLI's contexts are not asked.
    """
    return base_url or os.environ.get("DOCKER_HOST") or LOCAL_ENGINE


def connect(address: str, *, timeout_s: int = DEFAULT_TIMEOUT_SECONDS) -> DockerClient:
    """Open the way to an engine; empty means `DOCKER_HOST`, else this host's.

    Raises:
        DockerException: There is none.
    """
    there = engine_address(address or None)
    return DockerClient(base_url=there, version=_api_version(there), timeout=timeout_s)


@functools.cache
def _api_version(address: str) -> str:
    """Ask an engine once for the version of its API: each time it starts two programs to answer."""
    with contextlib.closing(DockerClient(base_url=address)) as engine:
        return str(engine.api.api_version)


def patiently(address: str, ask: Callable[[], T]) -> T:
    """Ask an engine again, less and less often, while it is away for no longer than a restart takes.

    Only what may be asked twice is asked so. Of an engine that did not come back in time nobody waits for the next
    answer.

    Raises:
        Unreachable: It has been away for longer.
    """
    wait_s = 0.1
    while True:
        try:
            made = ask()
        except Unreachable:
            _api_version.cache_clear()  # it may come back as another one
            if time.monotonic() - AWAY_SINCE.setdefault(address, time.monotonic()) > AWAY_S:
                raise
        else:
            AWAY_SINCE.pop(address, None)
            return made
        time.sleep(wait_s)
        wait_s = min(2 * wait_s, 2.0)
