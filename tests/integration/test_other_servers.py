"""Restores on servers of their own: one on a small disk, and another host than the backup came from."""

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.backup import backup_db
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from pawpaw_ops.commands.command import Command
from pawpaw_ops.disposable import DisposableServer, disposable_server
from pawpaw_ops.errors import Blocked, DiskTooSmall, ExtensionMissing, IdentityMismatch, Undone
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.testing import at_entry
from tests.integration.support_mounts import small_disk
from tests.integration.support_stack import Kit, load_tiny, postgres_15
from tests.waiting import wait_until

MIB = 1 << 20
RESERVE = 32 * MIB
SMALL = {"fsync": "off", "max_wal_size": "64MB", "min_wal_size": "32MB", "max_slot_wal_keep_size": "64MB"}


@pytest.fixture(scope="module")
def small_server() -> Iterator[DisposableServer]:
    """A server whose disk has 320 MiB; needs root."""
    folder = Path(tempfile.mkdtemp(prefix="pawpaw-sm-"))
    folder.chmod(0o755)
    with small_disk(folder, 320 * MIB):
        server = DisposableServer(folder / "pg", tools=postgres_15(), settings=SMALL)
        try:
            server.initialise()
            server.start()
            load_tiny(server, "tiny_template")
            yield server
        finally:
            server.remove()
    folder.rmdir()


@pytest.fixture
def cramped(
    prefect_api: None, small_server: DisposableServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kit]:
    """A stack on it, with a backup; a load leaves 32 MiB free."""
    monkeypatch.setattr("pawpaw_ops.plans.restore.RESERVE_BYTES", RESERVE)
    made = Kit(small_server, tmp_path)
    made.create(template="tiny_template")
    backup_db(stack=made.name)
    yield made
    made.remove()


@contextlib.contextmanager
def filled(server: DisposableServer) -> Iterator[Callable[[int], None]]:
    """Give a function that leaves so many bytes free on the server's disk, until the block ends."""
    ballast = server.root / "ballast"

    def leave(free_bytes: int) -> None:
        with ballast.open("wb") as file:
            for _ in range((shutil.disk_usage(server.root).free - free_bytes) // MIB):
                file.write(b"x" * MIB)

    try:
        yield leave
    finally:
        ballast.unlink(missing_ok=True)


def test_C12_no_room_on_the_server_for_both(cramped: Kit) -> None:
    """A server that cannot hold both databases and the log of a load is refused with numbers; with room it is not."""
    before = cramped.prints().tables
    with filled(cramped.server) as leave:
        leave(RESERVE + 8 * MIB)
        with pytest.raises(DiskTooSmall, match=r"needs [\d,]+ bytes and has [\d,]+ free: [\d,]+ for the database"):
            restore_db(stack=cramped.name, approve=True)
    cramped.assert_live_untouched(before)
    cramped.sql("TRUNCATE dos")
    restore_db(stack=cramped.name, approve=True)
    assert cramped.prints().tables == before


def test_C6_C12_a_disk_that_fills_up_ends_the_load_while_live_has_room(cramped: Kit) -> None:
    """The reserve is live's: the load ends before a server that cannot write its log stops."""
    before = cramped.prints().tables
    with filled(cramped.server) as leave:
        with (
            at_entry("step", "load", lambda: leave(RESERVE - MIB)),
            pytest.raises(Undone, match=r"the load was ended: .* has [\d,]+ bytes free") as caught,
        ):
            restore_db(stack=cramped.name, approve=True)
        assert caught.value.cause_code == DiskTooSmall.code
        cramped.assert_live_untouched(before)


@contextlib.contextmanager
def stuck_reader(kit: Kit) -> Iterator[None]:
    """Let a slot be in use by a reader of the log who stands still, until the server would soon give it up."""
    login, folder = kit.server.database(), kit.folder / "wal"
    folder.mkdir()
    program = str(postgres_15().folder / "pg_receivewal")  # type: ignore[operator]
    argv = (program, "-h", login.host, "-p", str(login.port), "-U", login.user, "-D", str(folder), "-S", "slow")
    kit.sql("SELECT pg_create_physical_replication_slot('slow', true)")
    slot = "FROM pg_replication_slots WHERE slot_name = 'slow'"
    with LocalRunner().started(Command(argv=argv, env={"PGPASSWORD": login.password}, timeout_s=None)) as receiver:
        wait_until(lambda: kit.sql(f"SELECT active {slot}") == [(True,)], "the log is read")
        receiver.popen.send_signal(signal.SIGSTOP)
        while kit.sql(f"SELECT safe_wal_size > {RESERVE} {slot}") == [(True,)]:
            kit.sql("SELECT pg_logical_emit_message(false, 'x', 'x'); SELECT pg_switch_wal()")
        yield
        receiver.popen.send_signal(signal.SIGCONT)
    wait_until(lambda: kit.sql(f"SELECT active {slot}") == [(False,)], "nobody reads it")
    kit.sql("SELECT pg_drop_replication_slot('slow')")


def test_C12_a_load_that_would_cost_a_standby_its_slot_is_ended(cramped: Kit) -> None:
    """The slot is named; whoever says that the standby does not matter gets the restore."""
    before = cramped.prints().tables
    with stuck_reader(cramped):
        with pytest.raises(Undone, match=r"the slot 'slow' may fall \d+ bytes further behind") as caught:
            restore_db(stack=cramped.name, approve=True)
        assert caught.value.cause_code == Blocked.code
        cramped.assert_live_untouched(before)
        restore_db(stack=cramped.name, approve=True, standby="go-on")
        assert cramped.prints().tables == before


@pytest.fixture(scope="module")
def elsewhere(embedded_tools: Path) -> Iterator[DisposableServer]:
    """A newer PostgreSQL that offers hardly an extension."""
    with disposable_server(tools=ClientTools(folder=embedded_tools)) as running:
        yield running


@contextlib.contextmanager
def moved(kit: Kit, server: DisposableServer, **database: object) -> Iterator[None]:
    """Let the stack's block name another server while the block lasts."""
    here, kit.server = kit.server, server
    kit.save_blocks(database=database)
    try:
        yield
    finally:
        with server.postgres().admin() as conn:
            for name in kit.databases():
                conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
        kit.server = here
        kit.save_blocks()


def test_C13_onto_another_host(tiny: Kit, elsewhere: DisposableServer) -> None:
    """A block that names another server restores there, roles included, and again; the first one is not touched."""
    before = tiny.prints().tables
    backup_db(stack=tiny.name)
    tiny.sql("TRUNCATE dos")
    wrecked = tiny.prints().tables
    with moved(tiny, elsewhere):
        assert restore_db(stack=tiny.name, approve=True) == ""
        assert tiny.prints().tables == before
        assert tiny.sql("SELECT has_table_privilege('tía''s', 'dos', 'SELECT')") == [(True,)]
        tiny.sql("DELETE FROM dos")
        assert restore_db(stack=tiny.name, approve=True)
        assert tiny.prints().tables == before
        undo_restore(stack=tiny.name, approve=True)
        assert tiny.sql("SELECT count(*) FROM dos") == [(0,)]
        tiny.assert_clean()
    tiny.assert_live_untouched(wrecked)


def test_C13_a_host_that_is_not_the_one_of_the_block(tiny: Kit, elsewhere: DisposableServer) -> None:
    """Another server behind the block's address gets nothing."""
    [(ours,)] = tiny.sql("SELECT system_identifier::text FROM pg_control_system()")
    backup_db(stack=tiny.name)
    with moved(tiny, elsewhere, system_identifier=ours):
        with pytest.raises(IdentityMismatch, match=f"the block says {ours}"):
            restore_db(stack=tiny.name, approve=True)
        assert tiny.databases() == []


def test_C6_extension_that_the_server_lacks(tiny: Kit, elsewhere: DisposableServer) -> None:
    """An extension that the server cannot offer is named before a database is made."""
    tiny.sql("CREATE EXTENSION hstore")
    backup_db(stack=tiny.name)
    before = tiny.prints().tables
    with moved(tiny, elsewhere):
        with pytest.raises(ExtensionMissing, match="needs the extensions hstore; the server does not offer them"):
            restore_db(stack=tiny.name, approve=True)
        assert tiny.databases() == []
    tiny.assert_live_untouched(before)
