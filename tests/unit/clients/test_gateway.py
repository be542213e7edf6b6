"""The maintenance page's owner, and what the gateway is asked before it goes."""

from collections.abc import Iterator
from http.server import HTTPServer
from pathlib import Path

import pytest

from pawpaw_ops.clients import gateway
from pawpaw_ops.clients.gateway import MAINTENANCE, end_maintenance, start_maintenance
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans.startup import Seen
from tests.loopback import JsonHandler, served


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


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """What a gateway's inner port answers, one after the other and the last for ever."""
    said: list[int] = []

    class Handler(JsonHandler):
        def do_GET(self) -> None:
            self.say((said.pop(0) if len(said) > 1 else said[0]) if self.path == "/through/backend" else 500, {})

    with served(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        monkeypatch.setattr(gateway, "STATUS_PORT", port)
        monkeypatch.setattr(
            gateway, "running", lambda _: Seen(service="nginx", name="nginx-1", status="running", address="127.0.0.1")
        )
        yield said


def test_it_is_asked_until_a_backend_answers(project: Project, answers: list[int]) -> None:
    answers += [502, 503, 200]
    gateway.wait_through(project)
    assert answers == [200]


def test_a_gateway_of_before_cannot_tell(project: Project, answers: list[int]) -> None:
    answers.append(404)
    gateway.wait_through(project)


def test_that_no_backend_answers_is_said_with_what_was_seen(
    project: Project, answers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "THROUGH_S", 0.2)
    answers.append(502)
    with pytest.raises(PreconditionError, match=r"no backend takes requests .*/through/backend: 502"):
        gateway.wait_through(project)
