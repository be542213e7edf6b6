"""`check-hardening` on real files and real containers."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks import BackupStore, ComposeProject, PostgresDatabase, Stack
from flows.check_hardening import check_hardening
from pawpaw_ops.commands.git import git
from pawpaw_ops.errors import VerificationError
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.finding import Severity, Weakness
from pawpaw_ops.plans.findings import FAILS
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks import hardening
from tests.integration.stack.support_docker import LABEL, STACK, base_image, docker

pytestmark = pytest.mark.usefixtures("docker_engine", "prefect_api")
CANARY = "canary-in-the-compose-file"


class Folder:
    """A stack's folder, its `.env` and its block."""

    def __init__(self, folder: Path) -> None:
        self.name = f"hard{secrets.token_hex(4)}"
        self.folder, self.state_dir = folder / "stack", folder / "state"
        self.folder.mkdir()
        self.state_dir.mkdir()
        self.env: dict[str, str] = {"STACK_NAME": self.name}
        Stack(
            state_dir=self.state_dir,
            database=PostgresDatabase(name="shop", host="127.0.0.1", port=9),
            store=BackupStore(folder=folder / "store"),
            project=ComposeProject(folder=self.folder),
        ).save(self.name, overwrite=True)

    def write(self, compose: str, *, mode: int = 0o600, **env: str) -> None:
        """Write the Compose file and the `.env`."""
        (self.folder / "docker-compose.prod.yml").write_text(compose)
        path = self.folder / ".env"
        path.write_text("".join(f"{name}={value}\n" for name, value in (self.env | env).items()))
        path.chmod(mode)

    def files(self) -> tuple[Weakness, ...]:
        """Look at the files."""
        found: tuple[Weakness, ...] = hardening.look_at_files.fn(Stack.named(self.name).workplace())
        return found

    def containers(self) -> tuple[Weakness, ...]:
        """Look at what runs."""
        found: tuple[Weakness, ...] = hardening.look_at_containers.fn(Stack.named(self.name).workplace())
        return found

    def compose(self, *words: str) -> str:
        """Say something to Compose."""
        file = str(self.folder / "docker-compose.prod.yml")
        return docker("compose", "--project-directory", str(self.folder), "--file", file, *words)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def bad(found: tuple[Weakness, ...]) -> set[tuple[str, str]]:
    return {(one.check, one.where) for one in found if one.verdict is not Verdict.VERIFIED and one.severity in FAILS}


def test_hardening_HRD_01_HRD_05_the_stack_of_the_manual_is_found_open_and_no_value_is_told(folder: Folder) -> None:
    compose = (Path(__file__).parent / "existing-compose.yml").read_text()
    folder.write(compose, mode=0o644, DB_PASSWORD="canary-password", JWT_SECRET="changeme_jwt_secret", DB_USER="paw")
    found = folder.files()
    assert bad(found) == {
        ("CL-0020", "grafana"),
        ("CL-0025", "promtail"),
        ("secret-weak", "DB_PASSWORD"),
        ("secret-weak", "JWT_SECRET"),
        ("file-mode", str(folder.folder / ".env")),
    }
    open_ports = {one.where for one in found if one.check == "CL-0005"}
    assert open_ports == {"nginx", "prometheus", "grafana", "loki"}
    assert not [one for one in found if not one.fix and one.verdict is Verdict.FAILED]
    told = " ".join(one.model_dump_json() for one in found)
    assert CANARY not in told
    assert "canary-password" not in told
    with pytest.raises(VerificationError, match="may not stay") as seen:
        check_hardening(stack=folder.name)
    assert CANARY not in str(seen.value)


def test_hardening_HRD_02_the_stack_of_this_project_has_nothing_above_moderate(folder: Folder) -> None:
    for name in ("docker-compose.prod.yml", "production.compose-lint.yml"):
        shutil.copy(STACK / name, folder.folder / name)
    shutil.copytree(STACK / "monitoring", folder.folder / "monitoring")
    example = (STACK / ".env.example").read_text().splitlines()
    values = {line.partition("=")[0]: line.partition("=")[2] for line in example if "=" in line and line[0] != "#"}
    made = {name: value or secrets.token_urlsafe(32) for name, value in values.items()}
    folder.env = made | folder.env
    folder.write((STACK / "docker-compose.prod.yml").read_text())
    assert bad(folder.files()) == set()


def test_hardening_HRD_01_a_committed_env_is_found(folder: Folder) -> None:
    folder.write("services: {}\n")
    (folder.folder / ".env.admin").write_text("ADMIN_PASSWORD=admin123456\n")
    for words in (("init", "--quiet"), ("add", "--force", ".env.admin")):
        LocalRunner().run(git(folder.folder, *words))
    assert ("committed-secrets", ".env.admin") in bad(folder.files())


RUNNING = """
name: ${STACK_NAME:?}
services:
  good:
    image: ${IMAGE:?}
    command: [sleep, "600"]
    user: "1000:1000"
    read_only: true
    init: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 64m
    pids_limit: 64
    logging: {driver: json-file, options: {max-size: 1m}}
    labels: {LABEL: "yes", setting: "SETTING"}
  open:
    image: ${IMAGE:?}
    command: [sleep, "600"]
    user: "0:0"
    ports: ["0.0.0.0::7777"]
    volumes: ["/var/run/docker.sock:/engine.sock:ro"]
    labels: {LABEL: "yes"}
"""


@pytest.fixture
def running(folder: Folder) -> Iterator[Folder]:
    write_running(folder, "one")
    folder.compose("up", "--detach", "--quiet-pull")
    yield folder
    folder.compose("down", "--timeout", "1")


def write_running(folder: Folder, setting: str) -> None:
    text = RUNNING.replace("LABEL", LABEL).replace("SETTING", setting)
    folder.write(text, IMAGE=base_image("BASE_REDIS"))


def test_hardening_HRD_01_HRD_03_what_runs_is_looked_at_and_held_against_the_files(running: Folder) -> None:
    found = running.containers()
    assert {check for check, where in bad(found) if where == "open"} == {
        "capabilities", "new-privileges", "root-user", "engine-socket", "published-port",
    }  # fmt: skip
    assert [one for one in found if one.where == "good" and one.verdict is not Verdict.VERIFIED] == []
    assert [one.check for one in found if one.check == "drift" and one.verdict is Verdict.FAILED] == []
    write_running(running, "two")
    drifted = [one.where for one in running.containers() if one.check == "drift" and one.verdict is Verdict.FAILED]
    assert drifted == ["good"]


def test_hardening_HRD_03_where_nothing_runs_nothing_was_looked_at(folder: Folder) -> None:
    write_running(folder, "one")
    (found,) = folder.containers()
    assert found.verdict is Verdict.NOT_VERIFIED


def test_hardening_HRD_04_the_tests_own_server_has_no_login_and_that_is_found() -> None:
    """It is a real Prefect server, started without any of it."""
    found: tuple[Weakness, ...] = hardening.look_at_control_plane.fn()
    seen = {one.check: one for one in found}
    assert seen["prefect-auth"].verdict is Verdict.FAILED
    assert seen["prefect-auth"].severity is Severity.CRITICAL
    assert seen["prefect-key"].verdict is Verdict.FAILED
    assert "PREFECT_SERVER_ENCRYPTION_KEY" in seen["prefect-key"].says
    assert "prefect-address" not in seen
