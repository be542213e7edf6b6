"""Check secrets: the `.env`, what runs, what the servers take, the blocks, the age of each."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks import Stack
from pawpaw_ops.tasks.check_secrets import check


@flow(flow_run_name="check-secrets-{stack}")
def check_secrets(stack: str = "prod", *, oldest_days: Annotated[int, Field(ge=1, le=3650)] = 180) -> int:
    """Compara los secretos del `.env` con los que corren y con los que aceptan los servidores, sin mostrar ninguno.

    También dice cuánto tiempo tiene cada uno, y si una rotación quedó a medias; de los que se cambian a mano deja una
    lista aparte. Lo que no se pudo ver queda sin verificar, que no es un sí.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        oldest_days: Cuántos días puede tener un secreto antes de que haya que cambiarlo.

    Returns:
        How many things were looked at.

    Touches:
        `secrets-met.json` in the stack's folder: since when each secret is what it is, as a keyed hash.
    """
    return check(Stack.named(stack).settings(), oldest_days=oldest_days)
