"""Reconcile the gateway: its files against the containers that there are."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.reconcile import end_overdue, look_for_drift, repair, warm_for_too_long
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="reconcile-gateway-{stack}")
def reconcile_gateway(stack: str = "prod") -> str:
    """Compara los archivos de la puerta con las réplicas que hay, y los corrige.

    Una réplica que se reinició puede tener otra dirección; una que alguien añadió a mano no recibe peticiones hasta que
    la puerta la conoce. También apaga las réplicas de la versión anterior cuyo tiempo de reserva se acabó. Si todo
    coincide no toma el candado ni cambia nada.

    Args:
        stack: Nombre del bloque Stack: `prod`.

    Returns:
        What was wrong; empty where nothing was.

    Touches:
        The gateway's upstream files, and its workers; replicas that were kept warm.
    """
    settings = Stack.named(stack).settings()
    if not (look_for_drift(settings).wrong or warm_for_too_long(settings)):
        return report.nothing_to_do("", "the gateway's files are true")
    with stack_session(settings, verb="reconcile-gateway", purpose="corregir la puerta") as do:
        said = repair(do)
        end_overdue(do)
        return said
