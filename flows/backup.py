"""Back up: dump in one snapshot, seal, publish, prove."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from blocks import Stack
from pawpaw_ops.plans.wal_archive import KEEP_H
from pawpaw_ops.tasks import backup as step
from pawpaw_ops.tasks import publish, retention, wal_archive
from pawpaw_ops.tasks.stack_session import stack_session


@flow(flow_run_name="backup-{stack}")
def backup_db(
    stack: str = "prod", *, export_sql: bool = False, keep_wal_h: Annotated[float, Field(ge=1)] = KEEP_H
) -> str:
    """Respalda la base de datos: un solo snapshot, huella de cada tabla, sellado, y prueba de los bytes guardados.

    Nada es visible hasta que la prueba pasó. Si falla, no queda nada a medias. Al final acorta el archivo de WAL.

    Args:
        stack: Nombre del bloque Stack: `prod`.
        export_sql: Escribe además `backup_YYYY-MM-DD.sql.gz`, como el manual de antes.
        keep_wal_h: Cuánto se queda todo lo archivado del WAL, en horas; lo que la réplica aún necesita, siempre.

    Returns:
        The id of the backup.

    Touches:
        A scratch folder, the backup store, databases that an earlier restore replaced and whose time is over, and
        segments of the stack's WAL archive that nobody needs.
    """
    settings = Stack.named(stack).settings()
    with stack_session(settings, verb="backup-db", purpose="respaldo") as do:
        facts = step.look_before_backup(do)
        previous = publish.newest_verified(facts.catalogs)
        with step.one_snapshot(do) as snapshot:
            prints = step.fingerprint_tables.submit(do, snapshot)
            folder = step.dump_database(do, facts, snapshot)
            step.export_plain_sql(do, snapshot, wanted=export_sql)
            dumped = step.describe_dump(do, facts, snapshot, folder, prints.result())
        sealed, run_key = publish.seal_backup(do, dumped)
        stored = publish.store_sealed(do, facts, dumped, sealed, run_key)
        publish.prove_stored_bytes(do, stored)
        manifest = publish.publish_backup(do, stored, previous)
        pending = retention.copy_pending(do, facts.catalogs)
        frozen = retention.expire_backups(do, facts.catalogs)
        retention.drop_replaced_databases(do, manifest)
        kept_wal = wal_archive.bound(do, keep_wal_h=keep_wal_h)
        publish.report_backup(do, manifest, stored, (*pending, *frozen, *kept_wal))
    return manifest.backup_id
