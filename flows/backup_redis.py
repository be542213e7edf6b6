"""Back up Redis: take its data, start a server on it, seal, publish, prove."""

from prefect import flow

from blocks import Stack
from pawpaw_ops.tasks import publish, retention
from pawpaw_ops.tasks import redis_backup as step
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="backup-redis-{stack}")
def backup_redis(stack: str = "prod", *, exact: bool = False) -> str:
    """Respalda Redis: un snapshot por la red, probado en un Redis desechable, sellado, y prueba de los bytes guardados.

    Nada es visible hasta que la prueba pasó. Si falla, no queda nada a medias.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        exact: Copiar los archivos append-only hasta la última escritura, en vez de un snapshot. Necesita `data_folder`.

    Returns:
        The id of the backup.

    Touches:
        A scratch folder, a server of its own, the backup store, and data that an earlier restore replaced and whose
        time is over. With `exact`, Redis does not rewrite its append-only files for some milliseconds.
    """
    settings = Stack.named(stack).settings()
    with stack_session(settings, verb="backup-redis", purpose="respaldo de Redis") as do:
        before = step.look_before_backup(do, exact=exact)
        previous = publish.newest_verified(before.catalogs)
        taken = step.take(do, before, exact=exact)
        dumped = step.describe(do, before, taken)
        sealed, run_key = publish.seal_backup(do, dumped)
        stored = publish.store_sealed(do, before, dumped, sealed, run_key)
        step.prove_stored_bytes(do, before, stored)
        manifest = step.publish_backup(do, stored, previous)
        pending = retention.copy_pending(do, before.catalogs)
        frozen = retention.expire_backups(do, before.catalogs)
        step.drop_replaced(do, before)
        step.report_backup(do, manifest, stored, (*pending, *frozen))
    return manifest.backup_id
