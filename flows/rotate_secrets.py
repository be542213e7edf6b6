"""Rotate secrets: the servers accept both, what serves moves over beside the old replicas, the old ones end later."""

from datetime import timedelta
from typing import Annotated, Literal

from prefect import flow
from pydantic import Field

from blocks import Stack
from pawpaw_ops.tasks.deploy_go import Seconds
from pawpaw_ops.tasks.secrets_begin import Unfinished, chosen
from pawpaw_ops.tasks.secrets_rotate import AT_ONCE, Times, accept, finish, pace_of, prepare
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="rotate-secrets-{stack}-{which}")
def rotate_secrets(
    stack: str = "prod",
    *,
    which: Literal["all", "database", "redis", "jwt", "grafana"] = "all",
    unfinished: Unfinished = "resume",
    emergency: bool = False,
    accept_logout: bool = False,
    grace_h: Annotated[float, Field(ge=0, le=168)] = 1.0,
    sessions_last_h: Annotated[float, Field(ge=0, le=168)] = 8.0,
    deadline_s: Seconds = 120,
    stable_s: Seconds = 5,
    soak_s: Seconds = 30,
) -> int:
    """Cambia los secretos sin que falle ninguna petición.

    Primero los servidores aceptan el secreto viejo y el nuevo; después las réplicas se reemplazan, como en un
    despliegue, por otras que usan el nuevo, y se comprueba. El viejo deja de servir más tarde, con retire-secrets. Si
    algo no cuadra, todo vuelve a como estaba. Si la corrida murió, la siguiente continúa donde se quedó.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        which: Qué se cambia: todo, o sólo la base (`database`), Redis (`redis`), la llave de las sesiones (`jwt`) o la
            contraseña de Grafana (`grafana`), que sólo tiene una: la vieja deja de servir en ese momento.
        unfinished: Qué hacer con una rotación que no terminó: `resume` continúa, `abort` olvida los secretos nuevos.
        emergency: Un secreto se filtró: el viejo deja de servir en esta misma corrida, y todas las sesiones se cierran.
        accept_logout: Cambiar la llave de las sesiones de golpe: todos tienen que volver a entrar. Para aplicaciones
            que sólo conocen una llave.
        grace_h: Cuánto sirven todavía el usuario viejo de la base y la contraseña vieja de Redis, en horas.
        sessions_last_h: Cuánto dura la sesión más larga, en horas: hasta entonces se acepta la llave anterior.
        deadline_s: Cuánto pueden tardar las réplicas nuevas en estar listas, en segundos.
        stable_s: Cuánto deben seguir listas antes de recibir peticiones, en segundos.
        soak_s: Cuánto se observan con peticiones reales antes de apagar las viejas, en segundos.

    Returns:
        The generation of secrets that is in use.

    Touches:
        The database's logins, a user of Redis, Grafana's administrator, the `.env`, and what a deploy touches;
        `rotation/`, `rotations.jsonl`.
    """
    settings = Stack.named(stack).settings()
    pace = pace_of(deadline_s=deadline_s, stable_s=stable_s, soak_s=soak_s)
    times = AT_ONCE if emergency else Times(timedelta(hours=grace_h), timedelta(hours=sessions_last_h))
    purpose = f"rotar secretos: {which}"
    with stack_session(settings, verb="rotate-secrets", purpose=purpose) as do:
        rotation = prepare(do, chosen(do, which), unfinished, abrupt=emergency or accept_logout, why=purpose)
        accept(do, rotation, pace, times)
    with stack_session(settings, verb="rotate-secrets", purpose=purpose) as do:
        return finish(do, pace, times, emergency=emergency)
