"""List backups: what there is, how old, how large, and whether it is verified."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks.listing import list_catalog


@flow(flow_run_name="list-backups-{stack}")
def list_backups(stack: str = "prod") -> int:
    """Muestra los respaldos: antigüedad, tamaño, lugar, y si están verificados, fallidos o sin verificar.

    Args:
        stack: Nombre del bloque Stack: `prod`.

    Returns:
        How many there are.

    Touches:
        Nothing.
    """
    return len(list_catalog(Stack.named(stack).settings()))
