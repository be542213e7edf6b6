"""Numbers for Prometheus on their way into a file."""

import math
from pathlib import Path

import pytest

from pawpaw_ops.models.project import Project
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans.traffic import Traffic
from pawpaw_ops.tasks.deploy_report import _facts, _numbers
from pawpaw_ops.tasks.metrics import tell_prometheus
from tests.unit.support_stacks import stack_of

INFO = 'pawpaw_release_info{release="v 1-1",version="v 1"}'


@pytest.fixture
def stack(tmp_path: Path) -> StackSettings:
    project = Project(
        name="t", file=tmp_path / "c.yml", env_file=tmp_path / ".env", upstreams=tmp_path, textfile=tmp_path
    )
    return stack_of(tmp_path).model_copy(update={"project": project})


def told(stack: StackSettings) -> str:
    assert stack.project is not None
    assert stack.project.textfile is not None
    return (stack.project.textfile / "deploy.prom").read_text()


def test_deploy_M2_a_deploy_that_failed_keeps_what_the_one_before_said_of_the_release(stack: StackSettings) -> None:
    tell_prometheus(stack, "deploy", {INFO: 1.0, "pawpaw_x": 2.0})
    tell_prometheus(stack, "deploy", {"pawpaw_x": 3.0, "pawpaw_y": math.nan}, keep=True)
    assert told(stack) == f"{INFO} 1.0\npawpaw_x 3.0\npawpaw_y nan\n"


def test_deploy_M2_a_deploy_that_went_well_keeps_nothing_of_the_release_before(stack: StackSettings) -> None:
    tell_prometheus(stack, "deploy", {INFO: 1.0})
    tell_prometheus(stack, "deploy", {"pawpaw_x": 3.0})
    assert told(stack) == "pawpaw_x 3.0\n"


def test_a_file_that_is_not_there_keeps_nothing(stack: StackSettings) -> None:
    tell_prometheus(stack, "deploy", {"pawpaw_x": 3.0}, keep=True)
    assert told(stack) == "pawpaw_x 3.0\n"


def test_deploy_M2_requests_that_were_not_seen_are_unknown_and_not_none() -> None:
    seen = _numbers(Traffic(total=7, failed=1, retried=2, cut=3, p95_s=0.25))
    assert seen == {
        'pawpaw_deploy_last_requests{outcome="total"}': 7.0,
        'pawpaw_deploy_last_requests{outcome="failed"}': 1.0,
        'pawpaw_deploy_last_requests{outcome="retried"}': 2.0,
        'pawpaw_deploy_last_requests{outcome="cut"}': 3.0,
        "pawpaw_deploy_last_p95_seconds": 0.25,
    }
    lost = Traffic(lost="the log cannot be read.")
    assert _numbers(lost).keys() == seen.keys()
    assert all(math.isnan(value) for value in _numbers(lost).values())
    assert _facts(lost) == {"requests": "unknown"}
