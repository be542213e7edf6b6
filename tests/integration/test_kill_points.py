"""SIGKILL at the journal's entries: the next run converges to exactly one of two states, and the database is open."""

import signal
from pathlib import Path
from typing import Any

import pytest

from flows.backup import backup_db
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.session import open_session
from tests.integration.support_child import Child
from tests.integration.support_stack import Kit
from tests.waiting import SOAK

MOST_ENTRIES = 60


def recover(kit: Kit) -> None:
    """What the next run of any verb does first."""
    with open_session(kit.settings(), verb="test", purpose="recover", run_id=f"recover-{kit.name}"):
        pass


def log_of(kit: Kit) -> str:
    return str(kit.folder / "child.log")


EVERY: list[dict[str, Any]] = [{"kill_entry": entry} for entry in range(1, MOST_ENTRIES)]
RESTORE: list[dict[str, Any]] = [
    {"kill": ("step", "create side database")},
    {"kill": ("done", "create side database")},
    {"kill": ("done", "load")},
    {"kill": ("done", "mark as proven")},
    {"kill": ("step", "swap names")},
    {"kill": ("done", "swap names")},
]
UNDO: list[dict[str, Any]] = [
    {"kill": ("step", "look at replaced database")},
    {"kill": ("step", "swap names")},
    {"kill": ("done", "swap names")},
]
"""Where CI kills; `make soak` does it at every entry."""
BACKUP = 1 if SOAK else 3
"""Of the entries of a backup one in so many is where CI kills."""


def test_C4_restore_killed(tiny: Kit) -> None:
    """Whichever entry is the last, live is the old or the new database, open, and nothing is left beside it."""
    good = tiny.prints().tables
    backup_db(stack=tiny.name)
    tiny.sql("DELETE FROM dos WHERE id > 100")
    wrecked = tiny.prints().tables
    seen, code = [], 0
    for kill in EVERY if SOAK else RESTORE:
        code = Child("restore-db", log_of(tiny), **kill, stack=tiny.name, approve=True).wait()
        recover(tiny)
        now = tiny.prints().tables
        swapped = now == good
        assert now in (good, wrecked), kill
        expected = 2 if swapped else 1
        assert len(tiny.databases()) == expected, f"{kill}: {tiny.databases()}"
        tiny.assert_clean()
        seen.append(swapped)
        if swapped:
            undo_restore(stack=tiny.name, approve=True)
            assert tiny.prints().tables == wrecked
            drop_old(tiny)
        if code == 0:
            break
        assert code == -signal.SIGKILL, Path(log_of(tiny)).read_text()[-3000:]
    assert (code == 0) == SOAK, "the restore has more entries than expected"
    assert seen == sorted(seen), "once the swap is committed no later death takes it back"
    assert (seen[0], seen[-1]) == (False, True)


def test_C4_undo_killed(tiny: Kit) -> None:
    """Live is the restored or the replaced database, open; the other one is kept, closed, to go back to."""
    good = tiny.prints().tables
    backup_db(stack=tiny.name)
    tiny.sql("DELETE FROM dos WHERE id > 100")
    wrecked = tiny.prints().tables
    restore_db(stack=tiny.name, approve=True)
    seen, code = [], 0
    for kill in EVERY if SOAK else UNDO:
        code = Child("undo-restore", log_of(tiny), **kill, stack=tiny.name, approve=True).wait()
        recover(tiny)
        now = tiny.prints().tables
        assert now in (good, wrecked), kill
        assert closed(tiny) == [name for name in tiny.databases() if name != tiny.database]
        assert len(closed(tiny)) == 1, kill
        tiny.assert_clean()
        seen.append(now == wrecked)
        if code == 0:
            break
        assert code == -signal.SIGKILL, Path(log_of(tiny)).read_text()[-3000:]
        if now == wrecked:
            undo_restore(stack=tiny.name, approve=True)
            assert tiny.prints().tables == good
    assert (code == 0) == SOAK, "the undo has more entries than expected"
    assert seen == sorted(seen), "once the swap is committed no later death takes it back"
    assert (seen[0], seen[-1]) == (False, True)


def closed(kit: Kit) -> list[str]:
    with kit.server.postgres().admin() as conn:
        found = conn.execute(
            "SELECT datname FROM pg_database WHERE strpos(datname, %s) > 0 AND NOT datallowconn ORDER BY 1", (kit.name,)
        ).fetchall()
    return [row[0] for row in found]


def drop_old(kit: Kit) -> None:
    for name in kit.databases():
        if name != kit.database:
            with kit.server.postgres().admin() as conn:
                conn.execute(f'DROP DATABASE "{name}"'.encode())


def test_A2_A3_backup_killed_at_every_entry(tiny: Kit) -> None:
    """A dead backup is invisible or whole; the next run clears up after it and publishes its own."""
    published = 0
    tiny.store_folder.mkdir()
    for entry in range(1, MOST_ENTRIES, BACKUP):
        code = Child("backup-db", log_of(tiny), kill_entry=entry, stack=tiny.name).wait()
        entries = tiny.catalog().entries()
        assert all(found.verdict is Verdict.VERIFIED for found in entries), f"entry {entry}"
        recover(tiny)
        tiny.assert_clean()
        assert tiny.catalog().unpublished() == [], f"entry {entry}"
        assert len(tiny.catalog().entries()) in (published, published + 1)
        published = len(tiny.catalog().entries())
        if code == 0:
            break
        assert code == -signal.SIGKILL, Path(log_of(tiny)).read_text()[-3000:]
    else:
        pytest.fail("the backup has more entries than expected")
    tiny.sql("TRUNCATE dos")
    restore_db(stack=tiny.name, approve=True)
    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]
