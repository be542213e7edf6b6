"""Adopt roles: a database that the application's own login owns comes to the roles of the stack, object by object."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks import Stack
from pawpaw_ops.tasks import adopt as step
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="adopt-roles-{stack}")
def adopt_roles(
    stack: str = "prod",
    *,
    approve: bool = False,
    plan: str = "",
    patience_s: Annotated[float, Field(ge=1, le=600)] = 60,
) -> str:
    """Pasa la base a un dueño que no puede entrar y a dos usuarios que se turnan, para poder rotar su contraseña.

    Se corre una vez, sobre una base cuya aplicación entra como superusuario o como dueño de todo. Primero muestra cada
    instrucción, por qué, y cómo se deshace; con approve las hace una por una, con la aplicación en servicio. Si algo
    falla, todo vuelve a como estaba. El usuario de hoy sigue sirviendo. Una segunda corrida no encuentra nada que
    hacer.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        approve: Hacer lo que el plan muestra. Sin esto sólo se muestra.
        plan: Identificador del plan que se aprobó; si ya no es el mismo, no se hace nada. Vacío: el de ahora.
        patience_s: Cuánto insistir con cada objeto que alguien tiene ocupado, en segundos.

    Returns:
        What was done; the plan's id where it was only shown.

    Touches:
        Roles of the server; owners and privileges in the database.
    """
    settings = Stack.named(stack).settings()
    with stack_session(settings, verb="adopt-roles", purpose="adoptar los roles") as do:
        seen = step.look(do)
        step.show(do, seen)
        step.check_approved(seen, plan)
        if not seen.plan.changes:
            return report.nothing_to_do(seen.plan.id, "all is as it shall be")
        if not approve:
            return report.nothing_to_do(seen.plan.id, step.PREVIEW.format(id=seen.plan.id))
        step.carry_out(do, seen, patience_s=patience_s)
        step.prove(do, seen)
        return step.report_adoption(do, seen)
