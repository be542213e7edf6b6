"""Which backup is meant, and what is approved."""

import pytest

from pawpaw_ops.errors import BackupCorrupt, BackupMissing, Blocked, ConfigError, DiskTooSmall, NotApproved
from pawpaw_ops.models.backup import CatalogEntry
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.plans import restore


def entry(day: int, verdict: Verdict = Verdict.VERIFIED) -> CatalogEntry:
    return CatalogEntry(
        backup_id=f"202608{day:02}T030000Z-0000000{day % 10}", location="folder", manifest=None, verdict=verdict
    )


ENTRIES = [entry(1), entry(2), entry(3, Verdict.NOT_VERIFIED), entry(4, Verdict.FAILED)]


@pytest.mark.parametrize(
    ("wanted", "day"),
    [("newest", 2), ("2026-08-01", 1), ("2026-08-02T03:00:00", 2), ("2026-08-02T02:59:59Z", 1), ("2027-01-01", 2)],
)
def test_C17_newest_and_dates_take_verified_ones(wanted: str, day: int) -> None:
    assert restore.choose(ENTRIES, wanted) == entry(day)


def test_an_id_takes_what_is_not_known_to_be_broken() -> None:
    assert restore.choose(ENTRIES, ENTRIES[2].backup_id) == ENTRIES[2]
    with pytest.raises(BackupCorrupt):
        restore.choose(ENTRIES, ENTRIES[3].backup_id)


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(BackupMissing, match="none of the 0 backups"):
        restore.choose([], "newest")
    with pytest.raises(BackupMissing, match="up to 2026-07-31T23:59:59Z"):
        restore.choose(ENTRIES, "2026-07-31")
    with pytest.raises(ConfigError):
        restore.choose(ENTRIES, "ayer")


def test_blockers_and_taken_names_are_refused() -> None:
    restore.check_blockers((), "shop")
    with pytest.raises(Blocked, match="slot x"):
        restore.check_blockers(("slot x",), "shop")
    restore.check_into("", ("shop",))
    with pytest.raises(ConfigError, match="exists"):
        restore.check_into("shop", ("shop",))
    with pytest.raises(ConfigError, match="63 bytes"):
        restore.check_into("ñ" * 32, ())


@pytest.mark.parametrize(
    ("backup", "live"), [("7", "7"), ("10", "9"), ("", "9"), ("9", ""), ("", ""), ("20260801_a", "20260801_a")]
)
def test_C17_a_schema_that_is_not_older_needs_no_word(backup: str, live: str) -> None:
    restore.check_schema(backup, live, accepted=False)


@pytest.mark.parametrize(("backup", "live"), [("9", "10"), ("20260801_a", "20260802_b"), ("b", "a")])
def test_C17_an_older_schema_or_one_of_unknown_order_must_be_accepted(backup: str, live: str) -> None:
    with pytest.raises(NotApproved, match=f"version {backup}, live has {live}.*accept_schema=true"):
        restore.check_schema(backup, live, accepted=False)
    restore.check_schema(backup, live, accepted=True)


def test_C12_a_server_needs_room_for_a_second_database_its_log_and_a_reserve() -> None:
    """A load of little writes little log, however much the server would keep."""
    mib = 1 << 20
    restore.check_server_room(100 * mib, 50 * mib, None)
    restore.check_server_room(100 * mib, 50 * mib, 100 * mib + 50 * mib + restore.RESERVE_BYTES)
    restore.check_server_room(mib, 1000 * mib, 3 * mib + restore.RESERVE_BYTES)
    with pytest.raises(DiskTooSmall, match=r"needs 425,721,856 bytes and has 425,721,855 free: 104,857,600 for the"):
        restore.check_server_room(100 * mib, 50 * mib, 425_721_855)
