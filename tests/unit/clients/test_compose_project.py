"""The engine's view of a project's containers."""

from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound

from pawpaw_ops.clients import compose_project
from pawpaw_ops.clients import engine as way
from pawpaw_ops.clients.compose_project import NUMBER, SERVICE, inspections, parse, watching
from pawpaw_ops.errors import Unreachable
from pawpaw_ops.models.project import Project

RUNNING: dict[str, Any] = {
    "Id": "a1",
    "Name": "/shop-nginx-1",
    "Config": {"Labels": {SERVICE: "nginx"}},
    "State": {"Status": "running", "ExitCode": 0, "StartedAt": "2026-11-24T13:26:38.123456789Z"},
    "RestartCount": 0,
    "HostConfig": {"NetworkMode": "shop"},
    "NetworkSettings": {"Networks": {"shop": {"IPAddress": "172.20.0.5"}}},
}


class Engine:
    """An engine with one container, whose connection may break."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed, self.breaks = False, 0
        self.attrs = RUNNING

    @property
    def containers(self) -> "Engine":
        return self

    def get(self, name: str) -> "Engine":
        self.asked.append(name)
        if self.breaks:
            self.breaks -= 1
            raise ConnectionResetError("cut off")
        if name != RUNNING["Id"]:
            raise NotFound("no such container")
        return self

    def list(self, **words: Any) -> list["Engine"]:
        self.asked += words["filters"]["label"]
        return [self]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(compose_project, "connect", lambda _: made)
    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(name="shop", file=tmp_path / "c.yml", env_file=tmp_path / ".env", upstreams=tmp_path)


def test_a_few_containers_are_looked_at_by_their_ids_and_those_that_are_gone_are_missing(
    engine: Engine, project: Project
) -> None:
    with watching(project) as look:
        assert look(["a1", "b2"]).keys() == {"a1"}
        assert look(["a1"])["a1"].name == "shop-nginx-1"
        assert not engine.closed
    assert engine.asked == ["a1", "b2", "a1"]
    assert engine.closed


def test_an_engine_that_is_restarted_while_it_is_watched_is_asked_again(engine: Engine, project: Project) -> None:
    engine.breaks = 2
    with watching(project) as look:
        assert look(["a1"]).keys() == {"a1"}
    assert engine.asked == ["a1", "a1", "a1"]


def test_an_engine_that_stays_away_while_it_is_watched_is_told_and_waited_for_once(
    engine: Engine, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(way, "AWAY_S", 0.05)
    engine.breaks = 1000
    with watching(project) as look:
        with pytest.raises(Unreachable, match="cut off"):
            look(["a1"])
        first = len(engine.asked)
        with pytest.raises(Unreachable, match="cut off"):
            look(["a1"])
        assert first > 1
        assert len(engine.asked) == first + 1
        engine.breaks = 0
        assert look(["a1"]).keys() == {"a1"}
    assert engine.closed


def test_what_goes_wrong_with_what_was_seen_is_not_the_engines_fault(engine: Engine, project: Project) -> None:
    with pytest.raises(FileNotFoundError), watching(project):
        raise FileNotFoundError
    assert engine.closed


def test_of_one_service_nothing_else_is_inspected(engine: Engine) -> None:
    assert inspections(lambda: engine, "shop", "nginx") == (RUNNING,)
    assert f"{SERVICE}=nginx" in engine.asked


def test_a_container_with_a_check() -> None:
    seen = parse(
        {
            "Name": "/shop-redis-1",
            "Config": {"Labels": {SERVICE: "redis", NUMBER: "2"}},
            "State": {
                "Status": "running",
                "ExitCode": 0,
                "StartedAt": "2026-11-24T13:26:38.123456789Z",
                "Health": {"Status": "healthy"},
            },
            "RestartCount": 2,
            "LogPath": "/d/1-json.log",
            "HostConfig": {"NetworkMode": "shop_internal"},
            "NetworkSettings": {"Networks": {"shop_internal": {"IPAddress": "172.20.0.5"}}},
        }
    )
    assert (seen.service, seen.name, seen.health, seen.restarts, seen.up) == (
        "redis",
        "shop-redis-1",
        "healthy",
        2,
        True,
    )
    assert (seen.number, seen.address, seen.log_file) == (2, "172.20.0.5", "/d/1-json.log")


def test_a_container_without_a_check_that_ended() -> None:
    seen = parse(
        {
            "Name": "/shop-migrate-1",
            "Config": {"Labels": {SERVICE: "migrate"}},
            "State": {"Status": "exited", "ExitCode": 78, "StartedAt": "0001-01-01T00:00:00Z"},
            "RestartCount": 0,
            "HostConfig": {"NetworkMode": "shop_internal"},
            "NetworkSettings": {"Networks": {"shop_internal": {"IPAddress": ""}}},
        }
    )
    assert (seen.number, seen.address, seen.log_file) == (1, "", "")
    assert (seen.health, seen.failed) == ("", "ended with exit code 78")
