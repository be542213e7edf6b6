"""Freeze: nothing changes the stack until somebody says so."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks.freeze import freeze_stack
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="freeze-{stack}")
def freeze(stack: str = "prod", *, reason: str = "") -> str:
    """Congela el stack: ningún verbo que lo cambie corre hasta `unfreeze`.

    Los respaldos, los simulacros y lo que sólo mira siguen trabajando, y `reconcile-gateway` sigue corrigiendo
    direcciones. Una corrida que ya está en curso termina.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        reason: Por qué; se le dice a quien lo intente.

    Returns:
        Since when.

    Touches:
        `freeze.json` in the stack's folder.
    """
    settings = Stack.named(stack).settings()
    with stack_session(settings, verb="freeze", purpose=reason or "congelar", exclusive=False) as do:
        return freeze_stack(do, reason)
