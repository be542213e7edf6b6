"""Check hardening: the stack's files, what runs, and the server that runs us, against how they should be."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks import hardening as step
from pawpaw_ops.tasks.findings import read_waivers, report_findings


@flow(flow_run_name="hardening-{stack}")
def check_hardening(stack: str = "prod") -> str:
    """Revisa qué tan cerrado está el stack: sus archivos, lo que corre y el servidor de Prefect.

    Tres respuestas: bien, mal y no se sabe; lo que no se pudo mirar no está bien. Cada hallazgo dice qué hacer y nunca
    muestra el valor de un secreto. Quien decide vivir con uno lo escribe en `waivers.toml`, con motivo y último día.

    Args:
        stack: Nombre del bloque Stack: `prod`.

    Returns:
        How many findings there are of each kind.

    Touches:
        Nothing.
    """
    place = Stack.named(stack).workplace()
    found = (*step.look_at_files(place), *step.look_at_containers(place), *step.look_at_control_plane())
    return report_findings(f"hardening-{stack}", found, read_waivers(place.project))
