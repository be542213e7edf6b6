"""Files whose lock says that a run lives, while somebody puts them away."""

import fcntl
import os
from pathlib import Path

import pytest

from pawpaw_ops.session import in_use, journal


def test_a_journal_whose_run_ends_while_it_is_looked_for_is_nobodys(tmp_path: Path) -> None:
    """A run ends between the look into the folder and the look at its journal: it is not taken for a dead one."""
    first, second = journal.Journal(tmp_path, "r1"), journal.Journal(tmp_path, "r2")
    looking = journal.dead(tmp_path)
    dead = journal.Journal(tmp_path, "r0")
    dead.close(finished=False)
    os.utime(dead.path, (1, 1))
    assert next(looking)[0] == dead.path
    first.close(finished=True)
    second.close(finished=True)
    assert list(looking) == []


def test_a_reader_is_known_though_its_file_is_removed_between_opening_and_locking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, others = fcntl.flock, ["expires"]

    def late(number: int, how: int) -> None:
        if how == fcntl.LOCK_SH and others:
            others.pop()
            assert in_use.being_read(tmp_path) == frozenset()
        real(number, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with in_use.reading(tmp_path, "b1"):
        assert others == []
        assert in_use.being_read(tmp_path) == {"b1"}
