"""The digest of a value does not depend on how a server holds it."""

from typing import Any

import pytest

from pawpaw_ops.clients.redis.connection import Conn
from pawpaw_ops.clients.redis.values import prints


class Server:
    """Answers as a Redis that has one key."""

    def __init__(self, kind: bytes, size: int, value: Any, *, expires_at_ms: int = -1) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._answers = {"TYPE": kind, "PEXPIRETIME": expires_at_ms}
        self._size, self._value = size, value

    def ask_all(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        self.asked += commands
        return [self._answer(str(words[0])) for words in commands]

    def _answer(self, word: str) -> Any:
        if word in self._answers:
            return self._answers[word]
        return self._size if word in {"STRLEN", "HLEN", "SCARD", "ZCARD", "LLEN", "XLEN", "EXISTS"} else self._value


def digest(server: Server) -> str:
    made: Any = server
    conn: Conn = made
    return prints(conn, 0, [b"k"])[0, b"k".hex()].digest


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (b"hash", [b"a", b"1", b"b", b"2"], [b"b", b"2", b"a", b"1"]),
        (b"hash", [b"a", b"1", b"b", b"2"], {b"b": b"2", b"a": b"1"}),
        (b"set", [b"a", b"b"], [b"b", b"a"]),
        (b"set", [b"a", b"b"], {b"b", b"a"}),
    ],
)
def test_a_hash_and_a_set_have_no_order(kind: bytes, one: Any, other: Any) -> None:
    """The order in which a server tells them is its own."""
    assert digest(Server(kind, 2, one)) == digest(Server(kind, 2, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Server(b"list", 2, [b"a", b"b"]), Server(b"list", 2, [b"b", b"a"])),
        (Server(b"list", 2, [b"a", b"bc"]), Server(b"list", 2, [b"ab", b"c"])),
        (Server(b"hash", 2, [b"a", b"1", b"b", b"2"]), Server(b"hash", 2, [b"a", b"2", b"b", b"1"])),
        (Server(b"string", 1, b"1"), Server(b"string", 1, b"2")),
        (Server(b"zset", 1, [(b"a", 1.0)]), Server(b"zset", 1, [(b"a", 1.5)])),
        (Server(b"stream", 1, [(b"1-1", {b"a": b"1"})]), Server(b"stream", 1, [(b"1-1", {b"a": b"2"})])),
        (Server(b"list", 20_000, None), Server(b"list", 20_001, None)),
    ],
)
def test_other_values_have_other_digests(one: Server, other: Server) -> None:
    assert digest(one) != digest(other)


@pytest.mark.parametrize(("kind", "size"), [(b"hash", 10_001), (b"string", (1 << 20) + 1)])
def test_of_a_large_value_only_the_size_is_asked(kind: bytes, size: int) -> None:
    server = Server(kind, size, None)
    digest(server)
    assert server.asked[-1] == ("EXISTS", b"k")


def test_a_value_of_a_module_is_dumped() -> None:
    server = Server(b"ReJSON-RL", 1, b"opaque")
    digest(server)
    assert server.asked[-1] == ("DUMP", b"k")


def test_a_key_that_is_gone_is_left_out() -> None:
    made: Any = Server(b"none", 0, None)
    assert prints(made, 0, [b"k"]) == {}
