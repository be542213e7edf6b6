"""Scenario C6: whatever ends a load or its proof, live is as before, nothing is beside it, the cause is named."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from pydantic import SecretStr

from flows.backup import backup_db
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from pawpaw_ops.clients.postgres import swap
from pawpaw_ops.errors import Undone, Unreachable
from pawpaw_ops.testing import at_entry
from tests.integration.support_stack import Kit, try_connect
from tests.waiting import wait_until

OURS = "application_name LIKE 'pawpaw-ops/%' AND application_name <> 'pawpaw-ops/test'"
SLOW = """
CREATE FUNCTION slow(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    IF current_setting('application_name') ~ '^pawpaw-ops/[^t]' THEN PERFORM pg_sleep(100); END IF; RETURN i;
END $$;
"""
IN_THE_LOAD = f"{SLOW} CREATE TABLE lenta (a int, b int GENERATED ALWAYS AS (slow(a)) STORED)"


@contextlib.contextmanager
def admin_with_limits(kit: Kit) -> Iterator[None]:
    """An administrator whom somebody gave limits that no restore keeps within."""
    role = f"admin_{kit.name}"
    with kit.server.postgres().admin() as conn:
        conn.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'limits'".encode())
        for setting in (
            "statement_timeout = '10ms'",
            "lock_timeout = '1ms'",
            "idle_in_transaction_session_timeout = '10ms'",
            "idle_session_timeout = '10ms'",
            "default_transaction_read_only = on",
        ):
            conn.execute(f"ALTER ROLE {role} SET {setting}".encode())
    kit.save_blocks(database={"user": role, "password": SecretStr("limits")})
    try:
        yield
    finally:
        with kit.server.postgres().admin() as conn:
            conn.execute(f"DROP ROLE {role}".encode())


def test_C6_limits_of_the_role_and_of_the_database(kit: Kit) -> None:
    """Limits that an administrator's role or the database has are for customers: no step of ours ends by them."""
    with kit.server.postgres().admin() as conn:
        for setting in ("statement_timeout = '10ms'", "default_transaction_read_only = on"):
            conn.execute(f"ALTER DATABASE {kit.database} SET {setting}".encode())
    before = kit.prints().tables
    with admin_with_limits(kit):
        backup_db(stack=kit.name)
        retired = restore_db(stack=kit.name, approve=True)
        assert kit.databases() == [kit.database, retired]
        assert kit.prints().tables == before
        undo_restore(stack=kit.name, approve=True)
        kit.assert_clean()


def when_sleeping(kit: Kit, act: str) -> Callable[[], None]:
    """Return an action that waits, beside the run, until a session of ours sleeps, and then does *act* to it."""
    sleeping = f"FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND {OURS}"

    def work() -> None:
        wait_until(lambda: kit.sql(f"SELECT {act}(pid) {sleeping}", database="postgres") != [], "ours sleeps")

    return lambda: threading.Thread(target=work, daemon=True).start()


@pytest.mark.parametrize(
    ("act", "says"),
    [
        ("pg_cancel_backend", "canceling statement due to user request"),
        ("pg_terminate_backend", "terminating connection due to administrator command"),
    ],
)
def test_C6_ended_by_an_administrator_in_the_load(tiny: Kit, act: str, says: str) -> None:
    tiny.sql(f"{IN_THE_LOAD}; INSERT INTO lenta SELECT 1")
    backup_db(stack=tiny.name)
    before = tiny.prints().tables
    with at_entry("step", "load", when_sleeping(tiny, act)), pytest.raises(Undone, match=says) as caught:
        restore_db(stack=tiny.name, approve=True)
    assert "lenta" in str(caught.value)
    tiny.assert_live_untouched(before)


@pytest.mark.parametrize("entry", [("done", "load"), ("step", "swap names")])
def test_C6_terminated_by_an_administrator_between_two_steps(tiny: Kit, entry: tuple[str, str]) -> None:
    backup_db(stack=tiny.name)
    before = tiny.prints().tables

    def end() -> None:
        assert tiny.sql(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {OURS}")

    with at_entry(*entry, end), pytest.raises(Undone, match=r"broke off: .*administrator command") as caught:
        restore_db(stack=tiny.name, approve=True)
    assert caught.value.cause_code == Unreachable.code
    tiny.assert_live_untouched(before)


@pytest.mark.parametrize(
    ("act", "says"),
    [("pg_cancel_backend", "did not happen: canceling"), ("pg_terminate_backend", "broke off: terminating")],
)
def test_C6_ended_by_an_administrator_inside_the_swap(
    tiny: Kit, monkeypatch: pytest.MonkeyPatch, act: str, says: str
) -> None:
    """Even between the fence and the commit: live is open again, and as before."""
    backup_db(stack=tiny.name)
    before = tiny.prints().tables
    monkeypatch.setattr(swap, "swap", partial(swap.swap, fault="PERFORM pg_sleep(100);"))
    with at_entry("step", "swap names", when_sleeping(tiny, act)), pytest.raises(Undone, match=says):
        restore_db(stack=tiny.name, approve=True)
    tiny.assert_live_untouched(before)


def test_live_that_cannot_be_read_is_restored(tiny: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a restore would change is not known of a live database that somebody locked; it is restored all the same."""
    monkeypatch.setattr("pawpaw_ops.clients.postgres.connection.LOCK_TIMEOUT_S", 1)
    backup_db(stack=tiny.name)
    before = tiny.prints().tables
    with contextlib.closing(try_connect(tiny, tiny.database)) as holder:
        holder.execute("BEGIN; LOCK TABLE dos IN ACCESS EXCLUSIVE MODE; DELETE FROM dos")
        restore_db(stack=tiny.name, approve=True)
    assert "the live database cannot be read" in tiny.preview()
    assert tiny.prints().tables == before


def test_C6_rows_that_break_a_foreign_key(tiny: Kit) -> None:
    """Rows that live got in past its own foreign key do not load; table and constraint are named."""
    tiny.sql('SET session_replication_role = replica; DELETE FROM "un o" WHERE id = 7')
    backup_db(stack=tiny.name)
    before = tiny.prints().tables
    with pytest.raises(Undone, match='"dos" violates foreign key constraint "dos_uno_fkey"'):
        restore_db(stack=tiny.name, approve=True)
    tiny.assert_live_untouched(before)
