"""The Prefect server goes away, or was never told of the stack: a change ends well or never begins; the lock holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.backup import backup_db
from flows.undo_restore import undo_restore
from pawpaw_ops.errors import LockHeld, PreconditionError
from pawpaw_ops.session import open_session
from pawpaw_ops.session.audit import entries
from pawpaw_ops.tasks.stack_session import stack_session
from tests.integration.support_child import Child
from tests.integration.support_gate import Gate, gate
from tests.integration.support_limits import remove_limit
from tests.integration.support_stack import Kit
from tests.waiting import wait_until

RETRIES = 1
"""Prefect's client tries 5 times and waits up to 32 s; here its waits are shorter than the outage."""


@pytest.fixture
def way(prefect_api: None) -> Iterator[Gate]:
    """A way to the tests' Prefect server."""
    with gate(PREFECT_API_URL.value() or "") as made:
        yield made


def recorded(kit: Kit) -> str:
    """Return how the last restore ended, by the audit record."""
    return str([entry["result"] for entry in entries(kit.settings()) if entry.get("verb") == "restore-db"][-1])


@pytest.mark.parametrize(
    ("event", "name", "back"),
    [("step", "load", False), ("step", "swap names", False), ("done", "swap names", True)],
)
def test_deploy_D4_a_restore_without_its_server_goes_on_to_its_end(
    tiny: Kit, way: Gate, event: str, name: str, *, back: bool
) -> None:
    """Whether the server stays away or comes back; who else comes meanwhile is refused, and the next verbs work."""
    good = tiny.prints().tables
    backup_db(stack=tiny.name)
    tiny.sql("DELETE FROM dos WHERE id > 100")
    wrecked = tiny.prints().tables
    log = tiny.folder / "child.log"
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: RETRIES}):
        child = Child("restore-db", str(log), stop=(event, name), api=way.url, stack=tiny.name, approve=True)
    wait_until(child.stopped, f"the run comes to {name!r}")
    way.cut()
    with pytest.raises(LockHeld), open_session(tiny.settings(), verb="v", purpose="p", run_id="beside"):
        pytest.fail("two runs have the lock")
    child.go_on()
    if back:
        wait_until(lambda: way.refused > 0 or not child.process.is_alive(), "the run misses its server")
        way.mend()
    child.wait()
    now, said = tiny.prints().tables, Path(log).read_text()[-3000:]
    assert (recorded(tiny), now) == ("ok", good), said
    tiny.assert_clean()
    backup_db(stack=tiny.name)
    undo_restore(stack=tiny.name, approve=True)
    assert tiny.prints().tables == wrecked


def test_deploy_D5_a_server_that_has_no_limit_of_the_stack_lets_nothing_begin(tiny: Kit) -> None:
    remove_limit(tiny.name)
    with pytest.raises(PreconditionError, match="pawpaw apply"):
        backup_db(stack=tiny.name)
    assert not tiny.state_dir.exists()
    tiny.save_blocks()
    backup_db(stack=tiny.name)


def test_deploy_D5_a_server_that_is_away_when_a_verb_begins_stops_nobody(tiny: Kit, way: Gate) -> None:
    """Whether it has the limit nobody can tell then; the lock keeps others out."""
    settings = tiny.settings()

    @flow
    def works() -> str:
        way.cut()
        try:
            with stack_session(settings, verb="v", purpose="p") as do:
                assert way.refused > 0
                with pytest.raises(LockHeld), open_session(settings, verb="v", purpose="p", run_id="beside"):
                    pytest.fail("two runs have the lock")
                return do.run_id
        finally:
            way.mend()

    with temporary_settings({PREFECT_API_URL: way.url, PREFECT_CLIENT_MAX_RETRIES: RETRIES}):
        run_id = works()
    assert [entry["result"] for entry in entries(settings) if entry["run_id"] == run_id] == ["ok"]


def test_deploy_D4_a_slot_that_cannot_be_given_back_fails_no_work(tiny: Kit, way: Gate) -> None:
    """A verb of two sessions, as a rotation is, goes on with its second one."""
    settings = tiny.settings()

    @flow
    def works() -> list[str]:
        found = []
        try:
            with stack_session(settings, verb="v", purpose="first") as do:
                found.append(do.run_id)
                way.cut()
            assert way.refused > 0
            with stack_session(settings, verb="v", purpose="second") as do:
                found.append(do.run_id)
        finally:
            way.mend()
        return found

    with temporary_settings({PREFECT_API_URL: way.url, PREFECT_CLIENT_MAX_RETRIES: RETRIES}):
        ids = works()
    assert [entry["result"] for entry in entries(settings) if entry["run_id"] in ids] == ["ok", "ok"]
