"""Deploy: new replicas beside the old ones, proven, switched, soaked; the old ones end last."""

from functools import partial
from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks import Stack
from blocks.registry import login_to_fetch
from pawpaw_ops.plans.traffic import Budget
from pawpaw_ops.tasks import deploy_look as look
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_checks import check
from pawpaw_ops.tasks.deploy_gate import Gate
from pawpaw_ops.tasks.deploy_go import Pace, Seconds, go
from pawpaw_ops.tasks.deploy_plan import plan_shown
from pawpaw_ops.tasks.deploy_start import WAY_BACK_H, migrate
from pawpaw_ops.tasks.github_status import commit_of, told_to_github
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="deploy-{stack}-{version}")
def deploy(
    stack: str = "prod",
    *,
    version: str = "newest",
    may_stop: tuple[str, ...] = (),
    accept_untested: bool = False,
    deadline_s: Seconds = 120,
    stable_s: Seconds = 5,
    soak_s: Seconds = 30,
    keep_warm_s: Seconds = 600,
    retain_releases: Annotated[int, Field(ge=1, le=100)] = 5,
    failed_ratio: Annotated[float, Field(ge=0, le=1)] = 0.01,
    p95_factor: Annotated[float, Field(ge=1)] = 2.0,
    backup_within_h: Annotated[float, Field(gt=0)] = WAY_BACK_H,
) -> str:
    """Despliega una versión sin que falle ninguna petición.

    Las réplicas nuevas se levantan al lado de las viejas, se prueban, y la puerta cambia a ellas de una vez. Las viejas
    siguen encendidas hasta que las nuevas sirvieron peticiones reales. Si algo no cuadra,
    todo vuelve a como estaba. Si al disco le falta espacio, primero se va lo que `prune` quitaría por su cuenta.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        version: `newest` (la compilación más nueva), una versión, o `current`: las mismas imágenes, con lo que haya
            cambiado en el `.env`.
        may_stop: Servicios que se pueden detener para cambiarlos: los que no pueden tener dos a la vez.
        accept_untested: Desplegar aunque las pruebas de esa versión no estén registradas.
        deadline_s: Cuánto pueden tardar las réplicas nuevas en estar listas, en segundos.
        stable_s: Cuánto deben seguir listas antes de recibir peticiones, en segundos.
        soak_s: Cuánto se observan con peticiones reales antes de apagar las viejas, en segundos.
        keep_warm_s: Cuánto siguen encendidas las réplicas que dejaron de servir, sin peticiones, en segundos; mientras
            tanto volver a ellas es un solo cambio de la puerta.
        retain_releases: De cuántas publicaciones se siguen sirviendo los archivos que piden las páginas ya abiertas.
        failed_ratio: Qué parte de las peticiones puede fallar, además de la que ya fallaba.
        p95_factor: Cuántas veces más lento que antes puede ser el percentil 95 al final de la observación.
        backup_within_h: Cuánto puede tener el último respaldo verificado, en horas, si una migración quita algo que las
            versiones anteriores necesitan.

    Returns:
        The id of the release that serves.

    Touches:
        Migrations, containers of changed services, the gateway's upstream files, images in the `.env`, the ledger.
        Where the disk lacks room, images that nobody needs.
    """
    settings = Stack.named(stack).settings()
    with stack_session(settings, verb="deploy", purpose=f"desplegar {version}") as do:
        chosen, commit = commit_of(do.stack, version)
        with told_to_github(do.stack, ref=commit, description=f"{chosen} → {stack}"):
            aim = look.choose_build(do, chosen, accept_untested=accept_untested)
            wanted = look.compare(do, aim, may_stop=may_stop, login=partial(login_to_fetch, stack))
            with plan_shown(do, wanted):
                if wanted.plan.nothing:
                    serving = wanted.current.id if wanted.current else ""
                    return report.nothing_to_do(serving, "every service is as it shall be")
                check(do, wanted)
            budget = Budget(failed_ratio=failed_ratio, p95_factor=p95_factor)
            pace = Pace(Gate(deadline_s, stable_s), soak_s, budget, keep_warm_s, retain_releases)
            schema = partial(migrate, do, wanted, backup_within_h=backup_within_h)
            return go(do, wanted, pace, schema=schema, why=f"desplegar {version}")
