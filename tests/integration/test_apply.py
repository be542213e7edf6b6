from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks import BackupIdentity, Stack
from deployments.apply import AUTOMATION, POOL, apply
from pawpaw_ops.errors import ConfigError, Unreachable
from pawpaw_ops.models.lifecycle import VERBS

CANARY = "canary-51c9"
pytestmark = pytest.mark.usefixtures("prefect_api")
FILE = """
[blocks.postgres-database.demo]
name = "shop"
password = {env = "PW"}
[blocks.minio-credentials.demo]
minio_root_user = "root"
minio_root_password = {env = "PW"}
[blocks.backup-store.demo]
folder = "/backups"
bucket = "backups"
credentials = "minio-credentials/demo"
[blocks.backup-identity.demo]
identities = [{env = "PW"}]
[blocks.stack.demo]
state_dir = "/state"
database = "postgres-database/demo"
store = "backup-store/demo"
"""
LISTS = {
    "block_types": ("slug",),
    "block_schemas": ("checksum",),
    "block_documents": ("name", "data", "block_type_id"),
    "work_pools": ("name", "type", "base_job_template", "is_paused"),
    "v2/concurrency_limits": ("name", "limit", "active", "active_slots"),
    "automations": ("name", "enabled", "trigger", "actions"),
    "deployments": ("name", "entrypoint", "pull_steps", "parameters", "tags", "concurrency_options", "job_variables"),
}


def state(client: SyncPrefectClient) -> dict[str, Any]:
    """Return all that `apply` may touch, with its ids and without the times of the last change."""
    found: dict[str, Any] = {}
    for path, fields in LISTS.items():
        rows = client._client.post(f"/{path}/filter", json={}).raise_for_status().json()
        found[path] = {row["id"]: [row[field] for field in fields] for row in rows}
        if path == "deployments":
            for row in rows:
                schedules = [(s["slug"], s["active"], s["schedule"]) for s in row["schedules"]]
                found[path][row["id"]] += [schedules, row["global_concurrency_limit"]["limit"]] if schedules else []
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("apply") / "blocks.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def applied(prefect_api: None, file: Path) -> list[str]:
    said: list[str] = []
    apply(file, env={"PW": CANARY}, say=said.append)
    return said


def test_twice_leaves_the_same_state(file: Path, applied: list[str]) -> None:
    with get_client(sync_client=True) as client:
        before = state(client)
        said: list[str] = []
        apply(file, env={"PW": CANARY}, say=said.append)
        assert state(client) == before
    assert said == applied
    assert CANARY not in str(said)


def test_the_stack_can_be_loaded_with_everything_it_holds(applied: list[str]) -> None:
    settings = Stack.named("demo").settings()
    assert settings.database.password.get_secret_value() == CANARY
    assert settings.store.s3 is not None
    assert BackupIdentity.named("demo").keys()[0].get_secret_value() == CANARY


def test_every_verb_is_deployed_from_its_module_without_pulling(applied: list[str]) -> None:
    with get_client(sync_client=True) as client:
        for verb in (verb for verb in VERBS if not verb.containers):
            found = client.read_deployment_by_name(f"{verb.name}/demo")
            assert found.entrypoint == f"flows.{verb.flow.replace(':', '.')}"
            assert not found.pull_steps
            assert not any(schedule.active for schedule in found.schedules)


def test_the_stacks_limit_lets_one_in(applied: list[str]) -> None:
    with get_client(sync_client=True) as client:
        assert client.read_global_concurrency_limit_by_name("pawpaw-demo").limit == 1


def test_what_somebody_switched_off_stays_off(file: Path, applied: list[str]) -> None:
    """A pool that is being drained is not switched on behind the operator's back."""
    with get_client(sync_client=True) as client:
        client.update_work_pool(POOL, WorkPoolUpdate(is_paused=True))
        client.pause_automation(client.read_automations_by_name(AUTOMATION)[0].id)
        apply(file, env={"PW": CANARY}, say=lambda _: None)
        assert client.read_work_pool(POOL).is_paused
        assert [found.enabled for found in client.read_automations_by_name(AUTOMATION)] == [False]


def test_an_update_reaches_the_block(file: Path, applied: list[str], tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(FILE.replace('"/backups"', '"/elsewhere"').replace('bucket = "backups"\n', ""), encoding="utf-8")
    apply(other, env={"PW": CANARY}, say=lambda _: None)
    store = Stack.named("demo").settings().store
    assert store.folder is not None
    assert store.folder.path == Path("/elsewhere")
    assert store.s3 is None
    apply(file, env={"PW": CANARY}, say=lambda _: None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('name = "shop"', 'name = ""'), "postgres-database/demo does not fit: name"),
        (("postgres-database/demo", "postgres-database/other"), "holds postgres-database/other, and there is none"),
        (("[blocks.stack.demo]", "[blocks.stack.staging]"), "'staging' has no deployments"),
    ],
)
def test_what_cannot_be_made_is_said(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "blocks.toml"
    path.write_text(FILE.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigError, match=said) as seen:
        apply(path, env={"PW": CANARY}, say=lambda _: None)
    assert CANARY not in str(seen.value)


def test_a_server_that_is_away_is_unreachable(file: Path) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}), pytest.raises(Unreachable):
        apply(file, env={"PW": CANARY}, say=lambda _: None)
