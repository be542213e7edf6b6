"""Redis backups: whole under load, healed after a death, refused where the server is ill or does not let us."""

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from flows.backup_redis import backup_redis
from flows.list_backups import list_backups
from pawpaw_ops.clients.store import DATA
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import BackupCorrupt, DiskTooSmall, IdentityMismatch, PreconditionError, Unreachable
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.recovery import open_backup, told
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session import open_session
from tests.integration.support_child import Child
from tests.integration.support_mounts import small_disk
from tests.integration.support_redis import PASSWORD, Load, RealRedis, RedisKit
from tests.waiting import wait_until

ROUNDS = 5
READER = "~* &* -@all +@read +@connection +info +config|get +sync +psync +replconf"
"""The rules in the manual for a user that makes ordinary backups."""


@pytest.mark.parametrize("exact", [False, True], ids=["snapshot", "exact"])
def test_G1_a_backup_under_writes_and_rewrites(carts: RedisKit, *, exact: bool) -> None:
    """Every one starts a Redis, and holds the keys that rested meanwhile."""
    with Load(carts.server) as load:
        wait_until(lambda: min(load.written) > 10_000 and load.rewrites > 2, "the load is under way")
        for _ in range(ROUNDS):
            backup_redis(stack=carts.name, exact=exact)
        wait_until(lambda: load.rewrites > ROUNDS, "rewrites go on")
    entries = carts.catalog().entries()
    assert [entry.verdict for entry in entries] == [Verdict.VERIFIED] * ROUNDS
    for entry in entries:
        assert entry.manifest is not None
        contents = entry.manifest.contents
        assert contents.form == ("aof" if exact else "rdb")
        assert contents.keyspace.databases[0].total > 2000
        assert contents.keyspace.databases[3].total == 1
        assert contents.compared > 0
        assert contents.differed == 0
        assert entry.manifest.alarms == ()
    carts.assert_clean()


def test_G1_an_exact_backup_has_the_last_write(carts: RedisKit) -> None:
    """A snapshot and what was appended since."""
    carts.server.ask("BGREWRITEAOF")
    wait_until(lambda: not carts.server.info("persistence")["aof_rewrite_in_progress"], "it was rewritten")
    carts.server.ask("SET", "the last", "write")
    backup_redis(stack=carts.name, exact=True)
    (entry,) = carts.catalog().entries()
    assert entry.manifest is not None
    assert entry.manifest.contents.count == carts.server.size() + 1


def test_G1_what_is_stored_shows_no_key(carts: RedisKit) -> None:
    """Names of keys may be secrets: they lie in the sealed artefact alone. The password lies nowhere."""
    backup_redis(stack=carts.name)
    for path in (*carts.store_folder.rglob("*"), *carts.state_dir.rglob("*")):
        if path.is_file():
            assert b"cart:" not in path.read_bytes(), path
            assert PASSWORD.encode() not in path.read_bytes(), path
    assert list_backups(stack=carts.name) == 1


KILLED_AT = {
    "before": ("step", "switch rewrites off"),
    "off": ("done", "switch rewrites off"),
    "linked": ("done", "link append-only files"),
    "copied": ("done", "copy append-only files"),
    "loading": ("step", "start a Redis on it"),
    "sealed": ("done", "seal"),
}


@pytest.mark.parametrize("entry", KILLED_AT.values(), ids=list(KILLED_AT))
def test_G2_rewrites_are_on_again_after_sigkill(carts: RedisKit, entry: tuple[str, str]) -> None:
    """The next run of any verb heals the setting and clears up."""
    log = carts.folder / "child.log"
    code = Child("backup-redis", str(log), kill=entry, stack=carts.name, exact=True).wait()
    assert code == -signal.SIGKILL, log.read_text()[-3000:]
    assert carts.rewrite_percentage() == ("0" if entry in {KILLED_AT["off"], KILLED_AT["linked"]} else "100")
    with open_session(carts.settings(), verb="test", purpose="recover", run_id="recover"):
        pass
    carts.assert_clean()
    assert carts.catalog().entries() == []
    backup_redis(stack=carts.name, exact=True)
    carts.assert_clean()


def test_G2_a_setting_that_somebody_changed_since_is_left(carts: RedisKit) -> None:
    """So is that of another process: it has read its configuration."""
    entry = KILLED_AT["off"]
    Child("backup-redis", str(carts.folder / "log"), kill=entry, stack=carts.name, exact=True).wait()
    carts.server.ask("CONFIG", "SET", "auto-aof-rewrite-percentage", "70")
    with open_session(carts.settings(), verb="test", purpose="recover", run_id="recover"):
        pass
    assert carts.rewrite_percentage() == "70"
    Child("backup-redis", str(carts.folder / "log"), kill=entry, stack=carts.name, exact=True).wait()
    carts.server.restart()
    carts.server.ask("CONFIG", "SET", "auto-aof-rewrite-percentage", "0")
    with open_session(carts.settings(), verb="test", purpose="recover", run_id="recover 2"):
        pass
    assert carts.rewrite_percentage() == "0"


def test_G2_a_dead_redis_does_not_hold_up_what_comes_next(carts: RedisKit) -> None:
    """The setting died with it."""
    Child("backup-redis", str(carts.folder / "log"), kill=KILLED_AT["off"], stack=carts.name, exact=True).wait()
    carts.server.stop()
    with open_session(carts.settings(), verb="test", purpose="recover", run_id="recover"):
        pass
    carts.server.start()
    carts.assert_clean()


def nothing_published(kit: RedisKit) -> None:
    kit.assert_clean()
    assert kit.catalog().entries() == []
    assert kit.catalog().unpublished() == []


@pytest.fixture
def cramped(prefect_api: None, tmp_path: Path) -> Iterator[RedisKit]:
    """A Redis without append-only files whose snapshots do not fit on its disk."""
    with small_disk(tmp_path / "redis" / "data", 2 << 20):
        server = RealRedis(
            tmp_path / "redis", appendonly="no", repl_diskless_sync="no", save="3600 100000", rdbcompression="no"
        )
        server.start()
        for number in range(40):
            server.ask("SET", f"large:{number}", os.urandom(80_000))
        kit = RedisKit(tmp_path, server)
        kit.save_blocks()
        yield kit
        kit.remove()


def test_G5_a_server_whose_disk_is_full(cramped: RedisKit) -> None:
    """It cannot write the snapshot that it would send."""
    with pytest.raises(PreconditionError, match="did not send a whole snapshot"):
        backup_redis(stack=cramped.name)
    nothing_published(cramped)


def test_G5_misconf_is_told_and_no_stale_snapshot_is_published(cramped: RedisKit) -> None:
    """It refuses writes, and yet streams what is in memory: that is a backup, and more wanted than ever."""
    cramped.server.ask("CONFIG", "SET", "repl-diskless-sync", "yes")
    (cramped.server.data / "dump.rdb").write_bytes(b"REDIS0010 stale")
    cramped.server.ask("BGSAVE")
    wait_until(lambda: cramped.server.info("persistence")["rdb_last_bgsave_status"] == "err", "its snapshot failed")
    with pytest.raises(redis.ResponseError, match="MISCONF"):
        cramped.server.ask("SET", "refused", "1")
    backup_redis(stack=cramped.name)
    (entry,) = cramped.catalog().entries()
    assert entry.manifest is not None
    assert entry.manifest.alarms == ("the server says rdb_last_bgsave_status is err.",)
    assert entry.manifest.contents.count == 40


def test_G5_fork_fails(prefect_api: None, tmp_path: Path) -> None:
    """As it does without overcommit on a full host: the server says so, and nothing is published."""
    server = RealRedis(Path(tempfile.mkdtemp()))  # pytest's own folders are closed to others
    server.folder.chmod(0o755)
    for path in (server.folder, server.data):
        os.chown(path, 54321, -1)
    nobody = ("setpriv", "--reuid=54321", "--clear-groups")
    server.prefix = f"{' '.join(nobody)} "
    server.start()
    LocalRunner().run(Command(argv=(*nobody, "prlimit", f"--pid={server.pid()}", "--nproc=1:1")))
    kit = RedisKit(tmp_path, server)
    kit.save_blocks()
    try:
        with pytest.raises(PreconditionError, match=r"BGSAVE failed.*log says why"):
            backup_redis(stack=kit.name)
        nothing_published(kit)
    finally:
        kit.remove()
        shutil.rmtree(server.folder)


def test_G5_no_room_for_staging(carts: RedisKit) -> None:
    """Told before anything begins."""
    with small_disk(carts.state_dir, 8 << 20), pytest.raises(DiskTooSmall, match="scratch folder"):
        backup_redis(stack=carts.name)
    assert carts.catalog().entries() == []


def test_G7_wrong_password(carts: RedisKit) -> None:
    carts.save_blocks(password="wrong-" + PASSWORD)
    with pytest.raises(Unreachable, match=r"WRONGPASS|invalid username-password") as caught:
        backup_redis(stack=carts.name)
    assert PASSWORD not in str(caught.value)
    assert carts.catalog().entries() == []


@pytest.mark.parametrize(
    ("rules", "exact", "said"),
    [
        (READER.replace("+info", ""), False, "'info'"),
        (READER.replace("+config|get", ""), False, "config"),
        (READER.replace("+@read", ""), False, "scan"),
        (READER.replace("+sync", ""), False, "sync"),
        (READER, True, "config"),
    ],
    ids=["info", "config", "read", "sync", "exact"],
)
def test_G7_an_acl_that_lacks_a_command(carts: RedisKit, rules: str, said: str, *, exact: bool) -> None:
    """The error names it and says where the rules are."""
    carts.server.ask("ACL", "SETUSER", "ops", "reset", "on", f">{PASSWORD}", *rules.split())
    with pytest.raises(PreconditionError, match=f"(NOPERM|no permissions).*{said}.*ACL rules") as caught:
        backup_redis(stack=carts.name, exact=exact)
    assert caught.value.code == "precondition"
    nothing_published(carts)


def test_G7_the_rules_in_the_manual_are_enough(carts: RedisKit) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "manual-operaciones.md").read_text(encoding="utf-8")
    assert READER in manual
    carts.server.ask("ACL", "SETUSER", "ops", "reset", "on", f">{PASSWORD}", *READER.split())
    backup_redis(stack=carts.name)
    carts.server.ask("ACL", "SETUSER", "ops", "+config|set")
    backup_redis(stack=carts.name, exact=True)
    assert len(carts.catalog().entries()) == 2


@pytest.mark.parametrize("exact", [False, True], ids=["snapshot", "exact"])
def test_a_backup_is_opened_with_a_key_and_a_file(carts: RedisKit, *, exact: bool) -> None:
    """With the product, and by hand as the recovery kit says."""
    backup_redis(stack=carts.name, exact=exact)
    (artefact,) = carts.store_folder.rglob(DATA)
    key = carts.folder / "recovery.key"
    key.write_text(str(carts.identity))
    to = carts.folder / "opened"
    opened, read = open_backup(artefact, key_file=key, to=to)
    assert read
    assert told(opened.contents, decoded=read, to=to)[1] == "The whole dump decodes."
    made = carts.folder / "new" / "appendonlydir"
    made.mkdir(parents=True)
    if exact:
        shutil.copytree(to / "dump", made, dirs_exist_ok=True)
    else:
        shutil.copyfile(to / "dump" / "dump.rdb", made / "appendonly.aof.1.base.rdb")
        (made / "appendonly.aof.manifest").write_text("file appendonly.aof.1.base.rdb seq 1 type b\n")
    by_hand = RealRedis(carts.folder / "by-hand", dir=f'"{made.parent}"')
    by_hand.start()
    try:
        assert by_hand.size() == carts.server.size()
    finally:
        by_hand.stop()


def test_a_folder_of_another_server_is_refused(carts: RedisKit, tmp_path: Path) -> None:
    """An exact backup of the wrong files would look well."""
    other = RealRedis(tmp_path / "other")
    other.start()
    try:
        carts.save_blocks(data_folder=other.data)
        with pytest.raises(IdentityMismatch, match="keeps its data in"):
            backup_redis(stack=carts.name, exact=True)
        nothing_published(carts)
    finally:
        other.stop()


def test_keys_that_rested_and_are_not_in_the_files_refuse_them(
    carts: RedisKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where nobody can tell whose folder it is, what is in it tells."""
    other = RealRedis(tmp_path / "other")
    other.start()
    other.fill(300)
    monkeypatch.setattr("pawpaw_ops.tasks.redis_server.folder_of", lambda *_: None)
    try:
        carts.save_blocks(data_folder=other.data)
        with pytest.raises(BackupCorrupt, match="keys that rested"):
            backup_redis(stack=carts.name, exact=True)
        nothing_published(carts)
    finally:
        other.stop()


def test_data_that_was_replaced_goes_when_its_time_is_over(carts: RedisKit) -> None:
    for name in ("appendonlydir.old-20200101T000000Z-ab12", "appendonlydir.old-20990101T000000Z-ab12", "mine"):
        (carts.server.data / name).mkdir()
    backup_redis(stack=carts.name)
    assert carts.names() == ["appendonlydir", "appendonlydir.old-20990101T000000Z-ab12", "mine"]
    steps = [json.loads(line)["steps"] for line in (carts.state_dir / "audit.jsonl").read_text().splitlines()]
    assert "remove appendonlydir.old-20200101T000000Z-ab12" in steps[0]
