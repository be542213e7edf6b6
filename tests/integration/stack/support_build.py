"""A small stack in a git repository of its own, to be built; its images carry the tests' label and go by it."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blocks import BackupStore, ComposeProject, PostgresDatabase, Stack
from pawpaw_ops.clients.releases import find_build
from pawpaw_ops.models.release import Build
from tests.integration.stack.support_docker import LABEL, base_image, docker
from tests.integration.support_limits import make_limit

COMPOSE = """
name: ${STACK_NAME:-mini}
services:
  api:
    image: ${API_IMAGE:-mini-api:local}
    build: {context: ./api, args: {RELEASE_ID: "${RELEASE_ID:-local}", BASE: "${BASE_REDIS}"}}
  jobs:
    image: ${API_IMAGE:-mini-api:local}
  web:
    image: ${WEB_IMAGE:-mini-web:local}
    build: {context: ./web, args: {BASE: "${BASE_REDIS}"}}
  db:
    image: mini-db:1
    environment: {PASSWORD: "${DB_PASSWORD:?is required}"}
"""
DOCKERFILE = """ARG BASE
FROM ${{BASE}}
LABEL pawpaw.test={id}
COPY . /sources/
ARG RELEASE_ID=none
ENV RELEASE_ID=${{RELEASE_ID}}
"""
CANARY = "canary-in-the-env"


class Sources:
    """A stack's folder below the top of a repository, and the block that names it."""

    def __init__(self, folder: Path) -> None:
        self.name = f"b{secrets.token_hex(4)}"
        self.repository, self.state_dir = folder / "repository", folder / "state"
        self.folder = self.repository / "stack"
        self.folder.mkdir(parents=True)
        self.env: dict[str, str] = {"STACK_NAME": self.name, "DB_PASSWORD": CANARY}
        self.lay_out()
        (self.repository / ".gitignore").write_text("*.secret\n.env\n")
        self.write_env()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", "https://someone:hidden@example.com/paw/shop.git")
        self.commit("first")
        self.save_blocks()

    def lay_out(self) -> None:
        """Write the files, and what the `.env` shall have more."""
        self.env |= {"BASE_REDIS": base_image("BASE_REDIS"), "API_IMAGE": f"{self.name}-api:local"}
        for part in ("api", "web"):
            (self.folder / part).mkdir()
            (self.folder / part / "Dockerfile").write_text(DOCKERFILE.format(id=self.name))
            (self.folder / part / "page").write_text(f"{part} of {self.name}\n")
        (self.folder / "docker-compose.prod.yml").write_text(COMPOSE)

    def write_env(self) -> None:
        """Write the `.env`."""
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in self.env.items()))

    def git(self, *words: str) -> str:
        """Run git in the repository."""
        who = ("-c", "user.name=Tests", "-c", "user.email=tests@example.com")
        program = shutil.which("git") or "git"
        done = subprocess.run((program, *who, *words), cwd=self.repository, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit everything and return the hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def save_blocks(self) -> None:
        """Write the stack's block; nobody listens where its database would be."""
        store = self.state_dir.parent / "store"
        store.mkdir(exist_ok=True)
        Stack(
            state_dir=self.state_dir,
            database=PostgresDatabase(name="shop", host="127.0.0.1", port=9),
            store=BackupStore(folder=store),
            project=ComposeProject(folder=self.folder),
        ).save(self.name, overwrite=True)
        make_limit(self.name)

    def build(self, version: str) -> Build:
        """Return what is on record of a version."""
        return find_build(self.state_dir, version)

    def records(self) -> list[str]:
        """Return the names of the records of builds."""
        return sorted(path.name for path in (self.state_dir / "builds").glob("*"))

    def tags(self) -> dict[str, str]:
        """Return name -> id of all images of this stack that have a name."""
        found = docker("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()
        pairs = (line.split() for line in found)
        return {name: image_id for name, image_id in pairs if f"{self.name}-" in name}

    def inspect(self, image: str) -> dict[str, Any]:
        """Return what the engine knows of an image."""
        found: dict[str, Any] = json.loads(docker("image", "inspect", image))[0]
        return found

    def containers(self) -> Mapping[str, str]:
        """Return all containers that were made from this stack's sources, also while it was built."""
        found = docker("ps", "--all", "--filter", f"label={LABEL}={self.name}", "--format", "{{.ID}} {{.Status}}")
        return dict(line.split(" ", 1) for line in found.splitlines())

    def remove(self) -> None:
        """Remove the images."""
        if found := docker("images", "--quiet", "--filter", f"label={LABEL}={self.name}").split():
            docker("image", "rm", "--force", *dict.fromkeys(found))
