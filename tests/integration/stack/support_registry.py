"""A real registry of images on loopback, with a login."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pawpaw_ops.commands.command import Command
from pawpaw_ops.models.store import S3Settings
from pawpaw_ops.runner import LocalRunner
from tests.e2e.support_shop import free_port
from tests.integration import support_proxy
from tests.integration.support_proxy import Exchange, Proxy
from tests.waiting import wait_until

USER, PASSWORD = "paw", "made-up"
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


def cut_layers(exchange: Exchange) -> None:
    """Promise the whole of a layer, send half of it, and close; everything else gets through."""
    status, headers, body = exchange.forward()
    exchange.begin(status, headers, len(body))
    is_layer = exchange.command == "GET" and "/blobs/" in exchange.path and not body.startswith(b"{")
    exchange.wfile.write(body[: len(body) // 2] if is_layer else body)
    exchange.close_connection = is_layer
