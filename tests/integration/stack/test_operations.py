"""The Prefect server behind the gateway: a real one, by a socket as the units make it, to Prefect's own client."""

import asyncio
import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import VariableCreate
from prefect.events import Event, Resource
from prefect.events.clients import get_events_client, get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_SSL_CERT_FILE,
    PREFECT_API_URL,
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    temporary_settings,
)

from tests.integration.stack import support_docker
from tests.integration.stack.support_acme import free_port, listens
from tests.integration.stack.support_docker import World, attempt
from tests.integration.stack.test_gateway import SHOP, Gateway, anybody, server, start_gateway
from tests.waiting import wait_until

LOGIN = "admin:the-word-of-this-test"
OPS, SHOP_NAME = "localhost", "tienda.example.mx"
NAMES = {"OPS_DOMAIN": OPS, "SHOP_DOMAIN": SHOP_NAME, "HTTPS_PORT": "8443"}
PROXY = "/lib/systemd/systemd-socket-proxyd"


def basic(login: str) -> str:
    """Spell a login as a header."""
    return f"Basic {b64encode(login.encode()).decode()}"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder for sockets; the name of one may not be long."""
    with tempfile.TemporaryDirectory(prefix="pawpaw-ops-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def answers(path: Path) -> bool:
    """Whether somebody listens on a socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@contextlib.contextmanager
def carried(folder: Path, port: int) -> Iterator[None]:
    """Carry what comes by the folder's socket to a port of loopback, as pawpaw-operations does."""
    path = folder / "prefect.sock"
    words = ("/usr/bin/systemd-socket-activate", "--listen", str(path), PROXY, f"127.0.0.1:{port}")
    # A service of systemd's ignores SIGPIPE, which is what a peer that hangs up is to it.
    with subprocess.Popen(words, restore_signals=False) as process:
        try:
            wait_until(lambda: answers(path), "the socket is there")
            path.chmod(0o666)
            yield
            assert process.poll() is None
        finally:
            process.terminate()
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def prefect_server(home: Path) -> Iterator[int]:
    """Run a Prefect server as its unit does; yields its port."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "ui"),
        "PREFECT_SERVER_API_AUTH_STRING": LOGIN,
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    words = (sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    with (home / "log").open("w") as log, subprocess.Popen(words, env=env, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: listens(port) or process.poll() is not None, "Prefect listens", deadline_s=120)
            assert process.poll() is None, (home / "log").read_text()
            yield port
        finally:
            process.terminate()


def start(world: World, image: str, network: str, live: Path, folder: Path) -> Gateway:
    """Start a gateway that looks for Prefect's socket in a folder."""
    return start_gateway(world, image, network, live, f"--volume={folder}:/run/operations:ro", **NAMES)


@dataclass(frozen=True)
class Operations:
    """A gateway with a Prefect server that demands a login, and with a shop."""

    gateway: Gateway
    ca: Path

    @contextlib.contextmanager
    def runner(self, login: str | None = LOGIN) -> Iterator[None]:
        """Be a runner somewhere else: an address and a login is all it has."""
        with temporary_settings({
            PREFECT_API_URL: f"https://{OPS}:{self.gateway.container.port(8443)}/api",
            PREFECT_API_AUTH_STRING: login,
            PREFECT_API_SSL_CERT_FILE: str(self.ca),
            PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: True,
        }):  # fmt: skip
            yield


@pytest.fixture(scope="module")
def operations(
    docker_engine: None, gateway_image: str, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operations]:
    with (
        support_docker.world() as world,
        prefect_server(tmp_path_factory.mktemp("prefect")) as port,
        carried(folder, port),
    ):
        network = world.network()
        server(world, network, "backend", 4000, SHOP.format(who="backend"))
        gateway = start(world, gateway_image, network, tmp_path_factory.mktemp("live"), folder)
        ca = tmp_path_factory.mktemp("ca") / "ca.pem"
        ca.write_text(gateway.container.exec("cat", "/etc/nginx/certs/current/fullchain.pem"))
        wait_until(lambda: gateway.ask("/api/x", Host=SHOP_NAME).status == 200, "the shop is served")
        wait_until(lambda: gateway.ask("/api/health").status == 200, "Prefect is served")
        yield Operations(gateway, ca)


def test_a_runner_with_the_login_reads_writes_and_listens(operations: Operations) -> None:
    """Prefect's own client: TLS that it checks, its login, its CSRF tokens, and events on a WebSocket each way."""

    async def heard() -> Event:
        only = EventFilter(event=EventNameFilter(name=["pawpaw.heard"]))
        async with get_events_subscriber(only) as subscriber, get_events_client(checkpoint_every=1) as client:
            resource = Resource({"prefect.resource.id": "pawpaw.test"})
            await client.emit(Event(event="pawpaw.heard", resource=resource, payload={"text": "ñ"}))
            return await asyncio.wait_for(anext(aiter(subscriber)), 60)

    with operations.runner():
        with get_client(sync_client=True) as client:
            client.create_variable(VariableCreate(name="through_the_gateway", value="x" * 4000))
            found = client.read_variable_by_name("through_the_gateway")
        assert found is not None
        assert found.value == "x" * 4000
        assert asyncio.run(heard()).payload == {"text": "ñ"}


@pytest.mark.parametrize("login", [None, "admin:otro"])
def test_nobody_gets_through_without_the_login(operations: Operations, login: str | None) -> None:
    async def listen() -> None:
        async with get_events_subscriber(reconnection_attempts=0):
            pass

    with operations.runner(login):
        with get_client(sync_client=True) as client, pytest.raises(PrefectHTTPStatusError, match="401"):
            client.read_variable_by_name("through_the_gateway")
        with pytest.raises(Exception, match="Unable to authenticate to the event stream"):
            asyncio.run(listen())


def test_its_pages_may_do_what_they_need_and_are_nobody_elses(operations: Operations) -> None:
    moved, api = operations.gateway.ask("/", Accept="text/html"), operations.gateway.ask("/api/admin/version")
    page = operations.gateway.ask(moved.headers["Location"], Accept="text/html")
    assert (moved.status, page.status, "<title>Prefect" in page.body, api.status) == (307, 200, True, 401)
    for headers in (page.headers, api.headers):
        assert headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]
        assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
        assert headers["X-Frame-Options"] == "DENY"
        (said,) = headers.get_all("Content-Security-Policy") or [""]
        policy = dict(part.strip().partition(" ")[::2] for part in said.split(";"))
        assert policy["default-src"] == policy["form-action"] == "'self'"
        assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert "'unsafe-inline'" not in policy["script-src"]
    assert operations.gateway.ask("/ui-settings").json()["auth"] == "BASIC"
    plain = operations.gateway.ask("/api/variables/filter", "POST", tls=False, body=b"{}")
    assert (plain.status, plain.headers["Location"]) == (308, f"https://{OPS}:8443/api/variables/filter")


def test_other_names_are_the_shops(operations: Operations) -> None:
    for name in (SHOP_NAME, "otra.example.mx", f"www.{OPS}"):
        assert operations.gateway.ask("/api/x", Host=name).json()["who"] == "backend"
    assert operations.gateway.ask("/api/x", Authorization=basic(LOGIN)).status == 404


def test_what_is_logged_of_it_has_no_login_and_is_not_counted_as_the_shops(operations: Operations) -> None:
    gateway = operations.gateway
    for path in ("/api/admin/version?clave=secreto", "/api/no-hay", "/_login_demanded"):
        gateway.ask(path, Authorization=basic(LOGIN))
    gateway.ask("/api/of-the-shop", Host=SHOP_NAME)
    gateway.request("/api/of-the-shop")
    found = attempt("logs", gateway.container.name)
    assert '"uri":"/api/no-hay","status":404' in found.stderr
    assert '"uri":"/_login_demanded","status":403' in found.stderr
    assert OPS not in {line["host"] for line in gateway.requests() if line["tls"]}
    for secret in (LOGIN, basic(LOGIN).split()[1], "secreto"):
        assert secret not in found.stdout + found.stderr


def test_a_body_may_be_as_large_as_prefects_clients_send_it(operations: Operations) -> None:
    now = datetime.now(UTC).isoformat()
    logs = [{"name": "pawpaw", "level": 20, "message": "x" * 100_000, "timestamp": now} for _ in range(35)]
    with operations.runner(), get_client(sync_client=True) as client:
        client.request("POST", "/logs/", json=logs)
    assert operations.gateway.ask("/api/logs/", "POST", body=b" " * (8 << 20) + b" ").status == 413


def test_one_that_is_away_is_told_as_such_and_one_without_a_login_is_not_served(
    world: World, gateway_image: str, prefect_api: None, tmp_path: Path
) -> None:
    """The shop does not notice either; whoever asks too often waits, and the shop does not notice that."""
    network, port = world.network(), int(PREFECT_API_URL.value().rpartition(":")[2].split("/")[0])
    server(world, network, "backend", 4000, SHOP.format(who="backend"))
    with tempfile.TemporaryDirectory(prefix="pawpaw-ops-") as name:
        Path(name).chmod(0o755)
        gateway = start(world, gateway_image, network, tmp_path / "live", Path(name))
        gateway.container.exec("gateway-check")
        wait_until(lambda: gateway.ask("/api/x", Host=SHOP_NAME).status == 200, "the shop is served")
        assert [gateway.ask(path).status for path in ("/", "/api/health")] == [502, 502]

        with carried(Path(name), port):
            for path in ("/", "/api/health", "/api/admin/version"):
                found = (gateway.ask(path), gateway.ask(path, Authorization=basic(LOGIN)))
                assert [one.status for one in found] == [403, 403]
        assert gateway.ask("/").status == 502

        asked = http.client.HTTPSConnection(OPS, gateway.container.port(8443), context=anybody())
        seen = set()
        for _ in range(5000):
            asked.request("GET", "/api/admin/version")
            answer = asked.getresponse()
            answer.read()
            seen.add(answer.status)
            if answer.status == 429:
                break
        asked.close()
        assert seen == {502, 429}
        assert gateway.ask("/api/x", Host=SHOP_NAME).status == 200


def test_without_a_name_there_is_none(world: World, gateway_image: str, folder: Path, tmp_path: Path) -> None:
    mount = f"--volume={folder}:/run/operations:ro"
    gateway = start_gateway(world, gateway_image, world.network(), tmp_path / "live", mount, SHOP_DOMAIN=SHOP_NAME)
    assert "operations/" not in gateway.container.exec("nginx", "-T")
    assert gateway.ask("/api/health").json() == gateway.ask("/api/health", Host=SHOP_NAME).json()
