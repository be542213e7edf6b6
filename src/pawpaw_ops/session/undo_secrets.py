"""How steps that touch secrets are taken back, or finished after a commit. The journal has generations, not values."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from pawpaw_ops.clients import github_secrets, grafana, rotations
from pawpaw_ops.clients.env_file import change_env, read_env
from pawpaw_ops.clients.files import remove_unfinished
from pawpaw_ops.clients.postgres import logins
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.redis import users
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.base import Moment, utc_now
from pawpaw_ops.models.secrets import Rotation, State, Target, Turn
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans.secrets import GRAFANA_PASSWORD, REDIS_PASSWORD, in_clear, known
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session.journal import Undo

Args = Mapping[str, Any]


def drop_secrets(generation: int, run_id: str) -> Undo:
    """Let the servers forget new secrets that nothing uses, if it was this very run that failed.

    One that died leaves them to the next `rotate-secrets`, which goes on with them or drops them as it is told. So does
    one whose other undos failed: they need the old values, which only the sealed rotation has.
    """
    return Undo(kind="drop-secrets", args={"generation": generation, "run_id": run_id}, last=True)


def secrets_to(generation: int, state: State) -> Undo:
    """Give the variables of a rotation the values that they have in a state."""
    return Undo(kind="secrets-to", args={"generation": generation, "state": state.value})


def github_to(generation: int, state: State) -> Undo:
    """Give secrets on GitHub the values that they have in a state."""
    return Undo(kind="github-to", args={"generation": generation, "state": state.value})


def grafana_to(generation: int, state: State) -> Undo:
    """Give Grafana's administrator the password of a state."""
    return Undo(kind="grafana-to", args={"generation": generation, "state": state.value})


def set_grafana(stack: StackSettings, rotation: Rotation, wanted: SecretStr) -> None:
    """Give Grafana one of a rotation's two passwords, whichever of them it has; errors as in `grafana.change`.

    Touches:
        The password of Grafana's administrator.
    """
    both = (known(values[GRAFANA_PASSWORD]) for values in (rotation.old, rotation.accept))
    other = next(one for one in both if one != wanted)
    grafana.change(grafana.address(stack.its_project()), other, wanted)


def github_names(stack: StackSettings, rotation: Rotation) -> tuple[str, ...]:
    """Return the secrets on GitHub that a rotation changes."""
    scopes = stack.github.scopes if stack.github else {}
    return tuple(sorted({name for names in scopes.values() for name in names if name in rotation.old}))


def write_github(stack: StackSettings, rotation: Rotation, state: State) -> None:
    """Give secrets on GitHub the values of a state; errors as in `github_secrets.put_secret`.

    Touches:
        Secrets of the repository and its environment.
    """
    values = rotation.values_at(state)
    if stack.github is None:
        return
    for environment, names in stack.github.scopes.items():
        for name in names:
            value = values.get(name)
            if value is not None:
                github_secrets.put_secret(stack.github, environment, name, value)


def secrets_reached(
    generation: int,
    state: State,
    *,
    due: Mapping[Target, datetime],
    turn: Turn | None,
    over: bool = False,
    counted_from: Moment | None = None,
) -> Undo:
    """Write down how far a rotation is.

    Args:
        generation: Which.
        state: How far.
        due: Target -> when its old secret is to end.
        turn: For the record of rotations.
        over: Nothing is left to be done for it, so that its secrets are forgotten.
        counted_from: When *due* was decided; None where it is what it was.
    """
    times = {target.value: at.isoformat() for target, at in due.items()}
    said = turn.model_dump(mode="json") if turn else None
    args = {"generation": generation, "state": state.value, "due": times, "turn": said, "over": over}
    args |= {"counted_from": counted_from.model_dump(mode="json")} if counted_from else {}
    return Undo(kind="secrets-reached", args=args)


def drop(stack: StackSettings, rotation: Rotation, *, run_id: str, actor: str = "") -> None:
    """Let the servers forget new secrets that nothing uses, and forget the rotation.

    Raises:
        PreconditionError: The `.env` has them; they are in use.

    Touches:
        The other login of the database, the shop's user of Redis, `rotation/` and `rotations.jsonl`.
    """
    project = stack.its_project()
    env = read_env(project.env_file)
    _check_unused(rotation, env)
    if Target.DATABASE in rotation.targets:
        with Postgres(stack.database, run_id).admin() as conn:
            logins.close_login(conn, rotation.new_user)
    if Target.REDIS in rotation.targets:
        old, new = known(rotation.old[REDIS_PASSWORD]), known(rotation.accept[REDIS_PASSWORD])
        with connect(users.administered(project)) as conn:
            users.refuse(conn, users.APP, new)
        users.keep(project, (old,), LocalRunner())
    turn = Turn(
        generation=rotation.generation,
        what="dropped",
        targets=rotation.targets,
        at=utc_now(),
        run_id=run_id,
        actor=actor,
    )
    rotations.record(stack.state_dir, turn)
    rotations.close(stack)


def _check_unused(rotation: Rotation, env: Mapping[str, str]) -> None:
    old, new = in_clear(rotation.old), in_clear(rotation.accept)
    in_use = [name for name, value in new.items() if value not in {None, old[name]} and env.get(name) == value]
    if in_use:
        raise PreconditionError(f"the .env has the new {', '.join(in_use)}: generation {rotation.generation} is used.")


def _drop_secrets(stack: StackSettings, args: Args, run_id: str) -> None:
    rotation = rotations.find_open(stack) if args["run_id"] == run_id else None
    if rotation is not None and rotation.generation == args["generation"] and rotation.state is State.GENERATED:
        drop(stack, rotation, run_id=run_id)


def _secrets_to(stack: StackSettings, args: Args, run_id: str) -> None:
    del run_id
    env_file = stack.its_project().env_file
    remove_unfinished(env_file)
    rotation = rotations.find_open(stack)
    if rotation is not None and rotation.generation == args["generation"]:
        change_env(env_file, in_clear(rotation.values_at(State(args["state"]))))


def _github_to(stack: StackSettings, args: Args, run_id: str) -> None:
    del run_id
    rotation = rotations.find_open(stack)
    if rotation is not None and rotation.generation == args["generation"]:
        write_github(stack, rotation, State(args["state"]))


def _grafana_to(stack: StackSettings, args: Args, run_id: str) -> None:
    del run_id
    rotation = rotations.find_open(stack)
    if rotation is not None and rotation.generation == args["generation"]:
        set_grafana(stack, rotation, known(rotation.values_at(State(args["state"]))[GRAFANA_PASSWORD]))


def _secrets_reached(stack: StackSettings, args: Args, run_id: str) -> None:
    del run_id
    if args["turn"]:
        rotations.record(stack.state_dir, Turn.model_validate(args["turn"]))
    rotation = rotations.find_open(stack)
    if rotation is None or rotation.generation != args["generation"]:
        return
    if args["over"]:
        rotations.close(stack)
        return
    due = {Target(target): datetime.fromisoformat(at) for target, at in args["due"].items()}
    since = Moment.model_validate(args["counted_from"]) if "counted_from" in args else rotation.counted_from
    reached = {"state": State(args["state"]), "due": due, "counted_from": since}
    rotations.save(stack, rotation.model_copy(update=reached))


UNDOERS: Mapping[str, Callable[[StackSettings, Args, str], None]] = {
    "drop-secrets": _drop_secrets,
    "secrets-to": _secrets_to,
    "github-to": _github_to,
    "grafana-to": _grafana_to,
    "secrets-reached": _secrets_reached,
}
