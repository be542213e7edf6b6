"""Renew certificates: obtained, installed, loaded, and seen on every name."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks import certificates as step
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="certificates-{stack}")
def renew_certificates(stack: str = "prod", *, force: bool = False) -> str:
    """Renueva el certificado de la tienda cuando le queda un tercio de vida, y comprueba cuál se sirve.

    Sólo cuenta como renovado cuando la puerta muestra el certificado nuevo en cada nombre. Si la autoridad no responde,
    o la puerta no acepta el nuevo, el de antes sigue. Los nombres y la autoridad están en el `.env`: `SHOP_DOMAIN`,
    `ACME_NAMES`, `ACME_EMAIL`, `ACME_DIRECTORY`. El primero también lo obtiene esta corrida.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        force: Renovar aunque no toque. Las autoridades limitan cuántos dan por semana.

    Returns:
        What is served, and until when.

    Touches:
        The gateway's certificate and its workers; `acme/` in the stack's folder; an order at the authority.
    """
    settings = Stack.named(stack).settings_around_the_data()
    seen = step.look(settings, force=force)
    if not seen.why and not seen.stale:
        return report.nothing_to_do(seen.file.certificate.serial, "the certificate is served and not due")
    with stack_session(settings, verb="renew-certificates", purpose="renovar el certificado") as do:
        seen = step.look(do.stack, force=force)
        if not seen.why:
            step.load(do, seen)
            return step.report_certificate(do, seen, did="cargado el que estaba en la carpeta")
        step.install(do, seen, step.obtain(do, seen))
        return step.report_certificate(do, seen, did=f"renovado: {seen.why}")
