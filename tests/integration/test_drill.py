"""E1 to E6: drills on real parts. Each uses stored bytes, the key, and a server of its own; live is never needed."""

import json
import signal
import socket
from pathlib import Path

import psutil
import pytest

from blocks import BackupIdentity, PostgresDatabase
from flows.backup import backup_db
from flows.drill_restore import drill_restore
from pawpaw_ops import corpus, evidence
from pawpaw_ops.clients.store import DATA
from pawpaw_ops.errors import BackupMissing, OpsError, PreconditionError, Unreachable, VerificationError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.plans.ladder import DrillRecord
from pawpaw_ops.session import open_session
from pawpaw_ops.session.lock import holder, stack_lock
from pawpaw_ops.tasks import drill
from tests.integration.support_child import Child
from tests.integration.support_mounts import small_disk
from tests.integration.support_stack import Kit, postgres_15
from tests.waiting import SOAK

MOST_ENTRIES = 30
EVERY = 1 if SOAK else 3
"""Of the journal's entries one in so many is where it is killed; `make soak` takes each of them."""


def evidence_of(kit: Kit) -> list[DrillRecord]:
    """The signed records on the host, oldest first."""
    key = evidence.public_key(BackupIdentity.named(kit.name).keys()[0])
    files = sorted((kit.state_dir / "evidence").glob("*.json"))
    return [evidence.verify(file.read_bytes(), key=key) for file in files]


def change_database(kit: Kit, **fields: object) -> None:
    """Change the block of the database."""
    block = PostgresDatabase.named(kit.name)
    for name, value in fields.items():
        setattr(block, name, value)
    block.save(kit.name, overwrite=True)


def proof(kit: Kit, backup_id: str) -> tuple[Verdict, int]:
    [entry] = [entry for entry in kit.catalog().entries() if entry.backup_id == backup_id]
    return entry.verdict, entry.level


def test_E1_every_broken_backup_trips_its_own_rung_and_a_healthy_one_none(temporary: Path) -> None:
    """Both directions: the expected findings, and no others."""
    told = drill.self_test.fn(postgres_15())
    assert told[0] == "healthy: nothing found, as it must be"
    assert len(told) >= 16


def test_E1_a_drill_that_sees_nothing_is_found_out(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The self-test fails when a healthy backup is expected to be broken: it does compare."""
    kind = corpus.KINDS["healthy"]
    blind = {"healthy": type(kind)(frozenset({"content"}))}
    monkeypatch.setattr(corpus, "KINDS", blind)
    with pytest.raises(VerificationError, match="healthy: found nothing, expected content"):
        drill.self_test.fn(postgres_15())


def test_E4_C18_stored_bytes_and_the_key_are_enough(tiny: Kit, temporary: Path) -> None:
    """The newest and an older backup climb to the top while the live server cannot be reached, and nothing is left."""
    ids = [backup_db(stack=tiny.name) for _ in range(2)]
    before = tiny.prints().tables
    change_database(tiny, host=str(tiny.folder / "nowhere"), port=1)
    with pytest.raises(Unreachable):
        backup_db(stack=tiny.name)

    said = drill_restore(stack=tiny.name, budget_min=60)

    assert said.count("verified up to rung 8") == 2
    assert sorted(record.backup_id for record in evidence_of(tiny)) == sorted(ids)
    assert [proof(tiny, backup_id) for backup_id in ids] == [(Verdict.VERIFIED, 8)] * 2
    assert all(record.rows == sum(table.rows for table in before.values()) for record in evidence_of(tiny))
    assert tiny.prints().tables == before
    beside = [thing.key for thing in tiny.catalog().location.list(tiny.catalog().key(ids[0], "evidence-"))]
    assert len(beside) == 1
    tiny.assert_clean()


def test_E6_evidence_that_was_edited_is_left_out_of_the_history(tiny: Kit, temporary: Path) -> None:
    backup_db(stack=tiny.name)
    drill_restore(stack=tiny.name)
    [file] = (tiny.state_dir / "evidence").glob("*.json")
    file.write_bytes(file.read_bytes().replace(b'"verified"', b'"failed"', 1))
    keys = BackupIdentity.named(tiny.name).keys()
    with open_session(tiny.settings(), verb="test", purpose="look", run_id="look", exclusive=False) as do:
        assert drill.history(do, keys[0]) == []


def test_E1_a_backup_that_rotted_in_the_store_fails_and_is_marked(tiny: Kit, temporary: Path) -> None:
    """The run fails, the backup is failed from then on, and another drill takes an older one."""
    older, newest = (backup_db(stack=tiny.name) for _ in range(2))
    data = tiny.store_folder / tiny.catalog().key(newest, DATA)
    rotten = bytearray(data.read_bytes())
    rotten[len(rotten) // 3] ^= 64
    data.write_bytes(rotten)
    with pytest.raises(VerificationError, match="L0 digest"):
        drill_restore(stack=tiny.name, backup=newest)
    assert proof(tiny, newest) == (Verdict.FAILED, 0)
    assert "verified up to rung 8" in drill_restore(stack=tiny.name)
    assert proof(tiny, older) == (Verdict.VERIFIED, 8)


@pytest.mark.parametrize(
    ("queries", "found"),
    [
        ({"no": "SELECT false"}, "L6 smoke: no: the answer is False, not true."),
        ({"broken": "SELECT count(*) > 0 FROM nowhere"}, "L6 smoke: "),
    ],
)
def test_smoke_queries_are_asked_of_the_restored_database(
    tiny: Kit, temporary: Path, queries: dict[str, str], found: str
) -> None:
    tiny.save_blocks(database={"smoke_queries": queries})
    backup_db(stack=tiny.name)
    with pytest.raises(VerificationError, match=found):
        drill_restore(stack=tiny.name)


def test_E5_over_budget_is_told_and_no_failure(tiny: Kit, temporary: Path) -> None:
    """The times are kept; the drill stays green."""
    backup_db(stack=tiny.name)
    said = drill_restore(stack=tiny.name, budget_min=0.0001)
    assert "L8 budget: the restore took" in said
    [record] = evidence_of(tiny)
    assert record.verdict is Verdict.VERIFIED
    assert record.restore_s == pytest.approx(sum(rung.duration_s for rung in record.rungs), abs=0.1)


def test_E2_a_drill_that_cannot_start_is_not_verified_and_blames_no_backup(tiny: Kit, temporary: Path) -> None:
    """No programs: the run fails as not verified, and the proof of the backup stays."""
    backup_id = backup_db(stack=tiny.name)
    tiny.save_blocks(database={"tools_folder": tiny.folder / "no-tools"})
    with pytest.raises(VerificationError, match=r"not green.*not verified up to rung 0.*L1 server"):
        drill_restore(stack=tiny.name)
    assert proof(tiny, backup_id) == (Verdict.VERIFIED, 1)
    assert [record.verdict for record in evidence_of(tiny)] == [Verdict.NOT_VERIFIED]
    tiny.assert_clean()


def test_E2_without_room_for_a_server_nothing_is_verified(tiny: Kit, temporary: Path) -> None:
    backup_id = backup_db(stack=tiny.name)
    with small_disk(temporary, 30 << 20), pytest.raises(VerificationError, match="not verified up to rung 1"):
        drill_restore(stack=tiny.name)
    assert proof(tiny, backup_id) == (Verdict.VERIFIED, 1)
    tiny.assert_clean()


def test_E2_without_a_store_or_a_backup_there_is_no_drill(tiny: Kit, temporary: Path) -> None:
    with pytest.raises(PreconditionError) as seen:
        drill_restore(stack=tiny.name)
    assert isinstance(seen.value, Unreachable)
    tiny.store_folder.mkdir()
    with pytest.raises(BackupMissing):
        drill_restore(stack=tiny.name)
    backup_db(stack=tiny.name)
    with pytest.raises(OpsError):
        drill_restore(stack=tiny.name, backup="20200101T000000Z-00000000")


def test_a_wrong_key_is_named_and_blames_no_backup(tiny: Kit, temporary: Path) -> None:
    backup_id = backup_db(stack=tiny.name)
    other = Kit(tiny.server, tiny.folder)
    BackupIdentity(identities=[str(other.identity)]).save(tiny.name, overwrite=True)
    with pytest.raises(VerificationError, match=f"L1 key: backup {backup_id} was sealed for age1"):
        drill_restore(stack=tiny.name)
    assert proof(tiny, backup_id) == (Verdict.VERIFIED, 1)


def test_a_drill_waits_for_nobody(tiny: Kit, temporary: Path) -> None:
    """It needs no lock: while a backup or restore works on the stack, it runs."""
    backup_db(stack=tiny.name)
    who = holder(run_id="other", verb="restore-db", purpose="test", actor="test")
    with stack_lock(tiny.state_dir, who):
        assert "verified up to rung 8" in drill_restore(stack=tiny.name)
        assert json.loads((tiny.state_dir / "lock").read_bytes())["run_id"] == "other"


def servers_in(folder: Path) -> list[psutil.Process]:
    """The main processes of the PostgreSQL servers whose data is below *folder*."""
    found = []
    for process in psutil.process_iter(["cmdline", "name"]):
        words = process.info["cmdline"] or []
        if process.info["name"] == "postgres" and any(word.startswith(f"{folder}/") for word in words):
            found.append(process)
    return found


def test_E3_the_server_of_a_dead_drill_is_reaped_and_never_listened(tiny: Kit, temporary: Path) -> None:
    """SIGKILL at entries of the journal: the next run of any verb ends the server and removes every trace of it."""
    backup_db(stack=tiny.name)
    left_running = 0
    for entry in range(1, MOST_ENTRIES, EVERY):
        code = Child("drill-restore", str(tiny.folder / "child.log"), kill_entry=entry, stack=tiny.name).wait()
        for server in servers_in(temporary):
            left_running += 1
            listening = [c for c in server.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN]
            assert listening == []
        with open_session(tiny.settings(), verb="test", purpose="recover", run_id=f"recover-{entry}"):
            pass
        assert servers_in(temporary) == []
        assert [path for path in temporary.iterdir() if path.name.startswith("pawpaw-drill-")] == []
        tiny.assert_clean()
        if code == 0:
            break
        assert code == -signal.SIGKILL, (tiny.folder / "child.log").read_text()[-3000:]
    else:
        pytest.fail("the drill has more entries than expected")
    assert left_running >= (2 if SOAK else 1)
    assert [record.verdict for record in evidence_of(tiny)].count(Verdict.VERIFIED) >= 1


def test_E3_the_next_drill_reaps_too(tiny: Kit, temporary: Path) -> None:
    """Without the stack's lock in its way, a drill clears up after a dead one."""
    backup_db(stack=tiny.name)
    log = str(tiny.folder / "child.log")
    for entry in range(5, MOST_ENTRIES):
        if Child("drill-restore", log, kill_entry=entry, stack=tiny.name).wait() == 0 or servers_in(temporary):
            break
    assert servers_in(temporary)
    assert "verified up to rung 8" in drill_restore(stack=tiny.name)
    assert servers_in(temporary) == []


def test_a_drill_server_is_reached_by_its_owner_alone(temporary: Path) -> None:
    """Its socket lies in a folder that only its user may enter, and no port is open."""
    from pawpaw_ops.disposable import DisposableServer, new_root

    server = DisposableServer(new_root("drill"), tools=postgres_15())
    try:
        server.initialise()
        server.start()
        assert server.socket_folder.stat().st_mode & 0o077 == 0
        assert server.database().host == str(server.socket_folder)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe, pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.1", 5432))
    finally:
        server.remove()
