"""The stack's files, read by the linters of their trade."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.plans import dependencies
from tests.contract.support_project import ROOT, tracked

PROGRAMS = Path(sys.executable).parent
COMPOSE = {"docker-compose.prod.yml": "production", "docker-compose.yml": "development"}
"""File -> the name of its exceptions, each of which says why."""


def run(program: str, *words: str) -> None:
    """Run one of the locked linters, which fails on what it finds."""
    done = subprocess.run(
        (PROGRAMS / program, *words), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [path for path in tracked() if path.name == "Dockerfile"], ids=str)
def test_hadolint_finds_nothing(path: Path) -> None:
    run("hadolint", str(path))


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_lint_finds_nothing_above_medium(name: str) -> None:
    exceptions = ("--strict-config", "--config", f"stack/{COMPOSE[name]}.compose-lint.yml")
    run("compose-lint", "check", "--quiet", "--fail-on", "high", *exceptions, f"stack/{name}")


def shipped_images() -> Iterator[str]:
    """Go through what production is made from where its `.env` names nothing else: what is run or built upon."""
    stack = ROOT / "stack"
    profiles = set(read_env(stack / ".env.example")["COMPOSE_PROFILES"].split(","))
    for service in yaml.safe_load((stack / "docker-compose.prod.yml").read_text())["services"].values():
        if "profiles" in service and not profiles & {*service["profiles"]}:
            continue
        arguments = (service.get("build") or {}).get("args") or {}
        bases = [value for name, value in arguments.items() if name.startswith("BASE_")]
        for one in bases or [service["image"]]:
            default = re.fullmatch(r"\$\{\w+:-(.+)\}", one)
            assert default is not None, one
            if not default[1].startswith("pawpaw-"):
                yield default[1]


def test_audit_DEP_07_the_shipped_stack_has_nothing_that_is_over() -> None:
    """As of the table's own day, so that a commit does not turn red by the mere passing of time."""
    images = {*shipped_images()}
    assert len(images) > 12
    found = dependencies.ends_of_life(images, dependencies.ends().checked)
    assert [f"{one.where}: {one.says}" for one in found if one.verdict is not Verdict.VERIFIED] == []
