"""What Compose makes of the two files, side by side in one folder as the repository has them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from deployments.stack.env import make_env
from pawpaw_ops.clients.env_file import read_env
from tests.integration.stack.support_docker import STACK, docker, why_no_stack

DEVELOPMENT, PRODUCTION = "docker-compose.yml", "docker-compose.prod.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Both files, and production's `.env` beside them."""
    if why := why_no_stack():
        pytest.skip(f"needs a Docker Engine and Compose: {why}")
    for name in (DEVELOPMENT, PRODUCTION):
        shutil.copy(STACK / name, tmp_path)
    make_env(STACK / ".env.example", tmp_path / ".env", {"STACK_NAME": "tienda"})
    return tmp_path


def config(folder: Path, name: str, *options: str) -> Any:
    said = docker("compose", "--project-directory", str(folder), "--file", str(folder / name), *options,
                  "config", "--format", "json")  # fmt: skip
    return json.loads(said)


def container_names(found: Any) -> set[str]:
    return {service.get("container_name", "") for service in found["services"].values()}


def test_development_needs_no_env_file(folder: Path) -> None:
    found = config(folder, DEVELOPMENT, "--env-file", "/dev/null")
    assert set(found["services"]) == {"frontend", "backend", "migrate", "postgres", "roles", "redis"}
    assert set(found["services"]) < set(config(folder, PRODUCTION)["services"])


def test_development_beside_production_is_another_project_and_sees_none_of_its_secrets(folder: Path) -> None:
    """Compose reads production's `.env` for it too; a shared name would put the one in the place of the other."""
    development, production = config(folder, DEVELOPMENT), config(folder, PRODUCTION)
    assert (development["name"], production["name"]) == ("pawpaw-dev", "tienda")
    assert container_names(development) == {""}
    values = read_env(folder / ".env")
    secrets = [value for name, value in values.items() if name.endswith(("PASSWORD", "SECRET"))]
    assert len(secrets) >= 10
    assert not [value for value in secrets if value in json.dumps(development)]


def test_production_does_not_start_without_its_secrets(folder: Path) -> None:
    """No variable has a password as its default."""
    with pytest.raises(AssertionError, match=r"is required, see \.env\.example"):
        config(folder, PRODUCTION, "--env-file", "/dev/null")
