"""Build images: what a commit has, by its hash, all of it or nothing."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks import Stack
from blocks.registry import registry_login
from pawpaw_ops.tasks import build_images as step
from pawpaw_ops.tasks.sources import written_out


@flow(flow_run_name="build-{stack}")
def build_images(
    stack: str = "prod",
    *,
    revision: Annotated[str, Field(pattern=r"^([0-9a-fA-F]{7,40})?$")] = "",
    services: list[str] | None = None,
    allow_dirty: bool = False,
    push: bool = False,
    registry: str = "",
    attest: bool = False,
) -> str:
    """Construye las imágenes del stack desde un commit y anota el identificador de cada una.

    Lo que git ignora no entra en ninguna imagen. Si una falla, ninguna queda con nombre y nada se anota; lo que corre
    no se toca.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        revision: Hash de un commit; se trae de origin si falta. Vacío: el que tiene el directorio del stack.
        services: Sólo estos servicios. Vacío: todos los que construye el archivo de Compose.
        allow_dirty: Acepta cambios que ningún commit tiene; el nombre de la versión lo dice.
        push: Envía además las imágenes al registro.
        registry: Nombre del bloque Docker Registry Credentials. Vacío: el del stack.
        attest: Guarda con cada imagen su lista de contenidos (SBOM) y su procedencia, donde buildx y el motor pueden.

    Returns:
        The version.

    Touches:
        Images on the engine, `builds/` in the stack's folder, and with *push* the registry. No container.
    """
    place = Stack.named(stack).workplace()
    login = registry_login(registry or stack, wanted=push)
    with written_out(place, revision=revision, allow_dirty=allow_dirty) as sources:
        work, build = step.build_all(place, sources, login=login, only=services or (), attest=attest)
    step.report_build(place, work, build)
    return build.version
