"""A stack that is frozen: nothing may change it until somebody says so, and everybody who tries is told why."""

from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter

from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.clients.records import read_record
from pawpaw_ops.errors import Frozen
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.lifecycle import VERBS

HARMLESS = frozenset(verb.name for verb in VERBS if verb.in_freeze or not verb.locks)


class Freeze(Noun):
    """Why a stack is frozen."""

    reason: str
    by: str
    since: AwareDatetime


FREEZE = TypeAdapter(Freeze)


def frozen(state_dir: Path) -> Freeze | None:
    """Return why the stack is frozen; None where it is not.

    Raises:
        ConfigError: The file holds something else; the stack counts as frozen.
    """
    return read_record(_file(state_dir), FREEZE, hint="Run unfreeze if nothing speaks against it.")


def freeze(state_dir: Path, why: Freeze | None) -> None:
    """Freeze the stack, or let it be changed again.

    Touches:
        `freeze.json` in the stack's folder.
    """
    if why is None:
        _file(state_dir).unlink(missing_ok=True)
    else:
        write_whole(_file(state_dir), why.model_dump_json(indent=1))


def refuse_if_frozen(state_dir: Path, verb: str) -> None:
    """Refuse a verb that would change a frozen stack.

    Raises:
        Frozen: It is frozen: why, by whom, since when.
    """
    if verb in HARMLESS:
        return
    if why := frozen(state_dir):
        raise Frozen(
            f"the stack is frozen since {why.since:%Y-%m-%dT%H:%M:%SZ} by {why.by}: {why.reason or 'no reason given'}.",
            hint="`prefect deployment run unfreeze/…` lets it be changed again.",
        )


def _file(state_dir: Path) -> Path:
    return state_dir / "freeze.json"
