"""A stack whose releases are images of a few bytes, on the real engine beside everybody else's."""

import io
import json
import secrets
import subprocess
import tarfile
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from prefect_docker import DockerHost

from blocks import BackupStore, ComposeProject, PostgresDatabase, Stack
from flows.prune import prune
from pawpaw_ops.clients import releases
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.release import Build, BuiltImage, Release
from tests.integration.stack.support_docker import DOCKER, LABEL, attempt, docker
from tests.integration.stack.support_registry import log_in, publish
from tests.integration.support_limits import make_limit

COMPOSE = """
name: ${STACK_NAME:?is required}
services:
  api:
    image: ${API_IMAGE:?is required}
    build: ./api
"""
LONG_AGO = utc_now() - timedelta(days=30)


def import_image(name: str, owner: str) -> str:
    """Make an image of one file that no other has; returns its id."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        data = secrets.token_bytes(32)
        info = tarfile.TarInfo("content")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    words = (
        "import",
        "--change",
        f"LABEL {LABEL}={owner}",
        "--change",
        'CMD ["/content"]',
        "--change",
        'HEALTHCHECK CMD ["/content"]',
        "-",
        *([name] if name else []),
    )
    done = subprocess.run((DOCKER, *words), input=packed.getvalue(), capture_output=True, check=True)
    return done.stdout.decode().strip()


class Shelf:
    """The stack, its images and its records."""

    def __init__(self, folder: Path, *, engine: str = "") -> None:
        self.name = f"shelf{secrets.token_hex(4)}"
        self.folder, self.state_dir, self.store = folder / "stack", folder / "state", folder / "store"
        for made in (self.folder, self.state_dir, self.store):
            made.mkdir()
        (self.folder / "docker-compose.prod.yml").write_text(COMPOSE)
        self.ids: dict[str, str] = {}
        self.numbers = 0
        self.write_env("none:0")
        self.save_blocks(engine)

    def save_blocks(self, engine: str = "", *, database: str = "") -> None:
        """Write the stack's block; nobody listens where its database would be, or it is in this container."""
        host = DockerHost(base_url=engine) if engine else None
        Stack(
            state_dir=self.state_dir,
            database=PostgresDatabase(name="shop", host="127.0.0.1", port=9, container=database),
            store=BackupStore(folder=self.store),
            project=ComposeProject(folder=self.folder, docker=host),
        ).save(self.name, overwrite=True)
        make_limit(self.name)

    def write_env(self, image: str) -> None:
        """Write the `.env` as a deploy leaves it."""
        (self.folder / ".env").write_text(f"STACK_NAME={self.name}\nAPI_IMAGE={image}\n")

    def image(self, version: str) -> str:
        """Make an image of this stack; returns its id."""
        self.ids[version] = import_image(f"{self.name}-api:{version}", self.name)
        return self.ids[version]

    def release(self, *versions: str) -> None:
        """Build and deploy versions, one after the other."""
        for version in versions:
            made = BuiltImage(
                service="api", variable="API_IMAGE", tag=f"{self.name}-api:{version}", id=self.image(version)
            )
            self.numbers += 1
            at = LONG_AGO + timedelta(minutes=self.numbers)
            build = Build(version=version, git_sha="0" * 40, dirty=False, built_at=at, images=(made,))
            releases.save_build(self.state_dir, build)
            releases.record(self.state_dir, self._release(version))
            self.write_env(self.ids[version])

    def _release(self, version: str) -> Release:
        return Release(
            number=self.numbers, id=f"{version}-{self.numbers}", version=version,
            images={"API_IMAGE": self.ids[version]}, compose_sha256="", env_prints={}, generation=self.numbers,
            schema_version=1, contract=False, run_id="r", actor="a", why="w", at=LONG_AGO,
        )  # fmt: skip

    def publish(self, version: str, address: str, *, known_at: str = "", size_bytes: int = 32) -> str:
        """Send a version to a registry, put that on record, and take its image from the engine; returns its digest.

        Args:
            version: Which.
            address: The registry's.
            known_at: Its address as everybody else knows it.
            size_bytes: What its image is said to take.
        """
        image_id = self.ids[version]
        digest = publish(self.state_dir, version, address, known_at=known_at, size_bytes=size_bytes)
        ledger = self.state_dir / "releases.jsonl"
        ledger.write_text(ledger.read_text().replace(image_id, digest))
        docker("rmi", "--force", image_id)
        return digest

    def log_in(self, address: str) -> None:
        """Write the block with the login of a registry."""
        log_in(self.name, address)

    def prune(self, **more: Any) -> str:
        """Prune; the newest build is the newest release here."""
        said: str = prune(stack=self.name, **({"keep_builds": 1} | more))  # type: ignore[assignment]
        return said

    def there(self) -> set[str]:
        """Return the versions whose images are on the engine."""
        return {
            version for version, image_id in self.ids.items() if attempt("image", "inspect", image_id).returncode == 0
        }

    def container(self, version: str) -> str:
        """Make a container of a version, as anybody may."""
        return docker("create", "--label", f"{LABEL}={self.name}", self.ids[version]).strip()

    def containers(self) -> list[str]:
        """Return the containers of its images."""
        ids: Iterable[str] = [self.ids[version] for version in sorted(self.there())]
        found = json.loads(f"[{','.join(docker('ps', '-a', '--no-trunc', '--format', '{{json .ID}}').split())}]")
        used = docker("inspect", "--format", "{{.Image}}", *found).split() if found else []
        return [one for one, image in zip(found, used, strict=True) if image in ids]

    def remove(self) -> None:
        """Remove what carries its label."""
        for kind, words in (("ps", ("--all",)), ("images", ())):
            found = docker(kind, *words, "--quiet", "--filter", f"label={LABEL}={self.name}").split()
            if found:
                docker("rm" if kind == "ps" else "rmi", "--force", *dict.fromkeys(found))
