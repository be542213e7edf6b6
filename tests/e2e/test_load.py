"""The load notices every way in which a request can fail: against a small shop that fails on purpose."""

import contextlib
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, ClassVar
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.e2e.load import PLENTY, Kind, Load, Result, ledger_faults
from tests.e2e.support_shop import RunningStack
from tests.waiting import wait_until

CONNECTIONS = 16
REQUESTS = 400
Fault = Callable[[str, str, int], str]
"""Method, path, how many requests the connection had before -> what goes wrong."""


def certificate(folder: Path) -> ssl.SSLContext:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(
        key, hashes.SHA256()
    )
    form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / "shop.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, no_password) + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


class TinyShop:
    """Takes orders over TLS, and answers with a fault where it is told to."""

    BODIES: ClassVar[dict[str, object]] = {
        "/api/auth/register": {"token": "t"},
        "/api/products": {"items": [{"id": 7}]},
        "/api/products/7": {"id": 7},
        "/api/cart/items/7": {"items": []},
    }

    def __init__(self, context: ssl.SSLContext) -> None:
        self.fault: Fault = lambda *_: ""
        self.orders: list[tuple[str, str]] = []
        self.open = threading.Event()
        self.open.set()
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Refuse new connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            with self._context.wrap_socket(raw, server_side=True) as client, client.makefile("rb") as lines:
                number = 0
                while self._answer(client, lines, number):
                    number += 1
        except OSError:
            return

    def _answer(self, client: ssl.SSLSocket, lines: IO[bytes], number: int) -> bool:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (line := lines.readline()):
                return False
            head += line
        method, path, _ = head.decode().split(" ", 2)
        length = re.search(rb"Content-Length: (\d+)", head)
        lines.read(int(length[1]) if length else 0)
        key = re.search(rb"Idempotency-Key: (\S+)", head)
        self.open.wait()
        return self._send(client, path, key[1].decode() if key else "", self.fault(method, path, number))

    def _send(self, client: ssl.SSLSocket, path: str, key: str, fault: str) -> bool:
        if fault == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if fault == "hang":
            self.open.clear()
            self.open.wait()
            return False
        status, body = 200, self._body(path, key)
        if fault.isdigit():
            status = int(fault)
        elif path in {"/api/auth/register", "/api/orders"}:
            status = 201
        if fault == "garbage":
            body = b'{"neither": "this nor that"}'
        close = "Connection: close\r\n" if fault == "last" else ""
        head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{close}\r\n".encode()
        client.sendall(head + (body[: len(body) // 2] if fault == "cut" else body))
        return fault not in {"cut", "last", "leave"}

    def _body(self, path: str, key: str) -> bytes:
        if path == "/":
            return b'<div id="root"></div>'
        if key:
            self.orders.append((key, str(uuid4())))
            return json.dumps({"id": self.orders[-1][1]}).encode()
        return json.dumps(self.BODIES.get(path.partition("?")[0], {"release": "r-1"})).encode()

    def sql(self, question: str) -> str:
        """Answer what the ledger check asks the database."""
        ledger = "order_requests" in question
        return "\n".join(f"{key} {order}" if ledger else order for key, order in self.orders)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return certificate(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(context: ssl.SSLContext) -> Iterator[TinyShop]:
    made = TinyShop(context)
    yield made
    made.open.set()
    made.close()


def visit(shop: TinyShop, **settings: object) -> Result:
    given = {"connections": CONNECTIONS, "rate_per_s": 2000, "requests": REQUESTS, "slow_path": "/api/slow", **settings}
    with Load(shop.url, **given) as load:
        load.wait_end()
    return load.result


def test_a_shop_that_works_fails_nobody(shop: TinyShop) -> None:
    """Eight of ten read and two order, some are slow, all are told by whom; and every order is made once."""
    seen = visit(shop)
    assert seen.failed == 0, seen.summary
    assert seen.total == sum(seen.by_method.values()) == REQUESTS
    assert 3 < seen.by_method["GET"] / seen.by_method["POST"] < 6
    assert seen.slow == REQUESTS // 50
    assert 0 < seen.p50_s <= seen.p95_s <= seen.p99_s
    assert seen.by_release.keys() == {"r-1"}
    assert (len(seen.acknowledged), seen.unacknowledged) == (len(shop.orders), [])
    assert seen.reconnects == 0
    assert ledger_faults(shop.sql, seen) == []


def after_registering(fault: str) -> Fault:
    return lambda _, path, number: fault if path == "/" and number else ""


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", Kind.IDLE),
        ("cut", Kind.CUT),
        ("502", Kind.SERVER_ERROR),
        ("503", Kind.SERVER_ERROR),
        ("404", Kind.STATUS),
        ("301", Kind.STATUS),
        ("garbage", Kind.BODY),
    ],
)
def test_every_kind_of_failure_is_noticed(shop: TinyShop, fault: str, kind: Kind) -> None:
    shop.fault = after_registering(fault)
    seen = visit(shop)
    assert seen.kinds.keys() == {kind}, seen.summary
    assert seen.failures[0].request == "GET /"
    assert f"{kind}: GET /" in seen.summary
    assert ledger_faults(shop.sql, seen) == []


def test_a_reset_of_a_new_connection_is_another_kind_than_one_of_an_idle_one(shop: TinyShop) -> None:
    """The first tells of a server that is not there, the second of a race with one that goes."""
    shop.fault = lambda _, path, number: (
        "last" if path == "/api/version" else "reset" if number == 0 and path == "/api/products?pageSize=12" else ""
    )
    seen = visit(shop)
    assert seen.kinds.keys() == {Kind.CONNECT}, seen.summary


def test_a_shop_that_is_gone_refuses(shop: TinyShop) -> None:
    shop.fault = lambda _, path, __: "last" if path == "/" else ""
    with Load(shop.url, rate_per_s=2000) as load:
        shop.close()
        wait_until(lambda: load.failed > 50, "many are refused")
    assert load.result.kinds.keys() == {Kind.CONNECT}, load.result.summary
    assert "ConnectionRefusedError" in load.result.summary


def test_no_answer_is_a_failure_and_a_gap(shop: TinyShop) -> None:
    """Nobody waits for ever, and the time in which nobody was served is known."""
    shop.fault = after_registering("hang")
    with Load(shop.url, rate_per_s=2000, timeout_s=0.5) as load:
        wait_until(lambda: load.failed >= CONNECTIONS, "all have given up")
    assert load.result.kinds.keys() == {Kind.TIMEOUT}, load.result.summary
    assert load.result.longest_gap_s >= 0.5


@pytest.mark.parametrize("fault", ["last", "leave"])
def test_a_server_that_closes_between_two_requests_fails_nobody(shop: TinyShop, fault: str) -> None:
    """Announced, or not announced and yet seen before the next request: a client opens another connection."""
    shop.fault = after_registering(fault)
    seen = visit(shop, rate_per_s=400)
    assert seen.failed == 0, seen.summary
    assert seen.reconnects > 0


def test_orders_that_were_not_made_exactly_once_are_found(shop: TinyShop) -> None:
    seen = visit(shop)
    (lost, other, *_), made = shop.orders, shop.orders.copy()
    shop.orders = [(other[0], "another"), *made[2:], (f"{seen.run}-0-x", "nobody's")]
    faults = "\n".join(ledger_faults(shop.sql, seen))
    assert f"{lost[0]}: acknowledged as {lost[1]}, the ledger has none" in faults
    assert f"{other[0]}: acknowledged as {other[1]}, the ledger has another" in faults
    assert f"{seen.run}-0-x: ordered, and nobody sent it" in faults

    shop.orders = made
    twice = ledger_faults(
        lambda question: shop.sql(question) + ("" if "order_requests" in question else "\nmore"), seen
    )
    assert twice == ["order more: made a second time"]


def test_an_order_without_an_answer_may_have_been_made(shop: TinyShop) -> None:
    shop.fault = lambda _, path, __: "502" if path == "/api/orders" else ""
    seen = visit(shop)
    assert seen.acknowledged == {}
    assert set(seen.unacknowledged) == {key for key, _ in shop.orders}
    assert ledger_faults(shop.sql, seen) == []


def test_a_shop_that_takes_no_customers_is_told_at_once(shop: TinyShop) -> None:
    shop.fault = lambda *_: "500"
    with pytest.raises(AssertionError, match="registering was answered 500"), Load(shop.url):
        pass


def test_the_real_shop_bears_it_and_its_ledger_is_asked_in_its_own_words(stack: RunningStack) -> None:
    """What the tiny shop answers is what the real one does; its own image has no slow route."""
    stack.sql(PLENTY)
    with Load(f"https://localhost:{stack.values['HTTPS_PORT']}", slow_path="", requests=REQUESTS) as load:
        load.wait_end()
    seen = load.result
    assert seen.failed == 0, seen.summary
    assert len(seen.acknowledged) > 40
    assert ledger_faults(stack.sql, seen) == []
    stack.sql(f"DELETE FROM order_requests WHERE idempotency_key = '{next(iter(seen.acknowledged))}'")
    assert len(ledger_faults(stack.sql, seen)) == 2
