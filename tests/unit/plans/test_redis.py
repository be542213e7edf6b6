"""What must hold of a Redis, its files and its keys."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.errors import BackupCorrupt, ConfigError, PreconditionError, VersionMismatch
from pawpaw_ops.models.backup import FileEntry
from pawpaw_ops.models.redis import KeyCount, KeyPrint, Keyspace, Layout, Redis, RedisContents, RedisFacts
from pawpaw_ops.plans import redis as plan
from pawpaw_ops.plans.redis import AofFile

AT = datetime(2026, 8, 1, tzinfo=UTC)
FACTS = RedisFacts(
    version="7.0.15", run_id="a", mode="standalone", role="master", folder="/data", layout=Layout(append_only=True)
)


def facts(**more: object) -> RedisFacts:
    return FACTS.model_copy(update=more)


def keyspace(**counts: tuple[int, int]) -> Keyspace:
    """Return `db0=(keys, expires)`."""
    found = {int(name.removeprefix("db")): KeyCount(total=keys, expires=exp) for name, (keys, exp) in counts.items()}
    return Keyspace(databases=found)


def contents(keys: int = 100, *, compared: int = 50, differed: int = 0, **server: object) -> RedisContents:
    return RedisContents(
        backup_id="20260801T000000Z-00000001",
        taken_at=AT,
        stack="shop",
        files={"dump/dump.rdb": FileEntry(size_bytes=1, sha256="0")},
        redis="carts",
        form="rdb",
        server=facts(**server),
        tools_version="7.0.15",
        keyspace=keyspace(db0=(keys, 0)),
        compared=compared,
        differed=differed,
    )


LIST = """file appendonly.aof.2.base.rdb seq 2 type b
file appendonly.aof.1.incr.aof seq 1 type h
file "odd \\"name.aof" seq 2 type i
"""


def test_a_list_without_its_history() -> None:
    assert plan.parse_aof_manifest(LIST) == (
        AofFile(name="appendonly.aof.2.base.rdb", seq=2, kind="b"),
        AofFile(name='odd "name.aof', seq=2, kind="i"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "file a seq 1 type h\n",
        "file a seq 1 type q\n",
        "file ../a seq 1 type b\n",
        "file .. seq 1 type b\n",
        "file /etc/passwd seq 1 type b\n",
        "file a seq x type b\n",
        "file a seq 1",
    ],
)
def test_a_list_that_is_none(text: str) -> None:
    with pytest.raises(BackupCorrupt):
        plan.parse_aof_manifest(text)


@pytest.mark.parametrize("name", ["appendonly.aof.1.base.rdb", "with space.1.base.rdb"])
def test_a_list_of_a_base_alone(name: str) -> None:
    assert plan.parse_aof_manifest(plan.base_only(name)) == (AofFile(name=name, seq=1, kind="b"),)


@given(st.lists(st.integers(0, 1000), max_size=3), st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000))
def test_the_last_file_ends_where_redis_says(others: list[int], before: int, written: int, later: int) -> None:
    """Its count was asked for between two looks at the file."""
    counted = sum(others) + before + written
    assert plan.last_size(counted, [*others, before + written + later], at_least=before) == before + written


def test_a_count_that_does_not_fit_is_left() -> None:
    """Redis forgets what it cut off while loading: then the size stands, and a check tells whether it will do."""
    assert plan.last_size(5000, [100, 700], at_least=600) == 700
    assert plan.last_size(0, [100, 700], at_least=600) == 700


@pytest.mark.parametrize(
    ("seen", "changes", "error"),
    [
        (facts(version="6.2.7"), False, VersionMismatch),
        (facts(mode="cluster"), False, PreconditionError),
        (facts(role="slave"), True, PreconditionError),
    ],
)
def test_servers_that_are_refused(seen: RedisFacts, error: type[Exception], *, changes: bool) -> None:
    with pytest.raises(error):
        plan.check_server(seen, changes=changes)


def test_a_replica_may_be_backed_up() -> None:
    plan.check_server(facts(role="slave"), changes=False)
    plan.check_server(facts(), changes=True)


def test_tools_are_of_the_servers_release() -> None:
    plan.check_tools("7.0.1", "7.0.15")
    with pytest.raises(VersionMismatch, match=r"7\.2\.4.*7\.0\.15"):
        plan.check_tools("7.2.4", "7.0.15")


def test_an_older_server_cannot_read_a_newer_backup() -> None:
    plan.check_readable(contents(), "7.0.2")
    plan.check_readable(contents(), "8.0.0")
    with pytest.raises(VersionMismatch, match=r"Redis 7\.4\.1.*7\.4 or newer"):
        plan.check_readable(contents(version="7.4.1"), "7.0.15")


def test_what_a_restore_needs_to_know() -> None:
    here = Path("/data")
    plan.check_restart(Redis(data_folder=here, container="cache"))
    plan.check_restart(Redis(data_folder=here, stop=("a",), start=("b",)))
    for lacking in (Redis(container="cache"), Redis(data_folder=here, stop=("a",)), Redis(data_folder=here)):
        with pytest.raises(ConfigError):
            plan.check_restart(lacking)


def test_memory() -> None:
    plan.check_memory(10, 10)
    plan.check_memory(10, None)
    with pytest.raises(PreconditionError, match=r"10 bytes.*9 are free"):
        plan.check_memory(10, 9)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (keyspace(db0=(100, 10)), ()),
        (keyspace(db0=(95, 5)), ()),
        (keyspace(db0=(90, 0)), ()),
        (keyspace(db0=(99, 10)), ("database 0 has 89 keys that do not expire, recorded were 90",)),
        (keyspace(db0=(101, 11)), ("database 0 has 101 keys, recorded were 100",)),
        (keyspace(), ("database 0 has 0 keys that do not expire, recorded were 90",)),
        (keyspace(db0=(100, 10), db3=(1, 0)), ("database 3 has 1 keys that do not expire, recorded were 0",)),
    ],
)
def test_keys_may_only_expire(found: Keyspace, said: tuple[str, ...]) -> None:
    assert plan.differences(keyspace(db0=(100, 10)), found) == said


def key(name: str, digest: str = "1", *, expires_at_ms: int = -1) -> KeyPrint:
    return KeyPrint(db=0, key=name.encode().hex(), kind="string", digest=digest, expires_at_ms=expires_at_ms)


def by_name(*prints: KeyPrint) -> dict[tuple[int, str], KeyPrint]:
    return {(seen.db, seen.key): seen for seen in prints}


def test_a_key_whose_time_is_over_may_be_gone() -> None:
    gone, due, other = key("a"), key("b", expires_at_ms=5), key("c", expires_at_ms=50)
    assert plan.changed([gone, due, other], {}, now_ms=10) == 2
    assert plan.changed([gone, due], by_name(gone, key("b", "2", expires_at_ms=5)), now_ms=10) == 1
    assert plan.changed([gone, due], by_name(gone, due), now_ms=10) == 0


def test_keys_that_rest_are_the_same_before_and_after() -> None:
    same, was, now = key("a"), key("b", "1"), key("b", "2")
    assert plan.resting(by_name(same, was, key("c")), by_name(same, now)) == [same]


def test_some_keys_flap_and_many_do_not() -> None:
    plan.check_resting(0, 0)
    plan.check_resting(3, 2)
    plan.check_resting(500, 50)
    with pytest.raises(BackupCorrupt, match="51 of 500"):
        plan.check_resting(500, 51)


def test_clients_change_little_in_a_moment() -> None:
    recorded = keyspace(db0=(1000, 0))
    assert not plan.too_different(recorded, keyspace(db0=(1050, 0)), compared=500, differed=50)
    assert plan.too_different(recorded, keyspace(db0=(1000, 0)), compared=500, differed=51)
    assert plan.too_different(recorded, keyspace(db0=(800, 0)), compared=500, differed=0)
    assert plan.too_different(recorded, keyspace(), compared=0, differed=0)
    assert not plan.too_different(keyspace(), keyspace(db0=(2, 0)), compared=0, differed=0)


def test_alarms() -> None:
    assert plan.alarms(contents(), None) == ()
    assert plan.alarms(contents(60), contents(100)) == ()
    assert plan.alarms(contents(49), contents(100)) == ("it has 49 keys; 20260801T000000Z-00000001 had 100.",)
    assert plan.alarms(contents(ill=("rdb_last_bgsave_status is err",)), None) == (
        "the server says rdb_last_bgsave_status is err.",
    )
    assert plan.alarms(contents(differed=3), None) == ("3 of 50 keys that rested while it was made are another in it.",)
