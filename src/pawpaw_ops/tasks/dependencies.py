"""Steps that ask what is known against the packages and base images that the stack is made of."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pawpaw_ops.commands import compose, packages
from pawpaw_ops.errors import CommandError, OpsError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.finding import Severity, Weakness
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.stack import Workplace
from pawpaw_ops.plans import dependencies as plan
from pawpaw_ops.plans.hardening import unknown
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks.operation import operation

LOCK = "package-lock.json"
BASE = "BASE_"
"""What the build arguments begin with that name base images."""


@operation("audit packages of the shop")
def audit_npm(folder: Path) -> tuple[Weakness, ...]:
    """Ask npm's registry about every lock below a folder; nothing is installed.

    Touches:
        Nothing; the network.
    """
    return tuple(found for lock in locks(folder) for found in _audit(lock))


def locks(folder: Path) -> tuple[Path, ...]:
    """Return the locks one level below a folder."""
    return tuple(sorted(folder.glob(f"*/{LOCK}")))


def _audit(lock: Path) -> tuple[Weakness, ...]:
    part = lock.parent.name
    try:
        said = LocalRunner().ask(packages.npm_audit(lock.parent))
    except CommandError as seen:
        return (unknown("npm-audit", part, Severity.HIGH, seen.message, "Install npm on the worker's host."),)
    return plan.parse_npm(part, said, json.loads(lock.read_text()))


@operation("audit our own packages")
def audit_pip() -> tuple[Weakness, ...]:
    """Ask the index about the packages that are installed beside us.

    Touches:
        Nothing; the network.
    """
    try:
        return plan.parse_pip(LocalRunner().ask(packages.pip_audit()))
    except CommandError as seen:
        return (unknown("pip-audit", plan.OURS, Severity.HIGH, seen.message),)


@operation("look for ends of life")
def look_for_ends(place: Workplace) -> tuple[Weakness, ...]:
    """Look up until when the base images of the stack get fixes.

    Touches:
        Nothing.
    """
    try:
        images = tuple(_base_images(place.project))
    except OpsError as seen:
        return (unknown("end-of-life", "stack", Severity.HIGH, seen.message),)
    return plan.ends_of_life(images, utc_now().date())


def _base_images(project: Project) -> Iterator[str]:
    """Go through what is built upon and what is run as it is; what is built here has its own base."""
    services: dict[str, Any] = LocalRunner().ask(compose.config(project, env={}))["services"]
    for one in services.values():
        arguments = (one.get("build") or {}).get("args") or {}
        yield from (value for name, value in arguments.items() if name.startswith(BASE) and value)
        if "build" not in one and not one["image"].startswith("sha256:") and not _built(one["image"], services):
            yield one["image"]


def _built(image: str, services: dict[str, Any]) -> bool:
    return any("build" in one and one["image"] == image for one in services.values())
