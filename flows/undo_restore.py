"""Undo a restore: the same swap, reversed."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks import cutover
from pawpaw_ops.tasks import undo_restore as step
from pawpaw_ops.tasks.approval import ask_for_approval
from pawpaw_ops.tasks.quiesce import QuiescePolicy, quiesce_services, resume_services
from pawpaw_ops.tasks.stack_session import stack_session
from pawpaw_ops.tasks.standby import (
    StandbyPolicy,
    look_at_standby,
    report_standby,
    see_standby_follow,
    wait_for_standby,
)


@flow(flow_run_name="undo-restore-{stack}")
def undo_restore(
    stack: str = "prod",
    *,
    quiesce: QuiescePolicy = "drain",
    standby: StandbyPolicy = "must-follow",
    approve: bool = False,
    accept_lost_writes: bool = False,
    approval_timeout_h: float = 12,
) -> str:
    """Devuelve la base de datos que la última restauración reemplazó.

    Si desde entonces hubo escrituras, las enumera y sólo sigue con `accept_lost_writes` o con la aprobación
    de una persona.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        quiesce: Qué hacer con los clientes durante el cambio: `drain` muestra la página de mantenimiento y deja
            terminar lo que está en curso; `stop` además detiene los backends y los levanta uno por uno; `none`, nada.
        standby: Qué hacer si la réplica no puede seguir el cambio (en pausa, apagada, atrasada): `must-follow` no
            cambia sin ella, y lo dice antes de preparar nada; `go-on` cambia de todos modos y dice cómo quedó.
        approve: Cambiar sin preguntar.
        accept_lost_writes: Aceptar de antemano que se pierdan las escrituras posteriores.
        approval_timeout_h: Cuánto esperar la aprobación, en horas.

    Returns:
        The name under which the database that was live is kept.

    Touches:
        Two names in one transaction.
    """
    settings = Stack.named(stack).settings()
    with stack_session(settings, verb="undo-restore", purpose="deshacer la restauración") as do:
        old, marker, old_oid = cutover.find_replaced(do)
        outlook = look_at_standby(do, standby)
        changed, unknown = cutover.later_writes(do)
        found = cutover.look_at_replaced(do, old, old_oid)
        question = step.preview_undo(do, old, marker, changed, unknown, standby=outlook)
        step.refuse_to_lose(changed, unknown, approve=approve, accept_lost_writes=accept_lost_writes)
        ask_for_approval(
            do, question=question, name=settings.database.name, approve=approve, timeout_h=approval_timeout_h
        )
        names = step.check_again(do, old, old_oid)
        outlook = wait_for_standby(do, standby)
        quiesce_services(do, quiesce)
        swapped = cutover.swap_names(do, names, incoming_oid=old_oid, source=old)
        seen = see_standby_follow(do, swapped, outlook)
        resume_services(do)
        step.report_undo(do, names, found, swapped)
        report_standby(do, standby, swapped, outlook, seen)
    return swapped.retired
