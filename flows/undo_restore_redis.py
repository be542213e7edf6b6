"""Undo a Redis restore: the same exchange, reversed."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks import redis_restore
from pawpaw_ops.tasks import redis_swap as step
from pawpaw_ops.tasks.approval import ask_for_approval
from pawpaw_ops.tasks.quiesce import QuiescePolicy, quiesce_services, resume_services
from pawpaw_ops.tasks.redis_report import preview_undo, report_restore
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="undo-restore-redis-{stack}")
def undo_restore_redis(
    stack: str = "prod", *, quiesce: QuiescePolicy = "drain", approve: bool = False, approval_timeout_h: float = 12
) -> str:
    """Devuelve los datos de Redis que la última restauración reemplazó.

    Lo escrito desde entonces no se pierde: queda guardado al lado, y deshacer también se puede deshacer.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        quiesce: Qué hacer con los clientes durante el cambio: `drain` muestra la página de mantenimiento y deja
            terminar lo que está en curso; `stop` además detiene los backends y los levanta uno por uno; `none`, nada.
        approve: Cambiar sin preguntar.
        approval_timeout_h: Cuánto esperar la aprobación, en horas.

    Returns:
        The name under which the data that was live is kept.

    Touches:
        Two names; Redis is stopped and started once.
    """
    settings = Stack.named(stack).settings()
    with stack_session(settings, verb="undo-restore-redis", purpose="deshacer la restauración de Redis") as do:
        live = redis_restore.look_before_restore(do)
        replaced, at, layout = step.find_replaced(do, live)
        ready = step.look_at_replaced(do, live, replaced, layout)
        question = preview_undo(do, live, ready, at)
        ask_for_approval(do, question=question, name=live.server.name, approve=approve, timeout_h=approval_timeout_h)
        names = step.check_again(do, live, replaced, layout)
        quiesce_services(do, quiesce)
        exchanged = step.exchange(do, live, ready, names)
        resume_services(do)
        report_restore(do, live, ready, exchanged)
    return exchanged.retired
