"""Unfreeze: the stack may be changed again."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks.freeze import unfreeze_stack
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="unfreeze-{stack}")
def unfreeze(stack: str = "prod") -> str:
    """Descongela el stack: los verbos que lo cambian vuelven a correr.

    Args:
        stack: Nombre del bloque Stack: `prod`.

    Returns:
        How it stands.

    Touches:
        `freeze.json` in the stack's folder.
    """
    settings = Stack.named(stack).settings()
    with stack_session(settings, verb="unfreeze", purpose="descongelar", exclusive=False) as do:
        return unfreeze_stack(do)
