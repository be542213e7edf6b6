"""The main job, on real parts: back up, wreck, restore, undo."""

from flows.backup import backup_db
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from pawpaw_ops.models.base import Verdict
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


def test_restored_rows_arrive_frozen(kit: Kit) -> None:
    """What a load brings needs no look at the heap, so indexes and foreign keys are made fast; no vacuum ran yet."""
    backup_db(stack=kit.name)

    restore_db(stack=kit.name, approve=True)

    [(pages, frozen)] = kit.sql("SELECT relpages, relallvisible FROM pg_class WHERE oid = 'order_items'::regclass")
    assert pages == frozen > 0
