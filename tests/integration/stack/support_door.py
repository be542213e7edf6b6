"""A stack of nothing but the gateway, for its certificate."""

import secrets
from pathlib import Path

from blocks import BackupStore, ComposeProject, PostgresDatabase, Stack
from pawpaw_ops.clients import certificates
from pawpaw_ops.clients.certificates import InUse
from pawpaw_ops.models.certificate import Certificate
from pawpaw_ops.models.project import Project
from pawpaw_ops.runner import LocalRunner
from tests.integration.stack.support_acme import Authority, port_for_http
from tests.integration.stack.support_docker import docker
from tests.integration.support_limits import make_limit
from tests.waiting import wait_until

NAMES = ("shop.example.com", "www.shop.example.com")
RELOAD = "/usr/local/bin/gateway-reload"
COMPOSE = """
name: ${STACK_NAME:?is required}
services:
  nginx:
    image: ${GATEWAY_IMAGE:?is required}
    user: "101:101"
    read_only: true
    cap_drop: [ALL]
    init: true
    environment: {SHOP_DOMAIN: "${SHOP_DOMAIN:?is required}"}
    ports: ["127.0.0.1:${HTTP_PORT:?is required}:8080"]
    volumes:
      - certificates:/etc/nginx/certs
      - ./acme:/var/www/acme:ro
      - ./upstreams:/etc/nginx/upstreams.d:ro
    tmpfs: ["/tmp:size=64m,mode=1777", "/run/nginx:size=4m,uid=101,gid=101,mode=755"]
volumes:
  certificates:
"""


class Door:
    """The gateway, its project and its block."""

    def __init__(self, folder: Path, image: str) -> None:
        self.name = f"door{secrets.token_hex(4)}"
        self.http = port_for_http()
        self.folder, self.state_dir = folder / "stack", folder / "state"
        folder.chmod(0o755)
        for made in (self.folder, self.folder / "acme", self.folder / "upstreams", self.folder / "metrics"):
            made.mkdir()
            made.chmod(0o755)
        (self.folder / "docker-compose.prod.yml").write_text(COMPOSE)
        self.env = {
            "STACK_NAME": self.name, "GATEWAY_IMAGE": image, "HTTP_PORT": str(self.http), "SHOP_DOMAIN": NAMES[0],
            "ACME_NAMES": NAMES[1], "ACME_DIR": "acme", "UPSTREAMS_DIR": "upstreams", "TEXTFILE_DIR": "metrics",
        }  # fmt: skip
        self.tell()
        Stack(
            state_dir=self.state_dir,
            database=PostgresDatabase(name="shop", host="127.0.0.1", port=9),
            store=BackupStore(folder=folder / "store"),
            project=ComposeProject(folder=self.folder),
        ).save(self.name, overwrite=True)
        make_limit(self.name)

    def tell(self, authority: Authority | None = None, **more: str) -> None:
        """Write the `.env`."""
        if authority is not None:
            self.env |= {"ACME_DIRECTORY": authority.directory, "ACME_CA_BUNDLE": str(authority.bundle)}
        self.env |= more
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in self.env.items()))

    def up(self) -> None:
        """Start it."""
        self.compose("up", "--detach")
        wait_until(
            lambda: docker("inspect", "-f", "{{.State.Health.Status}}", self.container).strip() == "healthy", "up"
        )

    def keep_from_reloading(self) -> None:
        """Start it anew with a `gateway-reload` that says it went well and does nothing, until `up`."""
        (self.folder / "nothing").write_text("#!/bin/sh\n")
        (self.folder / "nothing").chmod(0o755)
        file = self.folder / "docker-compose.prod.yml"
        file.write_text(COMPOSE.replace("    tmpfs:", f"      - ./nothing:{RELOAD}:ro\n    tmpfs:"))
        self.up()
        file.write_text(COMPOSE)

    def compose(self, *words: str) -> str:
        """Say something to Compose."""
        return docker("compose", "--project-directory", str(self.folder), "-f",
                      str(self.folder / "docker-compose.prod.yml"), *words)  # fmt: skip

    @property
    def container(self) -> str:
        """Its container's name."""
        return f"{self.name}-nginx-1"

    @property
    def project(self) -> Project:
        """Its project."""
        found = Stack.named(self.name).project
        assert found is not None
        return found.settings()

    def file(self) -> InUse:
        """Return what lies in its folder."""
        return certificates.in_use(self.project, LocalRunner())

    def served(self) -> dict[str, Certificate]:
        """Return what it serves."""
        return certificates.served(self.project, NAMES)

    def serials(self) -> set[str]:
        """Return the serials that are served, or lie in the folder."""
        return {one.serial for one in self.served().values()} | {self.file().certificate.serial}

    def inside(self, *words: str) -> str:
        """Run a program in it."""
        return docker("exec", self.container, *words)

    def remove(self) -> None:
        """Remove it."""
        self.compose("down", "--volumes", "--timeout", "5")
