"""Prefect's own command line: one builder each."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command

Settings = Mapping[str, str | SecretStr]


def prefect(python: str, *words: str, settings: Settings, timeout_s: float | None) -> Command:
    """Call Prefect in the Python that has it; `-P` keeps the current folder from shadowing its modules.

    Touches: what the words say.
    """
    return Command(argv=(python, "-P", "-m", "prefect", *words), env=settings, timeout_s=timeout_s)


def server(python: str, *, port: int, settings: Settings) -> Command:
    """Run a server on loopback.

    Touches: runs until it is ended; makes its database in `PREFECT_HOME`.
    """
    words = ("server", "start", "--host", "127.0.0.1", "--port", str(port))
    return prefect(python, *words, settings=settings, timeout_s=None)


def worker(python: str, *, pool: str, name: str, settings: Settings) -> Command:
    """Run a process worker that asks for work every second.

    Touches: runs until it is ended, and starts the runs of its pool. Ending it kills them.
    """
    words = ("worker", "start", "--type", "process", "--pool", pool, "--name", name)
    return prefect(python, *words, settings={**settings, "PREFECT_WORKER_QUERY_SECONDS": "1"}, timeout_s=None)


def deploy(python: str, *, file: Path, names: Sequence[str], settings: Settings) -> Command:
    """Deploy those deployments of a `prefect.yaml` that have one of these names.

    Touches: the deployments and their schedules.
    """
    chosen = tuple(word for name in names for word in ("--name", name))
    words = ("--no-prompt", "deploy", "--prefect-file", str(file), *chosen)
    return prefect(python, *words, settings=settings, timeout_s=300)


def run_deployment(python: str, name: str, parameters: Mapping[str, Any], *, settings: Settings) -> Command:
    """Start a run of a deployment and watch it to its end; exit code 0 only if it completed.

    Touches: what the deployed flow touches.
    """
    given = tuple(word for key, value in parameters.items() for word in ("--param", f"{key}={json.dumps(value)}"))
    return prefect(python, "deployment", "run", name, "--watch", *given, settings=settings, timeout_s=None)
