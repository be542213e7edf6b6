"""Restore Redis: beside the live data, proven, approved, exchanged."""

from prefect import flow

from blocks import BackupIdentity, Stack
from pawpaw_ops.tasks import redis_restore as step
from pawpaw_ops.tasks import redis_swap
from pawpaw_ops.tasks.approval import ask_for_approval
from pawpaw_ops.tasks.quiesce import QuiescePolicy, quiesce_services, resume_services
from pawpaw_ops.tasks.redis_report import preview, report_restore
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="restore-redis-{stack}-{backup}")
def restore_redis(
    stack: str = "prod",
    *,
    backup: str = "newest",
    quiesce: QuiescePolicy = "drain",
    approve: bool = False,
    approval_timeout_h: float = 12,
) -> str:
    """Restaura Redis: prueba el respaldo en un Redis desechable, lo arma al lado, pregunta, y cambia los nombres.

    Redis no se detiene hasta el cambio. Lo reemplazado se conserva: `undo-restore-redis` lo devuelve.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        backup: `newest` (el más nuevo verificado), un id, o una fecha.
        quiesce: Qué hacer con los clientes durante el cambio: `drain` muestra la página de mantenimiento y deja
            terminar lo que está en curso; `stop` además detiene los backends y los levanta uno por uno; `none`, nada.
        approve: Cambiar sin preguntar.
        approval_timeout_h: Cuánto esperar la aprobación, en horas.

    Returns:
        The name under which the replaced data is kept.

    Touches:
        One folder beside the live data, then two names; Redis is stopped and started once.
    """
    settings = Stack.named(stack).settings()
    keys = BackupIdentity.named(settings.identity_block).keys()
    with stack_session(settings, verb="restore-redis", purpose=f"restaurar Redis {backup}") as do:
        live = step.look_before_restore(do)
        chosen = step.choose_backup(do, live, backup)
        ready = step.fetch_and_check(do, live, chosen, keys)
        step.prove(do, live, ready)
        names = step.build_beside(do, live, ready)
        question = preview(do, live, ready)
        ask_for_approval(do, question=question, name=live.server.name, approve=approve, timeout_h=approval_timeout_h)
        names = step.ask_again(do, live, names)
        quiesce_services(do, quiesce)
        exchanged = redis_swap.exchange(do, live, ready, names)
        resume_services(do)
        report_restore(do, live, ready, exchanged)
    return exchanged.retired
