"""What a server is set up with: its units start what is there, and no secret's name is left to guess."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import Settings
from prefect.settings.legacy import _get_settings_fields

from deployments.apply import POOL
from pawpaw_ops.plans.env_values import variables
from tests.contract.support_project import ROOT

FOLDER = ROOT / "deployments" / "systemd"
UNITS = sorted(unit for unit in FOLDER.glob("*.service") if unit.stem != "pawpaw-operations")
SOCKET, CARRIER = (FOLDER / f"pawpaw-operations.{kind}" for kind in ("socket", "service"))
HOME = "/opt/pawpaw-ops"
NOT_IN_THE_SETTINGS = {"PREFECT_SERVER_ENCRYPTION_KEY"}
"""Read by Prefect's server from the environment alone."""
PAGE = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)


def values(unit: Path, key: str) -> list[str]:
    """Return what a unit says to a key, in its order."""
    return re.findall(rf"^{key}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


def commands(unit: Path) -> list[list[str]]:
    """Return the words of all that a unit runs."""
    return [shlex.split(line.lstrip("+-!@:")) for key in ("ExecStartPre", "ExecStart", "ExecStartPost", "ExecStop")
            for line in values(unit, key)]  # fmt: skip


def test_there_are_a_server_a_worker_and_a_watch() -> None:
    assert [unit.stem for unit in UNITS] == ["pawpaw-server", "pawpaw-watch", "pawpaw-worker"]


@each_unit
def test_every_program_of_a_unit_is_there(unit: Path) -> None:
    bin_folder = Path(sys.executable).parent
    for argv in commands(unit):
        ours = Path(argv[0].replace(f"{HOME}/.venv/bin", str(bin_folder)))
        assert ours.exists(), argv[0]
        assert argv[0].startswith(f"{HOME}/.venv/bin/") or argv[0] == "/bin/sh"


@each_unit
def test_every_variable_of_a_unit_is_one_of_prefect(unit: Path) -> None:
    """Prefect takes an unknown one without a word."""
    names = {value.partition("=")[0] for value in values(unit, "Environment")}
    assert names
    assert names <= set(_get_settings_fields(Settings))


@each_unit
def test_secrets_come_from_a_file_that_only_root_reads(unit: Path) -> None:
    (file,) = values(unit, "EnvironmentFile")
    assert f"{file})" in values(unit, "ExecStartPre")[0]
    assert "= 600" in values(unit, "ExecStartPre")[0]
    assert not re.search(r"(PASSWORD|SECRET|AUTH_STRING|KEY)=", unit.read_text(encoding="utf-8"))
    named = re.findall(rf"^\| `{Path(file).name}` \| `(\w+)`", PAGE, re.MULTILINE)
    assert named
    assert set(named) <= set(_get_settings_fields(Settings)) | NOT_IN_THE_SETTINGS


def test_a_worker_is_drained_before_it_ends_and_shares_its_folders_with_the_engine() -> None:
    worker = next(unit for unit in UNITS if unit.stem == "pawpaw-worker")
    start, after, stop = commands(worker)[1:]
    assert start[1:7] == ["worker", "start", "--type", "process", "--pool", POOL]
    assert "PREFECT_WORKER_QUERY_SECONDS=1" in values(worker, "Environment")
    assert after[1:] == ["work-pool", "resume", POOL]
    assert stop[1:3] == ["drain", "--timeout"]
    assert int(values(worker, "TimeoutStopSec")[0]) > int(stop[3])
    assert values(worker, "KillMode") == ["mixed"]
    assert values(worker, "PrivateTmp") == []


def test_the_gateways_way_leads_to_the_server_and_begins_in_the_folder_that_the_page_names() -> None:
    """By a socket: what listens on an address of Docker's would be in reach of every container."""
    (server,) = (unit for unit in UNITS if unit.stem == "pawpaw-server")
    words = commands(server)[1]
    host, port = (words[words.index(option) + 1] for option in ("--host", "--port"))
    assert commands(CARRIER) == [["/lib/systemd/systemd-socket-proxyd", f"{host}:{port}"]]
    (path,) = values(SOCKET, "ListenStream")
    assert f"OPS_SOCKET_DIR={Path(path).parent}" in PAGE
    conf = (ROOT / "stack" / "gateway" / "pawpaw" / "operations.conf").read_text(encoding="utf-8")
    assert f"unix:/run/operations/{Path(path).name}:" in conf


def test_systemd_accepts_the_units_where_there_is_one(tmp_path: Path) -> None:
    """Elsewhere the tests above have to do."""
    analyze = shutil.which("systemd-analyze")
    everything = [*UNITS, SOCKET, CARRIER]
    for unit in everything:
        text = unit.read_text(encoding="utf-8").replace(f"{HOME}/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
        assert text.count("[Unit]") == text.count("[Service]") + (unit is SOCKET) == 1
        assert text.count("[Install]") == (unit is not CARRIER)
    if analyze:
        units = [str(tmp_path / unit.name) for unit in everything]
        done = subprocess.run((analyze, "verify", *units), capture_output=True, text=True, check=False)
        said = [line for line in done.stderr.splitlines() if any(unit.name in line for unit in everything)]
        assert said == []


def test_the_page_says_where_every_secret_of_the_blocks_comes_from() -> None:
    example = (ROOT / "deployments" / "blocks.example.toml").read_text(encoding="utf-8")
    asked = set(re.findall(r'env = "(PAWPAW_\w+)"', example))
    told = re.findall(r"^\| `([\w-]+)/prod` \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
    assert {name for _, names, _ in told for name in re.findall(r"`(\w+)`", names)} == asked
    assert all(f"[blocks.{kind}.prod]" in example for kind, _, _ in told)
    of_the_stack = {
        name for _, _, source in told if "stack/.env" in source for name in re.findall(r"`([A-Z_]+)`", source)
    }
    known = {name for name, _ in variables((ROOT / "stack" / ".env.example").read_text(encoding="utf-8"))}
    assert of_the_stack == {"POSTGRES_BOOTSTRAP_PASSWORD", "REDIS_BACKUP_PASSWORD", "DB_PASSWORD"} <= known
