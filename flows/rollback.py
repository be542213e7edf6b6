"""Roll back: the release before, by the ids of its images, the same way as a deploy."""

from functools import partial

from prefect import flow

from blocks import Stack
from blocks.registry import login_to_fetch
from pawpaw_ops.plans.traffic import FAILURES_ONLY
from pawpaw_ops.tasks import deploy_look as look
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_back import choose_release, schema_as_it_is
from pawpaw_ops.tasks.deploy_checks import check
from pawpaw_ops.tasks.deploy_gate import Gate
from pawpaw_ops.tasks.deploy_go import Pace, Seconds, go
from pawpaw_ops.tasks.deploy_plan import plan_shown
from pawpaw_ops.tasks.github_status import told_to_github
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="rollback-{stack}-{to}")
def rollback(
    stack: str = "prod",
    *,
    to: str = "",
    accept_schema: bool = False,
    deadline_s: Seconds = 60,
    stable_s: Seconds = 0,
    soak_s: Seconds = 0,
    keep_warm_s: Seconds = 600,
) -> str:
    """Vuelve a la versión anterior, con sus mismas imágenes, sin que falle ninguna petición.

    El esquema de la base no retrocede: si hubo una migración con la que esa versión no puede trabajar, se niega y dice
    con qué respaldo se volvería.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        to: Una versión o un id de publicación; vacío es la anterior de la que no se haya vuelto ya.
        accept_schema: Volver aunque haya una migración con la que esa versión no puede trabajar.
        deadline_s: Cuánto pueden tardar sus réplicas en estar listas, en segundos.
        stable_s: Cuánto deben seguir listas antes de recibir peticiones, en segundos.
        soak_s: Cuánto se observan con peticiones reales antes de apagar las otras, en segundos.
        keep_warm_s: Cuánto siguen encendidas las réplicas que dejaron de servir, sin peticiones, en segundos; mientras
            tanto volver a ellas es un solo cambio de la puerta.

    Returns:
        The id of the release that serves.

    Touches:
        Containers of changed services, the gateway's upstream files, images in the `.env`, the ledger. An image that
        is gone from the engine is fetched; where the disk lacks room for it, images that nobody needs go.
    """
    settings = Stack.named(stack).settings()
    with stack_session(settings, verb="rollback", purpose=f"volver a {to or 'la versión anterior'}") as do:
        aim = choose_release(do, to, accept_schema=accept_schema)
        with told_to_github(do.stack, ref=aim.git_sha, description=f"volver a {aim.version}"):
            wanted = look.compare(do, aim, login=partial(login_to_fetch, stack))
            with plan_shown(do, wanted):
                if wanted.plan.nothing:
                    return report.nothing_to_do(aim.version, "its images serve already")
                check(do, wanted, certificate=False)
            pace = Pace(Gate(deadline_s, stable_s, checked=False), soak_s, FAILURES_ONLY, keep_warm_s)
            return go(do, wanted, pace, schema=lambda: schema_as_it_is(wanted), why=f"volver a {aim.version}")
