"""How much write-ahead log a real server keeps, and for whom."""

from pawpaw_ops.clients.postgres.wal import kept_wal
from tests.integration.support_stack import Kit


def test_prune_PRN_10_a_slot_that_nobody_reads_is_named_with_what_it_holds_back(tiny: Kit) -> None:
    slot = f"idle_{tiny.name}"
    assert slot not in kept_wal(tiny.postgres()).idle_slots
    tiny.sql(f"SELECT pg_create_physical_replication_slot('{slot}', true)")
    try:
        found = kept_wal(tiny.postgres())
    finally:
        tiny.sql(f"SELECT pg_drop_replication_slot('{slot}')")
    assert f"{slot} (" in found.idle_slots
    assert found.size_bytes >= 16 << 20
