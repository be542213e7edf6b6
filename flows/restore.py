"""Restore: beside the live database, proven, approved, swapped."""

from prefect import flow

from blocks import BackupIdentity, Stack
from pawpaw_ops.tasks import cutover, redis_policy
from pawpaw_ops.tasks import restore as step
from pawpaw_ops.tasks.approval import ask_for_approval
from pawpaw_ops.tasks.prove import prove_equal
from pawpaw_ops.tasks.quiesce import QuiescePolicy, quiesce_services, resume_services
from pawpaw_ops.tasks.restore_report import preview, report_restore, swap_of
from pawpaw_ops.tasks.stack_session import stack_session
from pawpaw_ops.tasks.standby import (
    StandbyPolicy,
    look_at_standby,
    report_standby,
    see_standby_follow,
    wait_for_standby,
)


@flow(flow_run_name="restore-{stack}-{backup}")
def restore_db(
    stack: str = "prod",
    *,
    backup: str = "newest",
    into: str = "",
    redis: redis_policy.RedisPolicy = "keep",
    quiesce: QuiescePolicy = "drain",
    standby: StandbyPolicy = "must-follow",
    accept_schema: bool = False,
    approve: bool = False,
    approval_timeout_h: float = 12,
) -> str:
    """Restaura al lado de la base viva, prueba que es igual a lo respaldado, pregunta, y cambia los nombres.

    La base viva no se toca hasta el cambio, que es una sola transacción. La reemplazada se conserva:
    `undo-restore` la devuelve.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        backup: `newest` (el más nuevo verificado), un id, una fecha, o la ruta de un archivo `.sql.gz`.
        into: Restaurar con este otro nombre y no tocar la viva.
        redis: Qué hacer con Redis, que es más nuevo que el respaldo: `keep` lo deja, `flush` lo vacía, `nearest`
            restaura el respaldo de Redis más nuevo que no sea posterior al de la base. Con `into` no se toca.
        quiesce: Qué hacer con los clientes durante el cambio: `drain` muestra la página de mantenimiento y deja
            terminar lo que está en curso; `stop` además detiene los backends y los levanta uno por uno; `none`, nada.
        standby: Qué hacer si la réplica no puede seguir el cambio (en pausa, apagada, atrasada): `must-follow` no
            cambia sin ella, y lo dice antes de preparar nada; `go-on` cambia de todos modos y dice cómo quedó.
        accept_schema: Aceptar un esquema más viejo que el de la base viva; `schema_query` en su bloque pregunta la
            versión.
        approve: Cambiar sin preguntar.
        approval_timeout_h: Cuánto esperar la aprobación, en horas.

    Returns:
        The name of the database that was replaced and is kept.

    Touches:
        A side database, then two names in one transaction; Redis as asked.
    """
    settings = Stack.named(stack).settings()
    keys = BackupIdentity.named(settings.identity_block).keys()
    with stack_session(settings, verb="restore-db", purpose=f"restaurar {backup}") as do:
        chosen = step.choose_backup(do, backup)
        compared = step.compare_with_live.submit(do, chosen)
        ready = step.fetch_and_verify(do, chosen, keys)
        after = redis_policy.prepare(do, redis, ready, keys, into=into)
        planned = step.plan_restore(do, ready, into, accept_schema=accept_schema)
        outlook = None if into else look_at_standby(do, standby)
        side_oid = step.load_beside(do, ready, planned, spare_slots=standby == "must-follow")
        proof = prove_equal(do, ready, planned.side, like=planned.like)
        cutover.mark_proven(do, planned, proof.found, side_oid)
        if into:
            return cutover.open_beside(do, planned)
        question = preview(do, chosen, planned, proof, compared.result(), standby=outlook, after=after.says)
        ask_for_approval(do, question=question, name=planned.live, approve=approve, timeout_h=approval_timeout_h)
        cutover.ask_again(do, planned, side_oid)
        outlook = wait_for_standby(do, standby)
        quiesce_services(do, quiesce)
        swapped = cutover.swap_names(do, swap_of(planned), incoming_oid=side_oid, source=planned.source)
        seen = see_standby_follow(do, swapped, outlook)
        redis_policy.settle(do, after)
        resume_services(do)
        report_restore(do, planned, proof, swapped)
        report_standby(do, standby, swapped, outlook, seen)
    return swapped.retired
