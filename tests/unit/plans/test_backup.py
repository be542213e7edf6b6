"""What must hold before a backup, and what a dump must hold."""

import pytest

from pawpaw_ops.errors import BackupCorrupt, DiskTooSmall, PreconditionError
from pawpaw_ops.models.database import TablePrint
from pawpaw_ops.plans import backup

TABLES = {"public.a": TablePrint(rows=2, digest="1")}


def check(files: dict[str, str], rows: dict[str, int]) -> None:
    backup.check_dump(files, rows, TABLES, prefix="dump")


def test_rows_in_the_stored_bytes_are_those_of_the_snapshot() -> None:
    check({"1.dat": "public.a"}, {"dump/1.dat": 2, "dump/toc.dat": -1})


@pytest.mark.parametrize(
    ("files", "rows", "says"),
    [
        ({}, {}, "holds no data of public.a"),
        ({"1.dat": "public.a"}, {"dump/1.dat": 1}, "has 1 rows"),
        ({"1.dat": "public.a"}, {"dump/1.dat": -1}, "does not end"),
        ({"1.dat": "public.a"}, {}, "does not end"),
        ({"1.dat": "public.a", "2.dat": "public.z"}, {"dump/1.dat": 2, "dump/2.dat": 0}, "did not show"),
    ],
)
def test_A8_a_dump_that_is_not_whole(files: dict[str, str], rows: dict[str, int], says: str) -> None:
    with pytest.raises(BackupCorrupt, match=says):
        check(files, rows)


def test_a_table_is_as_large_as_its_file() -> None:
    sizes = {"dump/1.dat": 7, "dump/2.dat": 0, "dump/toc.dat": 99}
    files = {"1.dat": "public.a", "2.dat": "public.z"}
    assert backup.table_bytes(files, sizes, prefix="dump") == {"public.a": 7, "public.z": 0}


def test_room_is_refused_with_both_numbers() -> None:
    backup.check_room(10, None, where="x")
    backup.check_room(10, backup.FLOOR_BYTES + 10, where="x")
    with pytest.raises(DiskTooSmall, match=r"x needs 67,108,874 bytes and has 67,108,873 free"):
        backup.check_room(10, backup.FLOOR_BYTES + 9, where="x")


def test_A7_any_word_of_pg_dump_is_too_many() -> None:
    backup.check_stderr(["", "  "])
    with pytest.raises(PreconditionError, match="warning: odd"):
        backup.check_stderr(["pg_dump: warning: odd"])
