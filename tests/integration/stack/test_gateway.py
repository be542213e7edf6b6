"""The gateway's image as it runs in production, in front of small servers that say what reached them."""

import http.client
import json
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from tests.integration.stack import support_docker
from tests.integration.stack.support_docker import Container, World, base_image, docker
from tests.waiting import wait_until

TMPFS = ("--tmpfs=/tmp:size=64m,mode=1777", "--tmpfs=/run/nginx:size=4m,uid=101,gid=101,mode=755")
PORTS = ("--publish=127.0.0.1::8080", "--publish=127.0.0.1::8443")
SHOP = """
location / {{
  default_type application/json;
  set $told '"id":"$http_x_request_id","for":"$http_x_forwarded_for","proto":"$http_x_forwarded_proto"';
  return 200 '{{"who":"{who}",$told}}';
}}
"""
ASSET = (
    'location = /assets/{name} {{ default_type text/css; return 200 "{name}"; }} location /assets/ {{ return 404; }}'
)
SLOW = "location = /api/slow { root /tmp; limit_rate_after 1; limit_rate 8k; try_files /large =404; }"


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: http.client.HTTPMessage
    body: str

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def anybody() -> ssl.SSLContext:
    """Talk TLS with whoever is there: the bootstrap certificate is signed by nobody."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True)
class Gateway:
    """A running gateway and the folder where its upstream files are."""

    container: Container
    live: Path

    def ask(
        self, path: str, method: str = "GET", *, tls: bool = True, body: bytes | None = None, **headers: str
    ) -> Reply:
        """Send one request from this machine."""
        if tls:
            conn: http.client.HTTPConnection = http.client.HTTPSConnection(
                "localhost", self.container.port(8443), timeout=30, context=anybody()
            )
        else:
            conn = http.client.HTTPConnection("localhost", self.container.port(8080), timeout=30)
        try:
            conn.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = conn.getresponse()
            return Reply(answer.status, answer.headers, answer.read().decode())
        finally:
            conn.close()

    def inner(self, path: str) -> str:
        """Ask the port that is not published."""
        return self.container.exec("curl", "-fsS", f"http://127.0.0.1:8081{path}")

    def requests(self) -> list[dict[str, Any]]:
        """The access log."""
        lines = docker("logs", self.container.name).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def request(self, uri: str) -> dict[str, Any]:
        """The log's newest line for a path, as soon as it is there."""
        wait_until(lambda: any(line["uri"] == uri for line in self.requests()), f"{uri} is logged")
        return [line for line in self.requests() if line["uri"] == uri][-1]


def start_gateway(world: World, image: str, network: str, live: Path, *options: str, **env: str) -> Gateway:
    live.mkdir(exist_ok=True)
    live.chmod(0o755)
    container = world.run(
        image,
        "gateway",
        *TMPFS,
        *PORTS,
        f"--volume={live}:/etc/nginx/upstreams.d:ro",
        world.mount("certs", "/etc/nginx/certs"),
        world.mount("acme", "/var/www/acme"),
        *options,
        network=network,
        env=env,
    )
    container.wait_healthy()
    return Gateway(container, live)


def server(
    world: World, network: str, name: str, port: int, locations: str, *options: str, alias: str = ""
) -> Container:
    """Start an nginx that answers with *locations*."""
    conf = f"""
    daemon off; pid /tmp/nginx.pid; error_log stderr; events {{ }}
    http {{
      client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c;
      uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e;
      access_log /dev/stdout; keepalive_timeout 65s;
      server {{ listen {port}; {locations} }}
    }}"""
    return world.run(
        base_image("BASE_NGINX"),
        name,
        "--user=101:101",
        "--tmpfs=/tmp:mode=1777",
        "--entrypoint=/bin/sh",
        *((f"--network-alias={alias}",) if alias else ()),
        *options,
        network=network,
        env={"CONF": conf},
        command=(
            "-c",
            'head -c 32768 /dev/zero >/tmp/large; printf %s "$CONF" >/tmp/nginx.conf; exec nginx -c /tmp/nginx.conf',
        ),
    )


def write_live(folder: Path, backend: str, *, frontend: str = "127.0.0.1:9", generation: str = "7") -> None:
    """Write what a deploy writes: addresses."""
    folder.mkdir(exist_ok=True)
    for name, servers in (("backend", backend), ("frontend", frontend)):
        lines = "".join(f"server {one} max_fails=0;" for one in servers.split())
        (folder / f"{name}.conf").write_text(
            f"upstream pawpaw_{name} {{ zone pawpaw_{name} 128k; {lines} keepalive 8; }}\n"
        )
    labels = {"pawpaw_generation": generation, "pawpaw_release": f"r-{generation}"}
    maps = [f'map "" ${name} {{ default "{value}"; }}' for name, value in labels.items()]
    (folder / "release.conf").write_text("\n".join(maps) + "\n")


@pytest.fixture(scope="module")
def shop(docker_engine: None, gateway_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a backend and two frontends, for tests that change none of them."""
    with support_docker.world() as world:
        network = world.network()
        server(world, network, "backend", 4000, SLOW + SHOP.format(who="backend"))
        for name in ("one.css", "two.css"):
            server(world, network, name, 8080, ASSET.format(name=name) + SHOP.format(who="frontend"), alias="frontend")
        live = tmp_path_factory.mktemp("live")
        options = {"HTTPS_PORT": "8443", "SHOP_DOMAIN": "tienda.example.mx", "RELEASE_ID": "r-0"}
        gateway = start_gateway(world, gateway_image, network, live, **options)
        wait_until(lambda: gateway.ask("/").status == gateway.ask("/api/up").status == 200, "both are served")
        yield gateway


def test_it_starts_before_anything_else_and_says_so(world: World, gateway_image: str, tmp_path: Path) -> None:
    """With no backend and no frontend it is up, and answers 502 in the shop's language."""
    gateway = start_gateway(world, gateway_image, world.network(), tmp_path / "live")

    api, page = gateway.ask("/api/products"), gateway.ask("/")
    assert (api.status, api.json()["error"]["code"], api.headers["Retry-After"]) == (502, "unavailable", "5")
    assert api.headers["Content-Type"] == "application/json"
    assert (page.status, "La tienda no responde" in page.body) == (502, True)
    assert gateway.inner("/healthz") == "ok\n"
    assert gateway.inner("/release") == "bootstrap none\n"
    through = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8081/through/backend")
    assert gateway.container.exec(*through) == "502"
    settings = gateway.container.inspect()
    assert settings["Config"]["User"] == "101:101"
    assert settings["HostConfig"]["ReadonlyRootfs"]


def test_it_follows_an_address_that_changes(world: World, gateway_image: str, tmp_path: Path) -> None:
    """A backend that comes back elsewhere is found without a reload; its old address answers nobody."""
    network = world.network()
    old = server(world, network, "old", 4000, SHOP.format(who="old"), alias="backend")
    gateway = start_gateway(world, gateway_image, network, tmp_path / "live")
    wait_until(lambda: gateway.ask("/api/x").status == 200, "the first backend is found")
    before = old.address(network)

    old.remove()
    server(world, network, "squatter", 9, "return 204;")
    new = server(world, network, "new", 4000, SHOP.format(who="new"), alias="backend")
    took_s = wait_until(lambda: gateway.ask("/api/x").status == 200, "the new backend is found")

    assert gateway.ask("/api/x").json()["who"] == "new"
    assert new.address(network) != before
    assert took_s < 5


def test_both_backends_of_one_name_are_used(world: World, gateway_image: str, tmp_path: Path) -> None:
    network = world.network()
    for who in ("a", "b"):
        server(world, network, who, 4000, SHOP.format(who=who), alias="backend")
    gateway = start_gateway(world, gateway_image, network, tmp_path / "live")

    seen: set[str] = set()

    def both() -> bool:
        reply = gateway.ask("/api/x")
        if reply.status == 200:
            seen.add(reply.json()["who"])
        return seen == {"a", "b"}

    wait_until(both, "both answer")


def test_assets_are_found_with_either_frontend_and_missing_ones_are_404(shop: Gateway) -> None:
    for name in ("one.css", "two.css") * 3:
        assert shop.ask(f"/assets/{name}").body == name
    assert shop.ask("/assets/gone.js").status == 404


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/api"])
def test_probes_from_outside_get_no_false_ok(shop: Gateway, path: str) -> None:
    assert shop.ask(path).status == 404


def test_maintenance_is_a_file_and_needs_no_reload(world: World, gateway_image: str, tmp_path: Path) -> None:
    network = world.network()
    backend = server(world, network, "backend", 4000, SHOP.format(who="backend"))
    server(world, network, "frontend", 8080, ASSET.format(name="a.css") + SHOP.format(who="frontend"))
    gateway = start_gateway(world, gateway_image, network, tmp_path / "live")
    wait_until(lambda: gateway.ask("/").status == gateway.ask("/api/x").status == 200, "both are served")
    reached = len(backend.logs().splitlines())

    (gateway.live / "maintenance.on").touch()
    api, page = gateway.ask("/api/orders", "POST", body=b"{}"), gateway.ask("/carrito")
    assert (api.status, api.json()["error"]["code"]) == (503, "maintenance")
    assert (page.status, page.headers["Retry-After"], "mantenimiento" in page.body) == (503, "15", True)
    assert page.headers["Cache-Control"] == "no-store"
    assert gateway.ask("/assets/a.css").status == 200
    assert gateway.inner("/healthz") == "ok\n"
    assert len(backend.logs().splitlines()) == reached
    assert json.loads(gateway.inner("/through/backend"))["who"] == "backend"

    (gateway.live / "maintenance.on").unlink()
    assert gateway.ask("/").status == gateway.ask("/api/x").status == 200


def is_asked(gateway: Gateway) -> bool:
    """A request waits for the rest of its answer, beside the one that asks this."""
    return "Writing: 2" in gateway.inner("/stub_status")


CANDIDATE = ".candidate"


@dataclass(frozen=True)
class Deploy:
    """A gateway that finds one backend by name, and the address of another one."""

    gateway: Gateway
    address: str

    def check(self) -> subprocess.CompletedProcess[str]:
        """Try the candidate files."""
        return self.gateway.container.attempt("gateway-check", f"/etc/nginx/upstreams.d/{CANDIDATE}")

    def write_candidate(self) -> Path:
        """Write good files beside the live ones."""
        write_live(self.gateway.live / CANDIDATE, self.address)
        return self.gateway.live / CANDIDATE

    def promote(self) -> None:
        """Give the candidate files their live names."""
        for file in (self.gateway.live / CANDIDATE).iterdir():
            file.rename(self.gateway.live / file.name)

    def who(self) -> str:
        """Which backend answers."""
        return str(self.gateway.ask("/api/x").json()["who"])


@pytest.fixture
def deploy(world: World, gateway_image: str, tmp_path: Path) -> Deploy:
    network = world.network()
    server(world, network, "backend", 4000, SLOW + SHOP.format(who="by name"))
    second = server(world, network, "b", 4000, SHOP.format(who="by address"))
    gateway = start_gateway(world, gateway_image, network, tmp_path / "live", RELEASE_ID="r-0")
    wait_until(lambda: gateway.ask("/api/x").status == 200, "the backend is found")
    return Deploy(gateway, f"{second.address(network)}:4000")


def syntax(folder: Path) -> None:
    (folder / "backend.conf").write_text("upstream pawpaw_backend { server ; ")


def missing_file(folder: Path) -> None:
    (folder / "release.conf").unlink()


def missing_upstream(folder: Path) -> None:
    (folder / "backend.conf").write_text("upstream another { server 127.0.0.1:1; }\n")


@pytest.mark.parametrize("spoil", [syntax, missing_file, missing_upstream])
def test_a_bad_candidate_is_refused_and_the_live_files_stay(deploy: Deploy, spoil: Callable[[Path], None]) -> None:
    spoil(deploy.write_candidate())
    done = deploy.check()
    assert done.returncode != 0
    assert done.stderr
    assert deploy.who() == "by name"
    assert deploy.gateway.inner("/release") == "bootstrap r-0\n"


def test_a_good_candidate_takes_over_under_a_request(deploy: Deploy) -> None:
    """Checking changes nothing; after the reload new requests go by the new files, one under way ends by the old."""
    deploy.write_candidate()
    assert deploy.check().returncode == 0
    gateway = deploy.gateway
    assert gateway.inner("/release") == "bootstrap r-0\n"

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(gateway.ask, "/api/slow")
        wait_until(lambda: is_asked(gateway), "the request is under way", every_s=0.02)
        deploy.promote()
        gateway.container.exec("gateway-reload")
        assert gateway.inner("/release") == "7 r-7\n"
        assert {deploy.who() for _ in range(20)} == {"by address"}
        assert len(slow.result().body) == 32768
    assert gateway.request("/api/x")["release"] == "r-7"
    assert gateway.request("/api/slow")["release"] == "r-0"


def test_bad_live_files_are_not_loaded_and_do_not_keep_the_shop_down(deploy: Deploy) -> None:
    """A reload refuses them; a start, which has nothing older to keep, serves by name and says so."""
    deploy.write_candidate()
    deploy.promote()
    deploy.gateway.container.exec("gateway-reload")
    syntax(deploy.gateway.live)
    for words in (["gateway-reload"], ["gateway-reload", "--checked"]):  # a promise that was not kept changes nothing
        assert deploy.gateway.container.attempt(*words).returncode != 0
        assert deploy.who() == "by address"

    deploy.gateway.container.stop()
    deploy.gateway.container.start()
    deploy.gateway.container.wait_healthy()
    wait_until(lambda: deploy.gateway.ask("/api/x").status == 200, "the backend is found")
    assert deploy.who() == "by name"
    assert "starting with the bootstrap upstreams" in deploy.gateway.container.logs()


def test_what_a_backend_is_told(shop: Gateway) -> None:
    """A request keeps a sane id of the client's; what a client says of its own address is not believed."""
    sane = shop.ask("/api/x", X_Request_Id="abc-123.DEF_9", X_Forwarded_For="1.2.3.4", X_Forwarded_Proto="http")
    assert sane.headers.get_all("X-Request-Id") == ["abc-123.DEF_9"]
    assert (sane.json()["id"], sane.json()["proto"]) == ("abc-123.DEF_9", "https")
    assert "1.2.3.4" not in sane.json()["for"]

    for odd in ('x"},{"y', "short", "x" * 65, ""):
        made = shop.ask("/api/x", X_Request_Id=odd)
        assert re.fullmatch("[0-9a-f]{32}", made.headers["X-Request-Id"]), odd
        assert made.json()["id"] == made.headers["X-Request-Id"]


def test_the_access_log(shop: Gateway) -> None:
    reply = shop.ask('/api/caf%C3%A9"x?token=secreto', User_Agent='a"b\\c')
    found: list[dict[str, Any]] = []

    def logged() -> bool:
        found[:] = [line for line in shop.requests() if line["request_id"] == reply.headers["X-Request-Id"]]
        return bool(found)

    wait_until(logged, "the request is logged")
    [line] = found

    assert set(line) >= {
        "time",
        "request_id",
        "method",
        "uri",
        "status",
        "bytes",
        "request_time",
        "host",
        "tls",
        "release",
    }
    assert (line["method"], line["status"], line["tls"], line["host"]) == ("GET", 200, "TLSv1.3", "localhost")
    assert (line["release"], line["generation"]) == ("r-0", "bootstrap")
    assert line["upstream_addr"].endswith(":4000")
    assert line["upstream_status"] == "200"
    assert float(line["upstream_response_time"]) >= 0
    assert float(line["upstream_connect_time"]) >= 0
    assert line["user_agent"] == 'a"b\\c'
    assert "secreto" not in shop.container.logs()
    assert "/stub_status" not in shop.container.logs()


def test_headers(shop: Gateway) -> None:
    for path in ("/", "/api/x", "/assets/one.css", "/assets/gone.js", "/health"):
        headers = shop.ask(path).headers
        assert headers.get_all("Strict-Transport-Security") == ["max-age=31536000"], path
        assert headers.get_all("X-Content-Type-Options") == ["nosniff"], path
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert headers["Server"] == "nginx"
        policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'self'"
        assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in headers["Content-Security-Policy"]


def test_http_goes_to_https_and_promises_nothing(shop: Gateway) -> None:
    reply = shop.ask("/carrito?a=1", tls=False)
    assert (reply.status, reply.headers["Location"]) == (308, "https://localhost:8443/carrito?a=1")
    assert reply.headers["Strict-Transport-Security"] is None

    folder = "/var/www/acme/.well-known/acme-challenge"
    shop.container.exec("sh", "-c", f"mkdir -p {folder} && printf token-ñ >{folder}/abc")
    assert shop.ask("/.well-known/acme-challenge/abc", tls=False).body == "token-ñ"
    assert shop.ask("/.well-known/acme-challenge/none", tls=False).status == 404


def openssl(*words: str, stdin: str = "") -> str:
    """Run openssl and return what it said, on both streams."""
    command = (shutil.which("openssl") or "openssl", *words)
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr


def handshake(gateway: Gateway, version: str) -> str:
    address = f"127.0.0.1:{gateway.container.port(8443)}"
    return openssl("s_client", "-connect", address, version, "-cipher", "ALL:@SECLEVEL=0")


def test_tls_versions(shop: Gateway) -> None:
    """The server itself ends a handshake with 1.1; the same client gets through with 1.2 and 1.3."""
    assert "alert protocol version" in handshake(shop, "-tls1_1")
    for version in ("-tls1_2", "-tls1_3"):
        seen = handshake(shop, version)
        assert re.search(r"Cipher +(is|:) (ECDHE|TLS_AES|TLS_CHACHA)", seen), seen


def served_certificate(gateway: Gateway) -> tuple[str, str]:
    """Serial number and names of the certificate that a new connection gets."""
    pem = ssl.get_server_certificate(("127.0.0.1", gateway.container.port(8443)))
    serial, _, names = openssl("x509", "-noout", "-serial", "-ext", "subjectAltName", stdin=pem).partition("\n")
    return serial, names


def test_the_bootstrap_certificate(world: World, gateway_image: str, tmp_path: Path) -> None:
    """It is for the shop's name, outlives the container, and is made anew for another name."""
    network = world.network()
    gateway = start_gateway(world, gateway_image, network, tmp_path / "live", SHOP_DOMAIN="tienda.example.mx")
    first, names = served_certificate(gateway)
    assert "DNS:tienda.example.mx" in names

    gateway.container.remove()
    gateway = start_gateway(world, gateway_image, network, tmp_path / "live", SHOP_DOMAIN="tienda.example.mx")
    assert served_certificate(gateway)[0] == first

    gateway.container.remove()
    gateway = start_gateway(world, gateway_image, network, tmp_path / "live", SHOP_DOMAIN="192.0.2.7")
    assert "IP Address:192.0.2.7" in served_certificate(gateway)[1]
    assert len(gateway.container.exec("ls", "/etc/nginx/certs").split()) == 2
    mode = gateway.container.exec("stat", "-Lc", "%a %u", "/etc/nginx/certs/current/privkey.pem")
    assert mode.split() == ["600", "101"]


RENEW = """
cd /etc/nginx/certs
mkdir acme-1
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=real \
  -keyout acme-1/privkey.pem -out acme-1/fullchain.pem 2>/dev/null
ln -s acme-1 new
mv -T new current
gateway-reload
"""


def test_a_real_certificate_takes_over_and_stays(world: World, gateway_image: str, tmp_path: Path) -> None:
    """One rename and a reload serve it; a later start replaces no certificate but one of its own making."""
    gateway = start_gateway(world, gateway_image, world.network(), tmp_path / "live")
    first, _ = served_certificate(gateway)
    gateway.container.exec("sh", "-ec", RENEW)
    renewed, _ = served_certificate(gateway)
    assert renewed != first

    gateway.container.stop()
    gateway.container.start()
    gateway.container.wait_healthy()
    assert served_certificate(gateway)[0] == renewed


def test_logins_are_slowed_down(shop: Gateway) -> None:
    """A burst passes, then come 429s of the gateway's own; the rest of the API is not concerned."""
    replies = [shop.ask("/api/auth/login", "POST", body=b"{}") for _ in range(40)]
    refused = [reply for reply in replies if reply.status == 429]
    assert [reply.status for reply in replies[:20]] == [200] * 20
    assert refused
    assert refused[0].json()["error"]["code"] == "too_many_requests"
    assert all(shop.ask("/api/products").status == 200 for _ in range(40))


def test_a_body_that_is_too_large(shop: Gateway) -> None:
    reply = shop.ask("/api/orders", "POST", body=b"x" * (1 << 20) + b"y")
    assert (reply.status, reply.json()["error"]["code"]) == (413, "too_large")
    assert shop.ask("/api/orders", "POST", body=b"x" * (1 << 20)).status == 200


def test_what_is_tried_again(world: World, gateway_image: str, tmp_path: Path) -> None:
    """A GET goes on to the next backend; a POST only where it was not sent: no order is placed twice by the gateway."""
    network = world.network()
    draining = server(world, network, "draining", 4000, "location / { return 503; }")
    well = server(world, network, "well", 4000, SHOP.format(who="well"))
    bad, good = (f"{one.address(network)}:4000" for one in (draining, well))
    deaf = f"{draining.address(network)}:4001"
    live = tmp_path / "live"
    write_live(live, f"{bad} {good}")
    gateway = start_gateway(world, gateway_image, network, live)

    assert [gateway.ask("/api/get").status for _ in range(10)] == [200] * 10
    assert any(line["upstream_status"] == "503, 200" for line in gateway.requests() if line["uri"] == "/api/get")
    assert sorted({gateway.ask("/api/post", "POST", body=b"{}").status for _ in range(10)}) == [200, 503]

    write_live(live, f"{deaf} {good}")
    gateway.container.exec("gateway-reload")
    assert [gateway.ask("/api/deaf", "POST", body=b"{}").status for _ in range(10)] == [200] * 10
    assert any(line["upstream_status"] == "502, 200" for line in gateway.requests() if line["uri"] == "/api/deaf")


def test_an_address_without_a_host_costs_two_seconds(world: World, gateway_image: str, tmp_path: Path) -> None:
    """What a removed container leaves behind answers nothing at all, not even a refusal."""
    network = world.network()
    well = server(world, network, "well", 4000, SHOP.format(who="well"))
    live = tmp_path / "live"
    subnet = ip_network(json.loads(docker("network", "inspect", network))[0]["IPAM"]["Config"][0]["Subnet"])
    write_live(live, f"{subnet[-2]}:4000 {well.address(network)}:4000")
    gateway = start_gateway(world, gateway_image, network, live)

    start = time.monotonic()
    assert [gateway.ask("/api/x").status for _ in range(2)] == [200, 200]
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("how", ["stop", "reload"])
def test_requests_under_way_are_finished(world: World, gateway_image: str, tmp_path: Path, how: str) -> None:
    """`docker stop` sends SIGQUIT: the answer arrives whole, then the container ends with 0."""
    network = world.network()
    server(world, network, "backend", 4000, SLOW + SHOP.format(who="backend"))
    gateway = start_gateway(world, gateway_image, network, tmp_path / "live")
    wait_until(lambda: gateway.ask("/api/x").status == 200, "the backend is found")

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(gateway.ask, "/api/slow")
        wait_until(lambda: is_asked(gateway), "the request is under way", every_s=0.02)
        ended = threading.Event()
        if how == "stop":
            pool.submit(gateway.container.stop, grace_s=60).add_done_callback(lambda _: ended.set())
        else:
            gateway.container.exec("gateway-reload")
        assert not slow.done()
        reply = slow.result()
    assert (reply.status, len(reply.body)) == (200, 32768)
    if how == "stop":
        assert ended.is_set()
        assert gateway.container.state["ExitCode"] == 0
    else:
        assert gateway.ask("/api/x").status == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHOP_DOMAIN", "a;b"),
        ("OPS_DOMAIN", "a;b"),
        ("OPS_DOMAIN", ".example.mx"),
        ("OPS_DOMAIN", "Localhost"),
        ("HTTPS_PORT", "443x"),
        ("AUTH_REQUESTS_PER_MINUTE", "1;"),
        ("RELEASE_ID", '"'),
    ],
)
def test_settings_that_would_spoil_the_configuration_are_refused(
    world: World, gateway_image: str, name: str, value: str
) -> None:
    container = world.run(gateway_image, "gateway", *TMPFS, network=world.network(), env={name: value})
    assert container.wait_ended() == 78
    assert name in container.logs()
