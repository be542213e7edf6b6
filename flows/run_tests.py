"""Run tests: the shop's own suites, and the built images themselves on empty servers."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks import run_tests as step
from pawpaw_ops.tasks.smoke import smoke
from pawpaw_ops.tasks.sources import written_out_again


@flow(flow_run_name="tests-{stack}-{version}")
def run_tests(
    stack: str = "prod", *, version: str = "newest", suites: list[str] | None = None, timeout_s: float = 1200.0
) -> str:
    """Prueba una versión construida: las suites de la tienda, y sus imágenes arrancadas sobre servidores vacíos.

    El veredicto queda ligado al identificador de cada imagen. Una suite que no pudo correr queda *sin verificar*,
    nunca en verde, y la corrida falla.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        version: Versión construida. `newest`: la más nueva de un árbol limpio.
        suites: Sólo estas suites; el veredicto queda entonces sin verificar. Vacío: todas.
        timeout_s: Lo más que puede tardar cada suite, en segundos.

    Returns:
        The verdict.

    Touches:
        Containers and images of its own, which go again; `builds/` and `tests/` in the stack's folder.
    """
    place = Stack.named(stack).workplace()
    chosen = step.chosen(suites or ())
    build = step.choose(place, version)
    with written_out_again(place, build) as sources, step.Bench(place, sources, build) as bench:
        results = [step.run_suite(bench, suite, timeout_s=timeout_s) for suite in chosen]
        smoked, tested = smoke(place, sources, build, timeout_s=timeout_s)
    return str(step.record(place, build, [*results, smoked], tested, whole=not suites).verdict)
