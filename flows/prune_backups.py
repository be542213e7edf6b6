"""Prune backups: a full disk gets room from backups that another location has too."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks import Stack
from pawpaw_ops.tasks import prune_backups as step
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="prune-backups-{stack}")
def prune_backups(
    stack: str = "prod", *, approve: bool = False, until_percent: Annotated[float, Field(ge=0, le=100)] = 85
) -> str:
    """Emergencia de disco: quita de aquí los respaldos más viejos que otro lugar también tiene, verificados.

    Sólo muestra cuáles, salvo con approve. Antes de quitar cada uno relee la copia del otro lugar, entera; si no está
    bien, el de aquí se queda. Los más nuevos verificados (`keep_verified`), los fijados y los que alguien lee no se van
    nunca. Termina en cuanto el disco de los respaldos vuelve a tener lugar.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        approve: Quitar lo que se muestra. Sin esto sólo se muestra.
        until_percent: Hasta qué tan lleno, en porcentaje, debe bajar el disco.

    Returns:
        What went, or what would.

    Touches:
        Backups in the store's folder; marks of copies that turn out bad, where they lie.
    """
    settings = Stack.named(stack).settings_around_the_data()
    with stack_session(settings, verb="prune-backups", purpose="disco lleno") as do:
        spares = step.look(do)
        gist = step.show(do, spares)
        if not approve:
            return report.nothing_to_do(gist, "nothing was removed; `approve=true` removes, oldest first")
        return step.report_removed(do, step.remove(do, spares, until_percent=until_percent))
