"""How steps are taken back. Every undo looks at the world first, and is harmless when the change never began."""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pawpaw_ops.clients.engine import patiently
from pawpaw_ops.clients.postgres import gentle, side, swap
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.commands.contained import RUN_LABEL
from pawpaw_ops.containers import end_containers
from pawpaw_ops.disposable import reap
from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.database import ToolImage
from pawpaw_ops.models.kinds import MANIFESTS
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.session import undo_redis, undo_secrets, undo_services
from pawpaw_ops.session.journal import Step, Undo

log = logging.getLogger(__name__)
Args = Mapping[str, Any]
FIRST = "end-containers"
"""The kind of undo that goes before all others: what still runs could change what they take back."""


def newest_first(steps: Sequence[Step]) -> list[Step]:
    """Return steps in the order in which they are taken back."""
    found = list(reversed(steps))
    return sorted(found, key=_turn)


def _turn(step: Step) -> int:
    if step.undo is None:
        return 1
    return 0 if step.undo.kind == FIRST else 2 if step.undo.last else 1


def end_tools(image: ToolImage) -> Undo:
    """End the containers that work on behalf of a run."""
    return end_containers_of(image.engine, image.run_id)


def end_containers_of(engine: str, run_id: str) -> Undo:
    """End and remove the containers that carry a run's label."""
    return Undo(kind=FIRST, args={"engine": engine, "run_id": run_id})


def staging(state_dir: Path) -> Path:
    """Return the folder below which every run has its scratch folder."""
    return state_dir / "staging"


def remove_folder(path: Path) -> Undo:
    """Remove a scratch folder."""
    return Undo(kind="remove-folder", args={"path": str(path)})


def end_backends(run_id: str) -> Undo:
    """End the database sessions of a run."""
    return Undo(kind="end-backends", args={"run_id": run_id})


def drop_side(name: str, run_id: str) -> Undo:
    """Drop a side database that is still one."""
    return Undo(kind="drop-side", args={"name": name, "run_id": run_id})


def drop_roles(names: tuple[str, ...]) -> Undo:
    """Drop roles that were made for a side database."""
    return Undo(kind="drop-roles", args={"names": list(names)})


def settle(names: swap.Names, *, incoming_oid: int) -> Undo:
    """Open the live database, whichever of the two it is."""
    return Undo(kind="settle", args={"names": names.model_dump(), "incoming_oid": incoming_oid})


def close_database(name: str) -> Undo:
    """Fence a database again that was opened to be looked at."""
    return Undo(kind="close-database", args={"name": name})


def take_back(statement: str, database: str, *, done: str) -> Undo:
    """Carry out a statement that takes another one back, if *done* asks for nothing or is answered with yes.

    Both name roles and objects, never a secret.
    """
    return Undo(kind="take-back", args={"statement": statement, "database": database, "done": done})


def remove_unpublished(target: Catalog[Any], backup_id: str) -> Undo:
    """Remove the objects of a backup that never got its manifest."""
    args = {"location": target.location.name, "below": target.kind.holds.below, "name": target.name}
    return Undo(kind="remove-unpublished", args=args | {"backup_id": backup_id})


def reap_server(root: Path) -> Undo:
    """End a disposable server and remove its folder."""
    return Undo(kind="reap-server", args={"root": str(root)})


def run(undo: Undo, stack: StackSettings, *, run_id: str) -> None:
    """Carry out one undo.

    Args:
        undo: What to take back.
        stack: Where.
        run_id: On whose behalf we connect now.
    """
    for kinds in (undo_redis.UNDOERS, undo_services.UNDOERS):
        if undo.kind in kinds:
            kinds[undo.kind](stack, undo.args)
            return
    if undo.kind in undo_secrets.UNDOERS:
        undo_secrets.UNDOERS[undo.kind](stack, undo.args, run_id)
        return
    if undo.kind not in UNDOERS:
        raise ConfigError(f"the journal asks for the undo {undo.kind!r}, which this version does not know.")
    UNDOERS[undo.kind](stack, undo.args, Postgres(stack.database, run_id))


def attempt(
    step: Step, stack: StackSettings, *, run_id: str, failed: Sequence[tuple[Step, Exception]]
) -> Exception | None:
    """Carry out the undo of one step; return what went wrong, so that those of the other steps still run.

    Args:
        step: The step.
        stack: Where.
        run_id: On whose behalf we connect now.
        failed: The steps of its run that could not be undone so far, and why.
    """
    if step.undo is None:
        return None
    if step.undo.last and any(not other.scratch for other, _ in failed):
        return PreconditionError("it waits until the others have been undone.")
    try:
        run(step.undo, stack, run_id=run_id)
    except Exception as seen:  # whatever it is, it must not stop the others
        log.exception("could not undo %r", step.name)
        return seen
    return None


def _remove_folder(stack: StackSettings, args: Args, pg: Postgres) -> None:
    del pg
    path = Path(args["path"])
    if path.parent != staging(stack.state_dir):
        raise ConfigError(f"{path} is not a scratch folder of {stack.state_dir}; it is left alone.")
    shutil.rmtree(path, ignore_errors=True)


def _end_backends(stack: StackSettings, args: Args, pg: Postgres) -> None:
    del stack
    with pg.admin() as conn:
        side.end_backends(conn, run_id=args["run_id"])


def _drop_side(stack: StackSettings, args: Args, pg: Postgres) -> None:
    del stack
    with pg.admin() as conn:
        side.drop(conn, args["name"], run_id=args["run_id"])


def _drop_roles(stack: StackSettings, args: Args, pg: Postgres) -> None:
    del stack
    with pg.admin() as conn:
        side.drop_roles(conn, tuple(args["names"]))


def _settle(stack: StackSettings, args: Args, pg: Postgres) -> None:
    del stack
    with pg.admin() as conn:
        swap.settle(conn, swap.Names.model_validate(args["names"]), incoming_oid=args["incoming_oid"])


def _close_database(stack: StackSettings, args: Args, pg: Postgres) -> None:
    with pg.admin() as conn:
        if args["name"] != stack.database.name:
            side.close_old(conn, args["name"])


def _take_back(stack: StackSettings, args: Args, pg: Postgres) -> None:
    del stack
    with pg.named(args["database"]).connect() as conn:
        gentle.take_back(conn, args["statement"], done=args["done"])


def _remove_unpublished(stack: StackSettings, args: Args, pg: Postgres) -> None:
    del pg
    for location in locations(stack.store):
        catalog = Catalog(location, stack.name, args.get("name", stack.database.name), MANIFESTS[args.get("below", "")])
        if location.name == args["location"] and args["backup_id"] in catalog.unpublished():
            catalog.remove(args["backup_id"])


def _reap_server(stack: StackSettings, args: Args, pg: Postgres) -> None:
    del stack, pg
    reap(Path(args["root"]))


def _end_containers(stack: StackSettings, args: Args, pg: Postgres) -> None:
    del stack, pg
    patiently(args["engine"], lambda: end_containers(args["engine"], f"{RUN_LABEL}={args['run_id']}"))


UNDOERS: Mapping[str, Callable[[StackSettings, Args, Postgres], None]] = {
    "remove-folder": _remove_folder,
    "end-backends": _end_backends,
    "drop-side": _drop_side,
    "drop-roles": _drop_roles,
    "settle": _settle,
    "close-database": _close_database,
    "take-back": _take_back,
    "remove-unpublished": _remove_unpublished,
    "reap-server": _reap_server,
    FIRST: _end_containers,
}
