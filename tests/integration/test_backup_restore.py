"""The main job, on real parts: back up, wreck, restore, undo."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from flows.backup import backup_db
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.tasks.report import key
from tests.integration.support_stack import Kit


def test_backup_wreck_restore_undo(kit: Kit) -> None:
    """What was wrecked is back bit for bit, and the wreck can be had back too."""
    before = kit.prints()
    backup_id = backup_db(stack=kit.name)
    [entry] = kit.catalog().entries()
    kit.assert_clean()
    kit.sql("UPDATE orders SET total_cents = 0; DROP TABLE order_items CASCADE")
    wrecked = kit.prints()

    retired = restore_db(stack=kit.name, approve=True)

    assert (entry.backup_id, entry.verdict, entry.level) == (backup_id, Verdict.VERIFIED, 1)
    assert kit.prints().tables == before.tables
    assert kit.databases() == [kit.database, retired]
    kit.assert_clean()

    undo_restore(stack=kit.name, approve=True)

    assert kit.prints().tables == wrecked.tables
    kit.assert_clean()


def shown(name: str) -> str:
    """Return what an artifact holds."""
    with get_client(sync_client=True) as client:
        (found,) = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[name])))
    return str(found.data)


def test_what_a_backup_shows(kit: Kit) -> None:
    """Rows and bytes of each table, and the way to the manifest."""
    backup_id = backup_db(stack=kit.name)
    name = key(f"backup-{kit.name}-{kit.database}")
    rows = {row["table"]: row for row in json.loads(shown(name))}
    assert rows["public.orders"]["rows"] == kit.sql("SELECT count(*) FROM orders")[0][0]
    assert rows["public.orders"]["size"].endswith(("kB", "MB"))
    address = shown(f"{name}-manifest-folder").partition("](")[2].rstrip(")")
    file = Path(unquote(urlsplit(address).path))
    assert backup_id in file.parts
    assert json.loads(file.read_text())["manifest"]["contents"]["backup_id"] == backup_id


def test_restored_rows_arrive_frozen(kit: Kit) -> None:
    """What a load brings needs no look at the heap, so indexes and foreign keys are made fast; no vacuum ran yet."""
    backup_db(stack=kit.name)

    restore_db(stack=kit.name, approve=True)

    [(pages, frozen)] = kit.sql("SELECT relpages, relallvisible FROM pg_class WHERE oid = 'order_items'::regclass")
    assert pages == frozen > 0
