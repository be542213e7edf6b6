"""The digest of a key's value: of what is in it, not of how it is encoded.

DUMP is not that: it tells a set that is a hash table in the order of the process's own seed, and a value that was large
once and small later in another encoding than the one that loads it anew.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pawpaw_ops.clients.redis.connection import Conn
from pawpaw_ops.models.redis import KeyPrint

Name = tuple[int, str]
"""A numbered database, and a key in hexadecimal digits."""
BATCH = 100
MOST_ELEMENTS = 10_000
MOST_BYTES = 1 << 20
"""Of a value that is larger than this only the size counts."""
SIZE: Mapping[str, str] = {
    "string": "STRLEN",
    "hash": "HLEN",
    "set": "SCARD",
    "zset": "ZCARD",
    "list": "LLEN",
    "stream": "XLEN",
}


def prints(conn: Conn, db: int, keys: Sequence[bytes]) -> dict[Name, KeyPrint]:
    """Digest the values of keys; those that are not there are left out."""
    made: dict[Name, KeyPrint] = {}
    for start in range(0, len(keys), BATCH):
        made |= _batch(conn, db, keys[start : start + BATCH])
    return made


def _batch(conn: Conn, db: int, keys: Sequence[bytes]) -> dict[Name, KeyPrint]:
    answers = conn.ask_all([words for key in keys for words in (("TYPE", key), ("PEXPIRETIME", key))])
    kinds = [_text(answer) for answer in answers[::2]]
    times = [int(answer) for answer in answers[1::2]]
    there = [place for place, kind in enumerate(kinds) if kind != "none"]
    sizes = conn.ask_all([_size(kinds[place], keys[place]) for place in there])
    values = conn.ask_all([_value(kinds[p], keys[p], size) for p, size in zip(there, sizes, strict=True)])
    return {
        (db, keys[place].hex()): KeyPrint(
            db=db,
            key=keys[place].hex(),
            kind=kinds[place],
            digest=_digest(kinds[place], size, value),
            expires_at_ms=times[place],
        )
        for place, size, value in zip(there, sizes, values, strict=True)
    }


def _size(kind: str, key: bytes) -> tuple[object, ...]:
    return (SIZE.get(kind, "EXISTS"), key)


def _value(kind: str, key: bytes, size: int) -> tuple[object, ...]:
    """Return the command that reads a whole value, or of a large one nothing."""
    if size > (MOST_BYTES if kind == "string" else MOST_ELEMENTS):
        return ("EXISTS", key)
    readers: Mapping[str, tuple[object, ...]] = {
        "string": ("GETRANGE", key, 0, -1),
        "hash": ("HGETALL", key),
        "set": ("SMEMBERS", key),
        "zset": ("ZRANGE", key, 0, -1, "WITHSCORES"),
        "list": ("LRANGE", key, 0, -1),
        "stream": ("XRANGE", key, "-", "+"),
    }
    return readers.get(kind, ("DUMP", key))


def _digest(kind: str, size: int, value: Any) -> str:
    """Digest a value; a hash and a set have no order."""
    if kind == "hash" and isinstance(value, list):
        value = sorted(zip(value[::2], value[1::2], strict=True))
    elif kind == "hash" and isinstance(value, dict):
        value = sorted(value.items())
    elif kind == "set" and isinstance(value, list | set):
        value = sorted(value)
    state = hashlib.sha256(f"{kind} {size}".encode())
    for part in _parts(value):
        state.update(len(part).to_bytes(8, "big") + part)
    return state.hexdigest()[:32]


def _parts(value: Any) -> Iterable[bytes]:
    """Go through the bytes in an answer, at any depth; the brackets count too."""
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, list | tuple):
        yield b"("
        for part in value:
            yield from _parts(part)
        yield b")"
    else:
        yield value if isinstance(value, bytes) else str(value).encode()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
