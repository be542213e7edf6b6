"""Drill: restore what is stored into a throw-away server, and climb the ladder of proof."""

from prefect import flow

from blocks import BackupIdentity, Stack
from pawpaw_ops.tasks import drill as step
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="drill-{stack}-{backup}")
def drill_restore(
    stack: str = "prod", *, backup: str = "newest", budget_min: float | None = None, self_test: bool = False
) -> str:
    """Restaura de verdad, en un servidor desechable, y sube la escalera de pruebas L0 a L8.

    Sólo usa los bytes guardados y la llave; la base viva no se toca ni se necesita. El resultado queda firmado.
    Lo que no se pudo mirar es *not verified*, y la corrida falla igual que si el respaldo estuviera roto.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        backup: `newest` (el más nuevo y otro al azar) o el id de uno.
        budget_min: Cuánto puede tardar la restauración, en minutos; pasarse es un aviso.
        self_test: Probar antes el simulacro mismo: respaldos rotos a propósito deben fallar cada uno en su peldaño.

    Returns:
        What was found, in one sentence per backup.

    Touches:
        A server and a scratch folder of its own; proofs and evidence beside the backups.
    """
    settings = Stack.named(stack).settings()
    keys = BackupIdentity.named(settings.identity_block).keys()
    with stack_session(settings, verb="drill-restore", purpose=f"simulacro de {backup}", exclusive=False) as do:
        step.self_test(do.stack.database.tools, wanted=self_test)
        drilled = step.choose_drilled(do, backup)
        records = [step.drill_backup(do, one, keys, budget_min=budget_min) for one in drilled]
        step.keep_results(do, drilled, records, keys[0])
        step.report_drill(do, records, keys[0])
    return step.conclude(records)
