"""Scenarios C of the restore: live is untouched until the swap, and the swap is all or nothing."""

import gzip
import os
import signal
import time
from functools import partial
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from pyrage import x25519

from flows.backup import backup_db
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from pawpaw_ops.clients.postgres import catalog, side, swap
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.errors import (
    BackupCorrupt,
    BackupMissing,
    Blocked,
    ConfigError,
    DiskTooSmall,
    LockHeld,
    NotApproved,
    OpsError,
    PreconditionError,
    Undone,
    VerificationError,
    VersionMismatch,
    WrongKey,
)
from pawpaw_ops.models.backup import Manifest
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.database import Marker
from pawpaw_ops.session import open_session
from pawpaw_ops.testing import at_entry
from tests.integration.support_child import Child, forked
from tests.integration.support_mounts import small_disk
from tests.integration.support_stack import Kit, try_connect
from tests.threads import Crowd
from tests.waiting import wait_until


def artefact(kit: Kit) -> Path:
    """The sealed artefact of the only backup."""
    return next(kit.store_folder.rglob("data.tar.zst.age"))


def marker(kit: Kit) -> Marker:
    return Marker(role="old", of=kit.database, run_id="test", state="kept", at=utc_now())


def make_side(kit: Kit, name: str) -> swap.Names:
    """Make an empty side database by hand, ready to be swapped in."""
    made = Marker(role="side", of=kit.database, run_id="test", at=utc_now())
    with kit.server.postgres().admin() as conn:
        conn.execute(f'CREATE DATABASE "{name}"'.encode())
        side.mark(conn, name, made)
        side.close(conn, name)
    return swap.Names(live=kit.database, incoming=name, retired=f"{kit.database}_r")


def test_C1_swap_under_clients(kit: Kit) -> None:
    """Eight clients that reconnect see the old database, then the new one, never the old one again."""
    backup_db(stack=kit.name)
    kit.sql("UPDATE users SET city = 'perdida'")
    seen = [list[bool]() for _ in range(8)]

    def client(answers: list[bool]) -> None:
        while not crowd.over.is_set():
            try:
                with try_connect(kit, kit.database) as conn:
                    while not crowd.over.is_set():
                        row = conn.execute("SELECT city = 'perdida' FROM users WHERE id = 1").fetchone()
                        assert row is not None
                        answers.append(row[0])
            except Exception:  # noqa: BLE001, S112 - whatever a client meets, it connects again
                continue

    crowd = Crowd(*(partial(client, answers) for answers in seen))
    with crowd:
        restore_db(stack=kit.name, approve=True)
        wait_until(lambda: all(answers and not answers[-1] for answers in seen), "every client reads the new database")

    for answers in seen:
        assert answers == sorted(answers, reverse=True)
        assert answers[0]


@pytest.mark.parametrize(
    ("hold", "release", "says"),
    [
        (
            "BEGIN; INSERT INTO dos VALUES (9999); PREPARE TRANSACTION 'x%t'",
            "ROLLBACK PREPARED 'x%t'",
            "prepared transaction",
        ),
        (
            "SELECT pg_create_logical_replication_slot('slot_c2', 'pgoutput')",
            "SELECT pg_drop_replication_slot('slot_c2')",
            "logical replication slot",
        ),
        (
            "CREATE SUBSCRIPTION sub_c2 CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)",
            "ALTER SUBSCRIPTION sub_c2 SET (slot_name = NONE); DROP SUBSCRIPTION sub_c2",
            "subscription 'sub_c2'",
        ),
    ],
)
def test_C2_what_holds_on_is_named(tiny: Kit, hold: str, release: str, says: str) -> None:
    """What would survive the fence refuses the restore before anything is made; no copy holds on to anything."""
    before = tiny.prints().tables
    with try_connect(tiny, tiny.database) as conn:
        for statement in hold.split("; "):
            conn.execute(statement.encode())
    try:
        backup_db(stack=tiny.name)
        with pytest.raises(Blocked, match=says):
            restore_db(stack=tiny.name, approve=True)
    finally:
        with try_connect(tiny, tiny.database) as conn:
            for statement in release.split("; "):
                conn.execute(statement.encode())
    tiny.assert_live_untouched(before)
    assert restore_db(stack=tiny.name, approve=True)
    assert tiny.sql("SELECT subname FROM pg_subscription") == []


def test_C2_open_sessions_are_ended(tiny: Kit) -> None:
    """Pooled, idle-in-transaction and superuser sessions are ended, and the restore goes on."""
    backup_db(stack=tiny.name)
    tiny.sql("TRUNCATE dos")
    pool = [try_connect(tiny, tiny.database) for _ in range(50)]
    pool[0].execute("BEGIN")
    pool[0].execute("INSERT INTO dos VALUES (1)")

    restore_db(stack=tiny.name, approve=True)

    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]
    with pytest.raises(Exception, match=r"terminat|closed"):
        pool[0].execute("COMMIT")
    for session in pool:
        session.close()


def test_a_swap_that_fails_after_its_renames_leaves_live_open_and_as_before(tiny: Kit) -> None:
    names = make_side(tiny, f"{tiny.database}_s")
    with tiny.server.postgres().admin() as conn, pytest.raises(Blocked, match="open and as before"):
        swap.swap(conn, names, retired=marker(tiny), fault="RAISE EXCEPTION 'made to fail';")
    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]
    assert names.incoming in tiny.databases()


class Storm(Crowd):
    """Clients who connect, ask which database they are in and leave, as fast as the machine lets them.

    Attributes:
        seen: What each was told, in order: the object id of a database, or 0 where it was turned away.
    """

    def __init__(self, kit: Kit, *, clients: int = 8, most: int = 4000) -> None:
        self._kit, self._most = kit, most
        self.seen = [list[int]() for _ in range(clients)]
        super().__init__(*(partial(self._rage, seen) for seen in self.seen))

    def _rage(self, seen: list[int]) -> None:
        while not self.over.is_set() and len(seen) < self._most:
            try:
                with try_connect(self._kit, self._kit.database) as conn:
                    row = conn.execute(
                        "SELECT oid::int8 FROM pg_database WHERE datname = current_database()"
                    ).fetchone()
                    seen.append(row[0] if row else 0)
            except psycopg.OperationalError:
                seen.append(0)

    def wait_for(self, oid: int, count: int) -> None:
        """Wait until every client was told so many more times that it is in that database."""
        before = [len(seen) for seen in self.seen]

        def all_were() -> bool:
            return all(seen[start:].count(oid) >= count for start, seen in zip(before, self.seen, strict=True))

        wait_until(all_were, f"every client is in the database {oid}")


def oid_of(kit: Kit, name: str) -> int:
    with kit.server.postgres().admin() as conn:
        row = catalog.database_row(conn, name)
    assert row is not None
    return row.oid


def test_C3_a_reconnect_storm_during_the_fence(tiny: Kit) -> None:
    """Hundreds of connections a second meet the fence; the swap succeeds, and nobody is in the old database then."""
    names = make_side(tiny, f"{tiny.database}_s")
    old, new = oid_of(tiny, names.live), oid_of(tiny, names.incoming)
    with Storm(tiny) as storm, tiny.server.postgres().admin() as conn:
        storm.wait_for(old, 10)
        swap.swap(conn, names, retired=marker(tiny), fault="PERFORM pg_sleep(0.5);")
        storm.wait_for(new, 10)
    assert any(0 in seen for seen in storm.seen), "somebody met the fence"
    for seen in storm.seen:
        told = [oid for oid in seen if oid]
        assert told == [old] * told.count(old) + [new] * told.count(new)
    assert names.retired in tiny.databases()


def test_C3_a_session_that_cannot_be_ended_in_a_storm(tiny: Kit) -> None:
    """The swap gives up within its bound, live is open and as before, and everybody gets in again."""
    names = make_side(tiny, f"{tiny.database}_s")
    old = oid_of(tiny, names.live)
    stuck = try_connect(tiny, tiny.database)
    os.kill(stuck.info.backend_pid, signal.SIGSTOP)
    try:
        with Storm(tiny) as storm, tiny.server.postgres().admin() as conn:
            storm.wait_for(old, 1)
            with pytest.raises(Blocked, match=r"sessions did not end within 1\.0 s.*open and as before"):
                swap.swap(conn, names, retired=marker(tiny), fence_s=1.0)
            storm.wait_for(old, 10)
    finally:
        os.kill(stuck.info.backend_pid, signal.SIGCONT)
        stuck.close()
    assert {oid for seen in storm.seen for oid in seen} == {0, old}
    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]
    assert names.incoming in tiny.databases()


def test_C4_client_dies_inside_the_swap(tiny: Kit) -> None:
    """A client that is killed while the server swaps changes nothing: the server goes on to the end by itself."""
    names = make_side(tiny, f"{tiny.database}_s")
    child = forked(_send_swap, tiny.server.postgres(run_id="dies"), names, marker(tiny), "PERFORM pg_sleep(1.5);")
    wait_until(lambda: _sleeping(tiny), "the server is inside the swap")
    with tiny.server.postgres().admin() as conn:
        live = catalog.database_row(conn, tiny.database)
    assert live is not None
    assert not live.allow_connections
    child.kill()
    child.join()
    wait_until(lambda: names.retired in tiny.databases(), "the server finished the swap alone")
    assert tiny.sql("SELECT 1") == [(1,)]


def _send_swap(pg: Postgres, names: swap.Names, retired: Marker, fault: str) -> None:
    with pg.admin() as conn:
        swap.swap(conn, names, retired=retired, fault=fault)


def _sleeping(kit: Kit) -> bool:
    with kit.server.postgres().admin() as conn:
        rows = conn.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").fetchall()
    return bool(rows)


@pytest.mark.parametrize("step", ["swap names", "load", "create side database", "mark as proven"])
def test_C5_server_crashes(tiny: Kit, step: str) -> None:
    """A server that crashes at a step fails the run; the next run finds live open and as before."""
    backup_db(stack=tiny.name)
    tiny.sql("TRUNCATE dos")
    before = tiny.prints().tables
    try:
        with at_entry("step", step, tiny.server.crash), pytest.raises(OpsError):
            restore_db(stack=tiny.name, approve=True)
    finally:
        tiny.server.start()
    with open_session(tiny.settings(), verb="test", purpose="recover", run_id=f"recover-{tiny.name}"):
        pass
    tiny.assert_live_untouched(before)


def test_C5_server_crashes_between_fence_and_commit(tiny: Kit) -> None:
    """The one moment that leaves live fenced: the journal's undo opens it again."""
    names = make_side(tiny, f"{tiny.database}_s")
    with tiny.server.postgres().admin() as conn:
        incoming = catalog.database_row(conn, names.incoming)
    assert incoming is not None

    child = forked(_send_swap, tiny.server.postgres(run_id="dies"), names, marker(tiny), "PERFORM pg_sleep(30);")
    wait_until(lambda: _sleeping(tiny), "the server is inside the swap")
    tiny.server.crash()
    child.join()
    tiny.server.start()
    with tiny.server.postgres().admin() as conn:
        fenced = catalog.database_row(conn, tiny.database)
        assert fenced is not None
        assert not fenced.allow_connections
        assert swap.settle(conn, names, incoming_oid=incoming.oid) == "before"
    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]


def test_C6_search_path_function(tiny: Kit) -> None:
    """A schema that only restores under its own search_path fails beside live and names the function."""
    tiny.sql(
        "CREATE FUNCTION plain(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 1';"
        "CREATE FUNCTION outer_one(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN plain(i); END';"
        "CREATE TABLE gen (a int, b int GENERATED ALWAYS AS (outer_one(a)) STORED); INSERT INTO gen VALUES (1)"
    )
    backup_db(stack=tiny.name)
    before = tiny.prints().tables
    with pytest.raises(Undone, match="plain"):
        restore_db(stack=tiny.name, approve=True)
    tiny.assert_live_untouched(before)


def test_C6_missing_role_is_made_and_given_back(tiny: Kit) -> None:
    """A role that the backup needs is made without password; a restore that fails later takes it back."""
    role = f"dueña {tiny.name}"
    tiny.sql(f'CREATE ROLE "{role}"; ALTER TABLE dos OWNER TO "{role}"')
    backup_db(stack=tiny.name)
    tiny.sql(f'ALTER TABLE dos OWNER TO postgres; DROP ROLE "{role}"; TRUNCATE dos')

    def fail() -> None:
        raise VerificationError("made to fail")

    with at_entry("done", "load", fail), pytest.raises(Undone, match="made to fail"):
        restore_db(stack=tiny.name, approve=True)
    assert tiny.sql(f"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'") == [(0,)]

    restore_db(stack=tiny.name, approve=True)
    assert tiny.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'dos'") == [(role,)]
    assert tiny.sql(f"SELECT rolsuper, rolcanlogin FROM pg_roles WHERE rolname = '{role}'") == [(False, False)]
    drop_all_but_live(tiny)
    tiny.sql(f'ALTER TABLE dos OWNER TO postgres; DROP ROLE "{role}"')


def drop_all_but_live(kit: Kit) -> None:
    for name in kit.databases():
        if name != kit.database:
            with kit.server.postgres().admin() as conn:
                conn.execute(f'DROP DATABASE "{name}"'.encode())


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone"])
def test_C7_damaged_artefact(tiny: Kit, damage: str) -> None:
    """A damaged artefact is refused before anything is made on the server."""
    backup_db(stack=tiny.name)
    before = tiny.prints().tables
    path = artefact(tiny)
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    path.write_bytes(b"" if damage == "empty" else data[: len(data) - 1] if damage == "cut" else data)
    if damage == "gone":
        path.unlink()
    with pytest.raises((BackupCorrupt, BackupMissing)):
        restore_db(stack=tiny.name, approve=True)
    tiny.assert_live_untouched(before)


def test_C7_wrong_key_and_added_key(tiny: Kit) -> None:
    """A11: a key that does not fit is told apart from damage; once the old key is back beside a new one, it opens."""
    from blocks import BackupIdentity

    backup_db(stack=tiny.name)
    other = x25519.Identity.generate()
    BackupIdentity(identities=[str(other)]).save(tiny.name, overwrite=True)
    with pytest.raises(WrongKey, match="age1"):
        restore_db(stack=tiny.name, approve=True)
    BackupIdentity(identities=[SecretStr("not a key")]).save(tiny.name, overwrite=True)
    with pytest.raises(ConfigError) as caught:
        restore_db(stack=tiny.name, approve=True)
    assert "not a key" not in str(caught.value)
    BackupIdentity(identities=[str(other), str(tiny.identity)]).save(tiny.name, overwrite=True)
    restore_db(stack=tiny.name, approve=True)
    tiny.assert_clean()


def test_C7_backup_of_another_database(tiny: Kit) -> None:
    """An artefact that was put in the place of ours from another database is refused."""
    backup_db(stack=tiny.name)
    settings = tiny.settings()
    [entry] = tiny.catalog().entries()
    assert entry.manifest is not None
    foreign = entry.manifest.model_copy(
        update={"contents": entry.manifest.contents.model_copy(update={"stack": "someone-else"})}
    )
    tiny.catalog().publish(Manifest.model_validate(foreign.model_dump()))
    with pytest.raises(BackupCorrupt, match="not what its manifest says"):
        restore_db(stack=tiny.name, approve=True)
    assert settings.name == tiny.name


def test_C8_one_changed_row_stops_the_swap(tiny: Kit) -> None:
    """A side database that differs in one value is not swapped in; the table is named."""
    backup_db(stack=tiny.name)
    before = tiny.prints().tables

    def change() -> None:
        [beside] = [name for name in tiny.databases() if name != tiny.database]
        tiny.sql("UPDATE dos SET f = f + 1e-9 WHERE id = 7", database=beside)

    with at_entry("done", "load", change), pytest.raises(Undone, match=r"public\.dos has as many rows"):
        restore_db(stack=tiny.name, approve=True)
    tiny.assert_live_untouched(before)


def test_C9_properties_survive(tiny: Kit) -> None:
    """Owner, revoked rights, limit, settings, settings of roles and comment of live are those of the new database."""
    role = f"app_{tiny.name}"
    db = tiny.database
    with tiny.server.postgres().admin() as conn:
        for statement in (
            f"CREATE ROLE {role}",
            f"ALTER DATABASE {db} OWNER TO {role}",
            f"REVOKE CONNECT ON DATABASE {db} FROM PUBLIC",
            f'GRANT CONNECT ON DATABASE {db} TO "tía\'s" WITH GRANT OPTION',
            f"ALTER DATABASE {db} CONNECTION LIMIT 77",
            f'ALTER DATABASE {db} SET search_path = public, "un esquema"',
            f"ALTER DATABASE {db} SET work_mem = '9MB'",
            f"ALTER ROLE {role} IN DATABASE {db} SET statement_timeout = '7s'",
            f"COMMENT ON DATABASE {db} IS 'la tienda, \"ñ\"'",
        ):
            conn.execute(statement.encode())
        before = catalog.database_row(conn, db)
    assert before is not None
    backup_db(stack=tiny.name)
    restore_db(stack=tiny.name, approve=True)
    with tiny.server.postgres().admin() as conn:
        after = catalog.database_row(conn, db)
    assert after is not None
    same = {"oid", "size_bytes"}
    assert after.model_dump(exclude=same) == before.model_dump(exclude=same)
    assert after.oid != before.oid

    undo_restore(stack=tiny.name, approve=True)
    with tiny.server.postgres().admin() as conn:
        undone = catalog.database_row(conn, db)
    assert undone is not None
    assert undone.model_dump(exclude={"size_bytes"}) == before.model_dump(exclude={"size_bytes"})
    drop_all_but_live(tiny)
    with tiny.server.postgres().admin() as conn:
        conn.execute(f"ALTER DATABASE {db} OWNER TO postgres; DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_C10_undo_lists_later_writes(tiny: Kit) -> None:
    """Going back over later writes is refused with the tables; accepted, live is bit for bit what it was."""
    backup_db(stack=tiny.name)
    tiny.sql("DELETE FROM dos WHERE id < 50")
    wrecked = tiny.prints().tables
    restore_db(stack=tiny.name, approve=True)
    tiny.sql('INSERT INTO dos VALUES (1000); DELETE FROM "un o" WHERE id = 500')
    written = tiny.prints().tables
    with pytest.raises(OpsError, match=r"public\.dos: 301 rows now, 300 when it was restored") as caught:
        undo_restore(stack=tiny.name, approve=True)
    assert 'public."un o": 499 rows now, 500' in str(caught.value)
    assert tiny.prints().tables == written

    undo_restore(stack=tiny.name, approve=True, accept_lost_writes=True)

    assert tiny.prints().tables == wrecked
    undo_restore(stack=tiny.name, approve=True)
    assert tiny.prints().tables == written
    tiny.assert_clean()


def test_C11_again_and_again(tiny: Kit) -> None:
    """A second restore of the same backup beside the first's old database works; each one stays to go back to."""
    backup_db(stack=tiny.name)
    first = restore_db(stack=tiny.name, approve=True)
    wait_until(lambda: f"{utc_now():%Y%m%dT%H%M%SZ}" not in first, "the next second")
    second = restore_db(stack=tiny.name, approve=True)
    assert tiny.databases() == sorted([tiny.database, first, second])


def test_C11_restore_during_backup_is_refused(tiny: Kit) -> None:
    """The one lock serves all verbs."""
    backup_db(stack=tiny.name)
    codes = []

    def second() -> None:
        codes.append(Child("restore-db", str(tiny.folder / "second.log"), stack=tiny.name, approve=True).wait())

    with at_entry("step", "seal", second):
        backup_db(stack=tiny.name)
    assert codes == [1]
    assert LockHeld.__name__ in (tiny.folder / "second.log").read_text()


def test_C12_no_room_for_both(kit: Kit) -> None:
    """A scratch folder that cannot hold the backup is refused with the numbers."""
    backup_db(stack=kit.name)
    before = kit.prints().tables
    with (
        small_disk(kit.state_dir, 4_000_000),
        pytest.raises(DiskTooSmall, match=r"needs [\d,]+ bytes and has [\d,]+ free"),
    ):
        restore_db(stack=kit.name, approve=True)
    kit.assert_live_untouched(before)


def test_C13_into_another_name(tiny: Kit) -> None:
    """Restoring into a name leaves live alone; a taken name is refused."""
    backup_db(stack=tiny.name)
    tiny.sql("TRUNCATE dos")
    before = tiny.prints().tables
    into = f'beside "{tiny.name}"; %s'

    restore_db(stack=tiny.name, into=into)

    assert tiny.prints().tables == before
    assert tiny.sql("SELECT count(*) FROM dos", database=into) == [(300,)]
    with pytest.raises(ConfigError, match="exists"):
        restore_db(stack=tiny.name, into=into)
    tiny.assert_clean()


def test_C13_live_is_gone(tiny: Kit) -> None:
    """A database that was dropped comes back under its name, with the properties of the backup."""
    before = tiny.prints().tables
    backup_db(stack=tiny.name)
    with tiny.server.postgres().admin() as conn:
        conn.execute(f"DROP DATABASE {tiny.database}".encode())

    assert restore_db(stack=tiny.name, approve=True) == ""

    assert tiny.prints().tables == before
    tiny.assert_clean()


def test_C15_legacy_file(tiny: Kit) -> None:
    """The manual's file is checked whole, loaded beside, and its rows are counted; a cut one reaches no server."""
    tiny.sql("ALTER TABLE dos ADD COLUMN extra text DEFAULT 'x'")
    backup_db(stack=tiny.name, export_sql=True)
    [file] = tiny.store_folder.glob("backup_*.sql.gz")
    before = tiny.prints().tables
    tiny.sql("TRUNCATE dos")
    now = tiny.prints().tables
    cut = tiny.folder / "cut.sql.gz"
    text = gzip.decompress(file.read_bytes())
    cut.write_bytes(gzip.compress(text[: text.index(b"COPY public.dos") + 400]))
    with pytest.raises(BackupCorrupt):
        restore_db(stack=tiny.name, backup=str(cut), approve=True)
    tiny.assert_live_untouched(now)

    restore_db(stack=tiny.name, backup=str(file), approve=True)

    assert tiny.prints().tables == before
    tiny.assert_clean()


def test_C17_which_backup(tiny: Kit) -> None:
    """By default the newest verified one; an older one by its id; none up to a date is said so."""
    old = backup_db(stack=tiny.name)
    tiny.sql("DELETE FROM dos WHERE id > 200")
    wait_until(lambda: f"{utc_now():%Y%m%dT%H%M%SZ}" not in old, "the next second")
    newest = backup_db(stack=tiny.name)
    catalog_ = tiny.catalog()
    entry = catalog_.entries()[-1]
    assert (entry.backup_id, entry.verdict) == (newest, Verdict.VERIFIED)
    restore_db(stack=tiny.name, approve=True)
    assert tiny.sql("SELECT count(*) FROM dos") == [(200,)]
    wait_until(lambda: time.time() % 1 < 0.5, "another second")
    restore_db(stack=tiny.name, backup=old, approve=True)
    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]
    with pytest.raises(BackupMissing, match="up to 2020-01-01"):
        restore_db(stack=tiny.name, backup="2020-01-01", approve=True)
    with pytest.raises(ConfigError, match="not a backup id"):
        restore_db(stack=tiny.name, backup="yesterday; DROP", approve=True)


def test_C17_across_a_migration(tiny: Kit) -> None:
    """An older schema than live's needs an explicit word; beside live, or where live's is lost, it needs none."""
    tiny.sql("CREATE TABLE migrations (version int); INSERT INTO migrations VALUES (9)")
    tiny.save_blocks(database={"schema_query": "SELECT max(version) FROM migrations"})
    backup_db(stack=tiny.name)
    [entry] = tiny.catalog().entries()
    assert entry.manifest is not None
    assert entry.manifest.contents.schema_version == "9"
    tiny.sql("INSERT INTO migrations VALUES (10)")
    before = tiny.prints().tables
    with pytest.raises(NotApproved, match=r"version 9, live has 10.*accept_schema=true"):
        restore_db(stack=tiny.name, approve=True)
    tiny.assert_live_untouched(before)
    restore_db(stack=tiny.name, into=f"{tiny.database}_b")
    restore_db(stack=tiny.name, approve=True, accept_schema=True)
    assert "- schema: live 10, backup 9" in tiny.preview()
    assert tiny.sql("SELECT max(version) FROM migrations") == [(9,)]
    tiny.sql("DROP TABLE migrations")
    restore_db(stack=tiny.name, approve=True)
    assert "- not verified: which version the live schema has" in tiny.preview()
    assert tiny.sql("SELECT max(version) FROM migrations") == [(9,)]


def test_tools_of_another_major_version(tiny: Kit, embedded_tools: Path) -> None:
    """A16 on the way back: client tools of another major version are refused before a database is made."""
    backup_db(stack=tiny.name)
    tiny.save_blocks(database={"tools_folder": embedded_tools})
    before = tiny.prints().tables
    with pytest.raises(VersionMismatch):
        restore_db(stack=tiny.name, approve=True)
    tiny.assert_live_untouched(before)


def test_nobody_approves(tiny: Kit) -> None:
    """Without an answer in time the restore is undone, and says that nobody answered."""
    backup_db(stack=tiny.name)
    before = tiny.prints().tables
    with pytest.raises(Undone, match="nobody answered"):
        restore_db(stack=tiny.name, approval_timeout_h=2 / 3600)
    tiny.assert_live_untouched(before)


def test_undo_without_restore(tiny: Kit) -> None:
    """There is nothing to undo before the first restore."""
    with pytest.raises(PreconditionError, match="no database replaced by a restore"):
        undo_restore(stack=tiny.name, approve=True)
    tiny.assert_clean()


@pytest.mark.parametrize("entry", [("done", "load"), ("done", "mark as proven"), ("step", "swap names")])
def test_C16_cancelled_before_the_swap(tiny: Kit, entry: tuple[str, str]) -> None:
    """The signal with which Prefect cancels a run undoes everything; live is open and as before."""
    backup_db(stack=tiny.name)
    before = tiny.prints().tables

    code = Child("restore-db", str(tiny.folder / "child.log"), cancel=entry, stack=tiny.name, approve=True).wait()

    assert code != 0
    tiny.assert_live_untouched(before)
    assert "undone" in (tiny.state_dir / "journal" / "done").joinpath(newest_journal(tiny)).read_text()


def newest_journal(kit: Kit) -> str:
    return max((kit.state_dir / "journal" / "done").iterdir(), key=lambda path: path.stat().st_mtime).name
