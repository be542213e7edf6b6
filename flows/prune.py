"""Prune: images and records that nobody needs; never a volume, never by force."""

from datetime import timedelta
from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks import Stack
from pawpaw_ops.plans.prune import Limits
from pawpaw_ops.tasks import prune as step
from pawpaw_ops.tasks import prune_look as look
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.expire import expire_records
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="prune-{stack}")
def prune(
    stack: str = "prod",
    *,
    approve: bool = False,
    plan: str = "",
    above_percent: Annotated[float, Field(ge=0, le=100)] = 0,
    keep_releases: Annotated[int, Field(ge=1, le=50)] = 3,
    keep_builds: Annotated[int, Field(ge=1, le=50)] = 3,
    min_age_h: Annotated[float, Field(ge=0)] = 48,
    keep_days: Annotated[int, Field(ge=7)] = 90,
) -> str:
    """Libera disco sin perder datos ni la vuelta atrás: muestra qué quitaría y, con approve, quita exactamente eso.

    Nunca toca un volumen, nunca fuerza, y nunca toca imágenes que no son del stack. Se quedan las que usa algún
    contenedor, las de las últimas versiones, las compilaciones recientes, las fijadas con una etiqueta `keep…` y
    las que llegaron hace poco. Primero dice qué ocupa el disco; si lo que crece es otra cosa, lo dice y no quita nada.
    Al final comprueba que de cada versión a la que se puede volver se puede crear un contenedor.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        approve: Quitar lo que el plan muestra. Sin esto sólo se muestra.
        plan: Identificador del plan que se aprobó; si ya no es el mismo, no se quita nada. Vacío: el de ahora.
        above_percent: Quitar sólo si el disco está al menos así de lleno, en porcentaje.
        keep_releases: A cuántas versiones anteriores se debe poder volver.
        keep_builds: Cuántas compilaciones recientes se quedan, aunque no se hayan desplegado.
        min_age_h: Cuánto debe llevar una imagen en este motor para poder irse, en horas.
        keep_days: Cuántos días se quedan los diarios, los registros de pruebas y la historia de corridas en Prefect.

    Returns:
        The plan's id where nothing was removed; otherwise what went.

    Touches:
        Images, ended one-off containers, old journals and logs of tests of this stack; its old runs in Prefect.
    """
    limits = Limits(releases=keep_releases, builds=keep_builds, min_age=timedelta(hours=min_age_h))
    settings = Stack.named(stack).settings_around_the_data()
    with stack_session(settings, verb="prune", purpose="liberar disco") as do:
        seen = look.look(do, limits)
        look.show(do, seen)
        if not approve:
            return report.nothing_to_do(seen.plan.id, look.PREVIEW.format(id=seen.plan.id))
        if not look.check_wanted(seen, plan=plan, above_percent=above_percent):
            return seen.plan.id
        step.decide(do, seen)
        removed = step.remove(do, seen)
        ready = step.rehearse(do, seen, limits)
        return step.report_removed(do, seen, removed, ready, expire_records(do, keep_days=keep_days))
