"""Audit dependencies: what is known against the packages and base images that the stack is made of."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks import Stack
from pawpaw_ops.tasks import dependencies as step
from pawpaw_ops.tasks import update_dependencies as change
from pawpaw_ops.tasks.findings import read_waivers, report_findings
from pawpaw_ops.tasks.image_scan import scan_images


@flow(flow_run_name="dependencies-{stack}")
def audit_dependencies(
    stack: str = "prod",
    *,
    update: bool = False,
    base: str = "main",
    min_age_days: Annotated[int, Field(ge=0, le=60)] = 7,
    timeout_s: float = 1200.0,
) -> str:
    """Pregunta qué se sabe contra los paquetes y las imágenes de la tienda, y hasta cuándo se corrigen sus bases.

    Las imágenes las revisa el programa que diga `image_scan` en el bloque Compose Project; sin él no se sabe.
    Un registro que no contesta no es lo mismo que nada encontrado: queda como *no se sabe* y la corrida falla. Quien
    decide vivir con un hallazgo lo escribe en `waivers.toml`, con motivo y último día. Con `update` prepara además un
    cambio: sólo los archivos de bloqueo, en una rama, probado en las imágenes que se construyen de ella; si es mejor y
    las pruebas pasan, abre un pull request. Nunca con `--force`, y nunca en el servidor.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        update: Preparar el cambio y pedirlo en GitHub.
        base: Rama que debe recibir el cambio.
        min_age_days: Cuántos días debe llevar publicada una versión para tomarla.
        timeout_s: Lo más que puede tardar cada suite, en segundos.

    Returns:
        How many findings there are of each kind, or the address of the pull request.

    Touches:
        Nothing; with *update* a branch, images on the engine, the record of their tests, and a pull request.
    """
    block = Stack.named(stack)
    place = block.workplace()
    if update:
        with change.workshop(place) as folder:
            made = change.make_change(place, folder, min_age_days=min_age_days)
        build = change.prove(place, made, timeout_s=timeout_s)
        return change.propose(place, made, build, block.repository(), base=base)
    packages = (*step.audit_npm(place.project.file.parent), *step.audit_pip())
    found = (*packages, *step.look_for_ends(place), *scan_images(place))
    return report_findings(f"dependencies-{stack}", found, read_waivers(place.project))
