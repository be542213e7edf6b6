"""How steps that touch the stack's services and its gateway are taken back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pawpaw_ops.clients import gateway, services
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session.journal import Undo

Args = Mapping[str, Any]


def end_maintenance(owner: str) -> Undo:
    """Take the maintenance page away that a run put up."""
    return Undo(kind="end-maintenance", args={"owner": owner})


def start_services(names: Sequence[str]) -> Undo:
    """Start containers that were running, one after the other."""
    return Undo(kind="start-services", args={"names": list(names)})


def _end_maintenance(stack: StackSettings, args: Args) -> None:
    gateway.end_maintenance(stack.its_project(), args["owner"])


def _start_services(stack: StackSettings, args: Args) -> None:
    services.start_one_by_one(stack.its_project(), args["names"], LocalRunner())


UNDOERS: Mapping[str, Callable[[StackSettings, Args], None]] = {
    "end-maintenance": _end_maintenance,
    "start-services": _start_services,
}
