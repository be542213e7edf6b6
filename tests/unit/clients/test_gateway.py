"""The maintenance page's owner."""

from pathlib import Path

import pytest

from pawpaw_ops.clients.gateway import MAINTENANCE, end_maintenance, start_maintenance
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(
        name="shop", file=tmp_path / "c.yml", env_file=tmp_path / ".env", upstreams=tmp_path, log_targets=tmp_path
    )


def test_who_puts_it_up_takes_it_away(project: Project) -> None:
    start_maintenance(project, "run-1")
    end_maintenance(project, "run-1")
    assert not (project.upstreams / MAINTENANCE).exists()
    end_maintenance(project, "run-1")


def test_it_is_nobody_elses_to_put_up_again_or_to_take_away(project: Project) -> None:
    start_maintenance(project, "Ana")
    with pytest.raises(PreconditionError, match="Ana put it there"):
        start_maintenance(project, "run-1")
    end_maintenance(project, "run-1")
    assert (project.upstreams / MAINTENANCE).read_text() == "Ana\n"
