"""Prefect takes an unknown key of `prefect.yaml` without a word, so this file looks."""

from typing import Any

import pytest
import yaml
from prefect.cli.deploy._models import ConcurrencyLimitSpec, DeploymentConfig, PrefectYamlModel, WorkPoolConfig

from deployments.apply import POOL, TAG, deployed_verbs, prefect_file
from pawpaw_ops.models.lifecycle import VERBS

FILE: dict[str, Any] = yaml.safe_load(prefect_file().read_text(encoding="utf-8"))
DEPLOYMENTS: list[dict[str, Any]] = FILE["deployments"]
IDS = [f"{entry['entrypoint']}/{entry['name']}" for entry in DEPLOYMENTS]
ENVIRONMENTS = ("prod", "demo")
each = pytest.mark.parametrize("entry", DEPLOYMENTS, ids=IDS)


def test_no_key_at_the_top_is_unknown_to_prefect() -> None:
    known = {field.alias or name for name, field in PrefectYamlModel.model_fields.items()}
    assert {key for key in FILE if not key.startswith(".")} <= known


@each
def test_no_key_of_a_deployment_is_unknown_to_prefect(entry: dict[str, Any]) -> None:
    assert set(entry) <= set(DeploymentConfig.model_fields)
    assert set(entry["work_pool"]) <= set(WorkPoolConfig.model_fields)
    assert set(entry.get("concurrency_limit", {})) <= set(ConcurrencyLimitSpec.model_fields)
    DeploymentConfig.model_validate(entry)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_verb_is_deployed_in_every_environment(environment: str) -> None:
    assert deployed_verbs()[environment] == [verb.name for verb in VERBS]


@each
def test_an_entrypoint_is_a_module_path_and_nothing_is_pulled(entry: dict[str, Any]) -> None:
    """A file path would be frozen into the deployment and load a second copy of our modules."""
    assert entry["entrypoint"] in {f"flows.{verb.flow.replace(':', '.')}" for verb in VERBS}
    assert FILE["pull"] == []
    assert "pull" not in entry


@each
def test_a_deployment_is_described_tagged_and_works_on_its_own_stack(entry: dict[str, Any]) -> None:
    assert entry["description"].endswith(".")
    assert {TAG, entry["name"]} <= set(entry["tags"])
    assert entry["parameters"] == {"stack": entry["name"]}
    assert entry["work_pool"]["name"] == POOL


@each
def test_schedules_have_slug_zone_and_a_plain_yes_or_no(entry: dict[str, Any]) -> None:
    """Without a slug two schedules cannot be told apart; without `active` each deploy switches them on."""
    for schedule in entry.get("schedules", []):
        assert set(schedule) == {"slug", "cron", "timezone", "active"}
        assert schedule["timezone"] == "America/Monterrey"
        assert schedule["active"] is (entry["name"] == "prod")
