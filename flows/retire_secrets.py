"""Retire secrets: end what a rotation left valid for a while, when its time has come."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_go import Seconds
from pawpaw_ops.tasks.secrets_retire import find_due, retire
from pawpaw_ops.tasks.secrets_rotate import pace_of
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="retire-secrets-{stack}")
def retire_secrets(
    stack: str = "prod",
    *,
    now: bool = False,
    terminate: bool = False,
    deadline_s: Seconds = 120,
    stable_s: Seconds = 5,
    soak_s: Seconds = 30,
) -> str:
    """Termina los secretos viejos que una rotación dejó sirviendo, cuando llega su hora.

    El usuario viejo de la base se cierra sólo cuando nadie lo usa; si alguien lo usa, se niega y dice quién. Después se
    comprueba que el servidor lo rechaza. Si todavía no es hora no cambia nada.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        now: No esperar la hora. Las sesiones firmadas con la llave vieja se cierran.
        terminate: Cortar las sesiones que todavía usen el usuario viejo de la base.
        deadline_s: Cuánto pueden tardar las réplicas nuevas en estar listas, en segundos.
        stable_s: Cuánto deben seguir listas antes de recibir peticiones, en segundos.
        soak_s: Cuánto se observan con peticiones reales antes de apagar las viejas, en segundos.

    Returns:
        What was ended; empty where nothing was due.

    Touches:
        The old login of the database, a user of Redis; for the key of tokens the `.env` and what a deploy touches.
    """
    settings = Stack.named(stack).settings()
    due = find_due(settings, now=now)
    if not due:
        return report.nothing_to_do("", "no old secret is due")
    pace = pace_of(deadline_s=deadline_s, stable_s=stable_s, soak_s=soak_s)
    with stack_session(settings, verb="retire-secrets", purpose=f"terminar secretos viejos: {', '.join(due)}") as do:
        return retire(do, due, pace, terminate=terminate)
