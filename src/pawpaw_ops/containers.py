"""Containers of our own that a label names: found and ended, whoever started them."""

import time

from pawpaw_ops.commands.contained import labelled, remove
from pawpaw_ops.errors import CommandError, PreconditionError, Unreachable
from pawpaw_ops.runner import LocalRunner

DEADLINE_S = 20.0


def end_containers(engine: str, label: str, *, deadline_s: float = DEADLINE_S) -> int:
    """End and remove every container with a label. Harmless when there is none.

    Args:
        engine: Address of the Docker engine.
        label: `name=value`.
        deadline_s: How long they may take to go, in seconds.

    Returns:
        How many there were.

    Raises:
        Unreachable: The engine does not answer.
        PreconditionError: A container does not go.

    Touches:
        Those containers and their anonymous volumes.
    """
    runner, until, ended = LocalRunner(), time.monotonic() + deadline_s, set[str]()
    try:
        while ids := runner.ask(labelled(engine, label)):
            if time.monotonic() > until:
                raise PreconditionError(f"the containers {', '.join(ids)} with the label {label} do not go.")
            runner.run(remove(engine, ids))
            ended.update(ids)
    except CommandError as seen:
        raise Unreachable(
            f"looked for containers with the label {label} and the Docker engine at {engine} did not answer: {seen}",
            hint="Start it, or mend the block's Docker host.",
        ) from seen
    return len(ended)
