"""A real registry of images on loopback, with a login."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prefect_docker import DockerRegistryCredentials
from pydantic import SecretStr

from pawpaw_ops.clients import images, releases
from pawpaw_ops.commands.command import Command
from pawpaw_ops.models.store import S3Settings
from pawpaw_ops.runner import LocalRunner
from tests.e2e.support_shop import free_port
from tests.integration import support_proxy
from tests.integration.stack.support_docker import docker
from tests.integration.support_proxy import Act, Exchange, Headers, Proxy
from tests.waiting import wait_until

USER, PASSWORD = "paw", "made-up"
TOO_MANY = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "made up"}]}'
BCRYPT = "$2b$04$VyJ9rqbBUNmldA6hEdFUKOmcy76whPgI6usO/DnWb9CD5SxRo3Dym"
"""Of the password."""
CONFIG = """version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}
"""


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run one while the block lasts; yields its address."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("needs docker-registry (Debian's package of that name)")
    port = free_port()
    (folder / "htpasswd").write_text(f"{USER}:{BCRYPT}\n")
    config = folder / "registry.yml"
    config.write_text(CONFIG.format(folder=folder, port=port))
    process = LocalRunner().spawn(
        Command(argv=(program, "serve", str(config)), timeout_s=None), log=folder / "registry.log"
    )
    try:
        wait_until(lambda: _answers(port), "the registry answers")
        yield f"127.0.0.1:{port}"
    finally:
        process.end()


def _answers(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/v2/", trust_env=False).status_code == httpx.codes.UNAUTHORIZED
    return False


@contextlib.contextmanager
def way_to(address: str) -> Iterator[Proxy]:
    """Open a way to a registry that can be cut."""
    with support_proxy.proxy(S3Settings(bucket="none", endpoint_url=f"http://{address}")) as proxy:
        yield proxy


def cut_and_refuse() -> Act:
    """Cut one layer in the middle, then refuse it as if it was asked for too often: the engine gives up at once."""
    cut: list[str] = []

    def act(exchange: Exchange) -> None:
        if exchange.path in cut:
            exchange.answer(429, [("Content-Type", "application/json")], TOO_MANY)
            return
        answer = exchange.forward()
        if _is_layer(exchange, answer[2]):
            cut.append(exchange.path)
        _send(exchange, answer)

    return act


def _is_layer(exchange: Exchange, body: bytes) -> bool:
    return exchange.command == "GET" and "/blobs/" in exchange.path and not body.startswith(b"{")


def _send(exchange: Exchange, answer: tuple[int, Headers, bytes]) -> None:
    """Send an answer, of a layer the first half."""
    status, headers, body = answer
    cut = _is_layer(exchange, body)
    exchange.begin(status, headers, len(body))
    exchange.wfile.write(body[: len(body) // 2] if cut else body)
    exchange.close_connection = cut


def log_in(stack: str, address: str) -> None:
    """Write the block of that name with the login of a registry."""
    login = DockerRegistryCredentials(username=USER, password=SecretStr(PASSWORD), registry_url=f"{address}/paw")
    login.save(stack, overwrite=True)


def publish(state_dir: Path, version: str, address: str, *, known_at: str = "", size_bytes: int = 0) -> str:
    """Send a build of one image to a registry, and put its digest on record; returns it.

    Args:
        state_dir: The stack's folder.
        version: Which.
        address: The registry's.
        known_at: Its address as everybody else knows it.
        size_bytes: What its image is said to take.
    """
    build, said = releases.find_build(state_dir, version), releases.find_tested(state_dir, version)
    (one,) = build.images
    name = f"{address}/paw/{one.tag}"
    docker("tag", one.id, name)
    pushed = images.push("", name, username=USER, password=SecretStr(PASSWORD))
    docker("rmi", name)
    digest = pushed.replace(address, known_at or address)
    made = one.model_copy(update={"digest": digest, "size_bytes": size_bytes})
    releases.save_build(state_dir, build.model_copy(update={"images": (made,)}))
    if said is not None:
        releases.save_tested(state_dir, said)
    return digest
