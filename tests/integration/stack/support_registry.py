"""A real registry of images on loopback, with a login."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pawpaw_ops.commands.command import Command
from pawpaw_ops.runner import LocalRunner
from tests.e2e.support_shop import free_port
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
