"""The stack's files, read by the linters of their trade."""

import subprocess
import sys
from pathlib import Path

import pytest

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
