"""What a Redis says of itself, and the keys that it has."""

from collections.abc import Sequence

from pawpaw_ops.clients.redis.connection import Conn, connect
from pawpaw_ops.clients.redis.values import Name, prints
from pawpaw_ops.models.redis import KeyCount, KeyPrint, Keyspace, Layout, Redis, RedisFacts

HEALTH = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
SCAN_COUNT = 500


def facts(conn: Conn) -> RedisFacts:
    """Ask a server what it is, where it keeps its data, and what went wrong lately."""
    server, memory, persistence = conn.info("server"), conn.info("memory"), conn.info("persistence")
    return RedisFacts(
        version=str(server["redis_version"]),
        run_id=str(server["run_id"]),
        mode=str(server["redis_mode"]),
        role=str(conn.info("replication")["role"]),
        folder=conn.setting("dir"),
        layout=layout(conn),
        used_bytes=int(memory["used_memory"]),
        max_bytes=int(memory["maxmemory"]),
        policy=str(memory["maxmemory_policy"]),
        databases=int(conn.setting("databases") or 16),
        ill=tuple(f"{name} is {persistence[name]}" for name in HEALTH if persistence.get(name, "ok") != "ok"),
    )


def layout(conn: Conn) -> Layout:
    """Ask a server where in its folder its data lies."""
    return Layout(
        append_only=conn.setting("appendonly") == "yes",
        folder=conn.setting("appenddirname"),
        file=conn.setting("appendfilename"),
        snapshot=conn.setting("dbfilename"),
    )


def keyspace(conn: Conn) -> Keyspace:
    """Count the keys of every numbered database that has any."""
    found = conn.info("keyspace")
    return Keyspace(
        databases={
            int(name.removeprefix("db")): KeyCount(total=int(counts["keys"]), expires=int(counts["expires"]))
            for name, counts in found.items()
        }
    )


def sample(server: Redis, *, most: int) -> dict[Name, KeyPrint]:
    """Draw up to *most* keys of every numbered database, as SCAN meets them, and digest their values.

    SCAN walks a hash table whose seed is made at start, so that its first keys are any keys.
    """
    made: dict[Name, KeyPrint] = {}
    with connect(server) as conn:
        databases = sorted(keyspace(conn).databases)
    for db in databases:
        with connect(server, db=db) as conn:
            made |= prints(conn, db, _scan(conn, most))
    return made


def look_up(server: Redis, names: Sequence[Name]) -> dict[Name, KeyPrint]:
    """Digest the values that some keys have now; what is not there is left out."""
    made: dict[Name, KeyPrint] = {}
    for db in sorted({db for db, _ in names}):
        with connect(server, db=db) as conn:
            made |= prints(conn, db, [bytes.fromhex(key) for of, key in names if of == db])
    return made


def _scan(conn: Conn, most: int) -> list[bytes]:
    found: dict[bytes, None] = {}
    cursor = b"0"
    while len(found) < most:
        cursor, keys = conn.ask("SCAN", cursor, "COUNT", SCAN_COUNT)
        found |= dict.fromkeys(keys)
        if int(cursor) == 0:
            break
    return list(found)[:most]
