"""Retention as the flow does it: a real store, a real server, and the clock in our hands."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from flows.backup import backup_db
from flows.restore import restore_db
from pawpaw_ops import sealing
from pawpaw_ops.clients.store import DATA, Catalog, locations
from pawpaw_ops.models.backup import Manifest, Proof, new_backup_id
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.session import open_session
from pawpaw_ops.session.in_use import being_read, reading
from pawpaw_ops.tasks import retention
from tests.integration.support_stack import Kit

KEEP_DAYS = 4


class Clock:
    """What retention takes for the time."""

    def __init__(self) -> None:
        self.began = utc_now()
        self.at = self.began

    def __call__(self) -> datetime:
        return self.at

    def later(self, **span: float) -> None:
        """Set it to so long after the test began."""
        self.at = self.began + timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(retention, "utc_now", made)
    return made


def aged(kit: Kit, days: float, *, of: str) -> str:
    """Publish a backup again as one that was taken so long ago; returns its id."""
    catalog = kit.catalog()
    manifest = catalog.manifest(of)
    at = utc_now() - timedelta(days=days)
    backup_id = new_backup_id(at)
    copy, key = kit.folder / backup_id, catalog.key(backup_id, DATA)
    with catalog.location.open(manifest.object_key) as stream:
        copy.write_bytes(stream.read())
    catalog.location.put_file(key, copy, sha256=manifest.sha256)
    copy.unlink()
    catalog.add_proof(Proof(backup_id=backup_id, at=at, verdict=Verdict.VERIFIED, level=1, run_id="test"))
    contents = manifest.contents.model_copy(update={"backup_id": backup_id, "taken_at": at})
    catalog.publish(manifest.model_copy(update={"contents": contents, "object_key": key}))
    return backup_id


@pytest.fixture
def a_week(tiny: Kit) -> list[str]:
    """A stack with five verified backups, the newest first; the last two are older than its window."""
    tiny.save_blocks(keep_days=KEEP_DAYS, keep_verified=2)
    newest = backup_db(stack=tiny.name)
    return [newest, *(aged(tiny, days, of=newest) for days in (1, 2, 5, 6))]


def expire(kit: Kit) -> tuple[str, ...]:
    with open_session(kit.settings(), verb="test", purpose="expire", run_id=f"expire-{kit.name}") as do:
        catalogs = tuple(Catalog(where, kit.name, kit.database) for where in locations(do.stack.store))
        return retention.expire_backups.fn(do, catalogs)


def shown(kit: Kit) -> tuple[list[str], set[str]]:
    """Return what is there, the newest first, and what of it is marked."""
    entries = kit.catalog().entries()[::-1]
    return [entry.backup_id for entry in entries], {entry.backup_id for entry in entries if entry.marked_at}


def test_D1_what_is_older_than_the_window_is_marked_and_a_day_later_it_is_gone(
    tiny: Kit, a_week: list[str], clock: Clock
) -> None:
    assert expire(tiny) == ()
    assert shown(tiny) == (a_week, {*a_week[3:]})
    clock.later(hours=12)
    expire(tiny)
    assert shown(tiny) == (a_week, {*a_week[3:]})
    clock.later(hours=25)
    expire(tiny)
    assert shown(tiny) == (a_week[:3], set())
    assert [path for path in tiny.store_folder.rglob("*") if path.parent.name in a_week[3:]] == []
    tiny.sql("TRUNCATE dos")
    restore_db(stack=tiny.name, backup=a_week[0], approve=True)
    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]


def test_D2_when_backups_stop_nothing_goes_and_what_was_marked_is_no_more(
    tiny: Kit, a_week: list[str], clock: Clock
) -> None:
    expire(tiny)
    for days in (3, 10, 40):
        clock.later(days=days)
        [said] = expire(tiny)
        assert "backups fail, or the clock jumped" in said
        assert shown(tiny) == (a_week, set())


def test_D3_backups_whose_bytes_rotted_are_found_before_what_they_would_replace_goes(
    tiny: Kit, a_week: list[str], clock: Clock
) -> None:
    expire(tiny)
    for rotten in a_week[:2]:
        [data] = [path for path in tiny.store_folder.rglob(DATA) if path.parent.name == rotten]
        found = bytearray(data.read_bytes())
        found[len(found) // 2] ^= 1
        data.chmod(0o600)
        data.write_bytes(found)
    clock.later(hours=25)
    [said] = expire(tiny)
    assert f"the newest verified backup {a_week[2]} is" in said
    assert shown(tiny) == (a_week, set())
    verdicts = {entry.backup_id: entry.verdict for entry in tiny.catalog().entries()}
    assert [verdicts[backup_id] for backup_id in a_week] == [Verdict.FAILED] * 2 + [Verdict.VERIFIED] * 3


def test_D6_a_pinned_backup_and_one_that_is_being_read_stay(
    tiny: Kit, a_week: list[str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore says which one it reads for as long as it does; whoever expires backups leaves that one alone."""
    read: list[frozenset[str]] = []
    unseal = sealing.unseal

    def looked_at(*args: Any, **how: Any) -> sealing.Opened[Any]:
        read.append(being_read(tiny.state_dir))
        return unseal(*args, **how)

    monkeypatch.setattr(sealing, "unseal", looked_at)
    restore_db(stack=tiny.name, backup=a_week[0], into=f"{tiny.database}_b")
    assert read == [{a_week[0]}]
    expire(tiny)
    clock.later(hours=25)
    tiny.catalog().pin(a_week[3])
    with reading(tiny.state_dir, a_week[4]):
        expire(tiny)
        assert shown(tiny)[0] == a_week
    expire(tiny)
    assert shown(tiny) == (a_week, {a_week[4]})


def drop(kit: Kit, newest: Manifest | None) -> list[str]:
    with open_session(kit.settings(), verb="test", purpose="drop", run_id=f"drop-{kit.name}") as do:
        return retention.drop_replaced_databases.fn(do, newest)


def test_a_replaced_database_goes_when_its_time_is_over_and_a_newer_verified_backup_exists(
    tiny: Kit, clock: Clock
) -> None:
    before = tiny.catalog().manifest(backup_db(stack=tiny.name))
    replaced = restore_db(stack=tiny.name, approve=True)
    backup_db(stack=tiny.name)
    assert tiny.databases() == [tiny.database, replaced], "its time is not over"
    clock.later(days=8)
    assert drop(tiny, before) == drop(tiny, None) == [], "nothing newer than it is verified"
    assert tiny.databases() == [tiny.database, replaced]
    backup_db(stack=tiny.name)
    assert tiny.databases() == [tiny.database]
    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]
