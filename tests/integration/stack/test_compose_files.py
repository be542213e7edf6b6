"""What Compose makes of the two files, side by side in one folder as the repository has them."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from deployments.stack.env import make_env
from pawpaw_ops.clients.compose_project import find_project
from pawpaw_ops.clients.env_file import change_env, read_env
from pawpaw_ops.clients.services import read_services
from pawpaw_ops.commands import compose
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.secrets import Target
from pawpaw_ops.plans import preflight
from pawpaw_ops.plans.secrets import in_clear, plan_values, random_secret
from pawpaw_ops.runner import LocalRunner
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


def test_rotate_ROT_17_compose_hands_a_new_secret_on_as_it_was_made(folder: Path) -> None:
    project = find_project(folder / PRODUCTION, folder / ".env")
    for _ in range(20):
        made = random_secret()
        change_env(project.env_file, {"DB_PASSWORD": made, "JWT_SECRET": made})
        found = config(folder, PRODUCTION)["services"]
        assert {found[name]["environment"]["DB_PASSWORD"] for name in ("backend", "roles")} == {made}
        assert found["backend"]["environment"]["JWT_SECRET"] == made


def changed(project: Project, target: Target) -> set[str]:
    """Return the services that Compose would make anew for a rotation."""
    values = plan_values([target], read_env(project.env_file))
    new = {name: value or "" for name, value in in_clear(values.accept).items()}
    before, after = (LocalRunner().ask(compose.hashes(project, env=env)) for env in ({}, new))
    return {name for name in after if after[name] != before[name]}


def test_rotate_ROT_18_a_rotation_changes_who_uses_the_secret_and_nobody_else(folder: Path) -> None:
    project = find_project(folder / PRODUCTION, folder / ".env")
    assert changed(project, Target.DATABASE) == {"backend", "migrate", "roles"}
    assert changed(project, Target.REDIS) == {"backend", "migrate", "redis"}
    assert changed(project, Target.JWT) == {"backend", "migrate"}
    assert changed(project, Target.GRAFANA) == {"grafana"}
    text = project.file.read_text()
    shared = text.replace("POSTGRES_PASSWORD: ${POSTGRES_BOOTSTRAP_PASSWORD:?", "POSTGRES_PASSWORD: ${DB_PASSWORD:?")
    project.file.write_text(shared)
    assert changed(project, Target.DATABASE) == {"backend", "migrate", "roles", "postgres"}


@pytest.mark.parametrize(("mounted", "verdict"), [("", Verdict.VERIFIED), ("nginx.conf", Verdict.FAILED)])
def test_deploy_C8_a_single_file_of_the_gateways_configuration_is_found_in_what_compose_says(
    folder: Path, mounted: str, verdict: Verdict
) -> None:
    file = folder / PRODUCTION
    inside = "      - ${ACME_DIR:-./gateway/acme}:/var/www/acme:ro\n"
    assert inside in file.read_text()
    if mounted:
        (folder / mounted).touch()
        more = f"      - ./{mounted}:/etc/nginx/{mounted}:ro\n"
        file.write_text(file.read_text().replace(inside, inside + more))
    project = Project(name="tienda", file=file, env_file=folder / ".env", upstreams=folder)
    [gateway] = [one for one in read_services(project, LocalRunner()) if one.name == project.gateway]
    found = preflight.configuration(gateway, os.path.isfile)
    assert (found.verdict, str(folder / "nginx.conf") in found.says) == (verdict, bool(mounted))
