"""What GitHub runs for us: no more rights than needed, nothing that may change under us."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.support_project import ROOT, deployments

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
each = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@each
def test_zizmor_finds_nothing(path: Path) -> None:
    program = Path(sys.executable).parent / "zizmor"
    words = (str(program), "--offline", "--no-progress", "--persona", "pedantic", str(path))
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout


@each
def test_actions_are_pinned_by_their_commit_and_jobs_begin_without_rights(path: Path) -> None:
    used = re.findall(r"uses: *(.*)", path.read_text(encoding="utf-8"))
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []
    workflow = read(path)
    assert workflow["permissions"] == {}
    assert [name for name, job in workflow["jobs"].items() if job["permissions"] != {"contents": "read"}] == []


@each
def test_what_is_triggered_is_deployed(path: Path) -> None:
    """Every name after `pawpaw trigger` is a deployment of prefect.yaml."""
    known = {f"{one['entrypoint'].rpartition('.')[2].replace('_', '-')}/{one['name']}" for one in deployments()}
    wanted = set(re.findall(r"pawpaw trigger (\S+)", path.read_text(encoding="utf-8")))
    assert {"build-images/prod", "run-tests/prod", "deploy/prod"} <= wanted <= known
