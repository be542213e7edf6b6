"""How steps that touch a Redis are taken back."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pawpaw_ops.clients.redis import aof, folders, power
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session.journal import Undo

Args = Mapping[str, Any]


def heal_rewrites(percentage: int, redis_run_id: str) -> Undo:
    """Let the append-only file be rewritten again."""
    return Undo(kind="heal-rewrites", args={"percentage": percentage, "redis_run_id": redis_run_id})


def start_again() -> Undo:
    """Start a server that was up before."""
    return Undo(kind="start-redis")


def take_back(names: folders.Exchange) -> Undo:
    """Put the data that was live into its place again; leaves the server stopped."""
    return Undo(kind="take-back-redis", args={"names": names.model_dump(mode="json")})


def remove_beside(path: Path) -> Undo:
    """Remove a folder of ours in the server's folder."""
    return Undo(kind="remove-beside", args={"path": str(path)})


def _heal_rewrites(stack: StackSettings, args: Args) -> None:
    aof.heal_rewrites(stack.its_redis(), percentage=args["percentage"], redis_run_id=args["redis_run_id"])


def _start_again(stack: StackSettings, args: Args) -> None:
    del args
    power.start(stack.its_redis(), LocalRunner())


def _take_back(stack: StackSettings, args: Args) -> None:
    names = folders.Exchange.model_validate(args["names"])
    if not folders.is_as_before(names):
        power.stop(stack.its_redis(), LocalRunner())
        folders.take_back(names, at=utc_now())


def _remove_beside(stack: StackSettings, args: Args) -> None:
    path = Path(args["path"])
    if not path.name.startswith(folders.BESIDE):
        raise ConfigError(f"{path} is not a folder of ours beside the data of {stack.its_redis().where}.")
    folders.remove(path)


UNDOERS: Mapping[str, Callable[[StackSettings, Args], None]] = {
    "heal-rewrites": _heal_rewrites,
    "start-redis": _start_again,
    "take-back-redis": _take_back,
    "remove-beside": _remove_beside,
}
