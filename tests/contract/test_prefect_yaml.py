"""Prefect takes an unknown key of `prefect.yaml` without a word, so this file looks."""

import inspect
from importlib import import_module
from typing import Any

import prefect
import pytest
from prefect.flows import load_flow_from_entrypoint

from deployments.apply import POOL, deployed_verbs
from pawpaw_ops.models.lifecycle import TAG, VERBS
from tests.contract.support_project import deployments, label, prefect_yaml

MODELS = import_module("prefect.cli.deploy._models")
ENVIRONMENTS = ("prod", "demo")
each = pytest.mark.parametrize("entry", deployments(), ids=label)


def keys(model: str) -> set[str]:
    """Return the keys that the installed Prefect knows at one place."""
    return {field.alias or name for name, field in getattr(MODELS, model).model_fields.items()}


def test_no_key_at_the_top_is_unknown_to_prefect() -> None:
    """A key with a dot holds an anchor."""
    assert {key for key in prefect_yaml() if not key.startswith(".")} <= keys("PrefectYamlModel")
    assert prefect_yaml()["prefect-version"] == prefect.__version__


@each
def test_no_key_of_a_deployment_is_unknown_to_prefect(entry: dict[str, Any]) -> None:
    """At every depth."""
    assert set(entry) <= keys("DeploymentConfig")
    assert set(entry["work_pool"]) <= keys("WorkPoolConfig")
    assert set(entry.get("concurrency_limit", {})) <= keys("ConcurrencyLimitSpec")
    MODELS.DeploymentConfig.model_validate(entry)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_verb_is_deployed_in_every_environment(environment: str) -> None:
    """`prefect deployment run VERB/ENVIRONMENT` finds it, and nothing is there twice."""
    wanted = [verb.name for verb in VERBS if environment == "prod" or not verb.containers]
    assert deployed_verbs()[environment] == wanted
    assert len(set(map(label, deployments()))) == len(deployments())


@each
def test_an_entrypoint_is_a_module_path_and_nothing_is_pulled(entry: dict[str, Any]) -> None:
    """A file path would be frozen into the deployment and load a second copy of our modules."""
    assert entry["entrypoint"] in {f"flows.{verb.flow.replace(':', '.')}" for verb in VERBS}
    assert prefect_yaml()["pull"] == []
    assert "pull" not in entry


@each
def test_a_deployment_is_described_tagged_and_works_on_its_own_stack(entry: dict[str, Any]) -> None:
    """One stack per environment, of the same name."""
    assert entry["description"].endswith(".")
    assert {TAG, entry["name"]} <= set(entry["tags"])
    assert entry["parameters"] == {"stack": entry["name"]}
    assert entry["work_pool"]["name"] == POOL


@each
def test_its_parameters_are_the_flows(entry: dict[str, Any]) -> None:
    """A parameter that the flow does not take would fail every run."""
    flow: prefect.Flow[Any, Any] = load_flow_from_entrypoint(entry["entrypoint"])
    for given in (entry, *entry.get("schedules", [])):
        parameters = given.get("parameters", {})
        assert set(parameters) <= set(inspect.signature(flow.fn).parameters)
        flow.validate_parameters(parameters)


@each
def test_schedules_have_slug_zone_and_a_plain_yes_or_no(entry: dict[str, Any]) -> None:
    """Without a slug two schedules cannot be told apart; without `active` each deploy switches them on."""
    assert "schedule" not in entry
    for schedule in entry.get("schedules", []):
        assert set(schedule) - {"parameters"} == {"slug", "cron", "timezone", "active"}
        assert schedule["timezone"] == "America/Monterrey"
        assert schedule["active"] is (entry["name"] == "prod")


@each
def test_no_secret_is_in_a_job_variable(entry: dict[str, Any]) -> None:
    """Prefect resolves a block named there when it deploys, and keeps the value in clear."""
    assert "prefect.blocks" not in repr(entry)
