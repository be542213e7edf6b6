"""Development's stack as `docker compose up -d` starts it: changed sources are served without a build."""

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.integration.stack.support_docker import BASES, STACK, attempt, base_image, docker, why_no_stack
from tests.waiting import wait_until

INSTALLED = shutil.ignore_patterns("node_modules", "dist", ".env", "monitoring")


@dataclass(frozen=True)
class Development:
    """A copy of the stack's folder, running under a project and ports of its own."""

    folder: Path
    name: str
    env: dict[str, str]

    def compose(self, *words: str) -> str:
        """Say something to Compose about this project."""
        where = ("--project-name", self.name, "--file", str(self.folder / "docker-compose.yml"))
        return docker("compose", *where, *words, env=self.env)

    def ask(self, path: str) -> str:
        """Return what the page's server answers, or nothing while it does not."""
        address = self.compose("port", "frontend", "8080").strip()
        try:
            return httpx.get(f"http://{address}{path}", timeout=20).text
        except httpx.TransportError:
            return ""

    def wait_for(self, path: str, text: str) -> None:
        """Wait until an answer has a text in it."""
        wait_until(lambda: text in self.ask(path), f"{path} has {text!r}", deadline_s=120, every_s=0.2)

    def replace(self, file: str, old: str, new: str) -> None:
        """Change a source file."""
        text = (self.folder / file).read_text()
        assert old in text
        (self.folder / file).write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    if why := why_no_stack():
        pytest.skip(f"needs a Docker Engine and Compose: {why}")
    env = {argument: base_image(argument) for argument in BASES} | {"DEV_SHOP_PORT": "0", "DEV_API_PORT": "0"}
    folder = shutil.copytree(STACK, tmp_path_factory.mktemp("development") / "stack", ignore=INSTALLED)
    made = Development(folder, f"pptdev{secrets.token_hex(4)}", env)
    try:
        made.compose("up", "--detach", "--build")
        made.wait_for("/api/products", '"sku"')
        yield made
    finally:
        print(attempt("compose", "--project-name", made.name, "logs", "--no-color").stdout[-20_000:])  # noqa: T201
        made.compose("down", "--volumes", "--rmi", "all", "--timeout", "5")


def test_a_changed_page_is_served(development: Development) -> None:
    """Vite keeps what it has compiled: it has to notice that the file is another one."""
    page, marker = "frontend/src/App.tsx", f"changed{secrets.token_hex(4)}"
    assert "App" in development.ask("/src/App.tsx")
    source = (development.folder / page).read_text()
    (development.folder / page).write_text(f"{source}\nexport const {marker} = true;\n")
    development.wait_for("/src/App.tsx", marker)


def test_the_api_starts_again_with_what_was_changed(development: Development) -> None:
    development.wait_for("/api/nothing", "No encontramos")
    development.replace("backend/src/errors.ts", "No encontramos", "Hoy no tenemos")
    development.wait_for("/api/nothing", "Hoy no tenemos")


def test_it_is_for_this_machine_alone_and_beside_production(development: Development) -> None:
    found = development.compose("ps", "--all", "--format", "{{.Names}} {{.Ports}}").splitlines()
    assert len(found) == 6
    for line in found:
        name, _, ports = line.partition(" ")
        assert name.startswith(development.name)
        assert all(port.strip().startswith("127.0.0.1:") for port in ports.split(",") if "->" in port)
