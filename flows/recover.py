"""Recover: finish, or take back, what runs left that died."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks.recover import report_recovery, say_who_died
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="recover-{stack}")
def recover(stack: str = "prod") -> list[str]:
    """Deshace lo que dejó una corrida que murió, o lo termina si ya estaba decidido.

    Es lo mismo que hace cualquier verbo al empezar; éste no hace nada más. La corrida muerta queda como Crashed en la
    interfaz. Mientras nada haya muerto no cambia nada.

    Args:
        stack: Nombre del bloque Stack: `prod`.

    Returns:
        The ids of the runs that were cleared up.

    Touches:
        What the journals of dead runs say.
    """
    settings = Stack.named(stack).settings()
    found = say_who_died(settings)
    with stack_session(settings, verb="recover", purpose="recuperar") as do:
        return report_recovery(do, found)
