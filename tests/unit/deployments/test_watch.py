"""`pawpaw watch` with an engine that a test plays, and a Prefect server that writes down what it is asked for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from deployments.watch import Watch
from pawpaw_ops.errors import Unreachable
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans.upstreams import Member, Members, render
from pawpaw_ops.session import open_session
from tests.loopback import JsonHandler, served
from tests.unit.support_stacks import stack_of
from tests.unit.support_watch import at_work
from tests.waiting import wait_until

COMPOSE = "com.docker.compose"
ADDRESSES = {"backend": "172.20.0.5", "frontend": "172.20.0.7"}


@dataclass
class Engine:
    """An engine with one replica of each service.

    Attributes:
        addresses: Service -> where its replica is.
        connections: One queue of events for each that listens; None ends the stream.
    """

    addresses: dict[str, str]
    connections: list[SimpleQueue[dict[str, Any] | None]] = field(default_factory=list)
    url: str = ""

    def tell(self, service: str, action: str = "start") -> None:
        """Let something happen."""
        labels = {f"{COMPOSE}.service": service, "name": f"shop-{service}-1"}
        self.connections[-1].put({"Action": action, "Actor": {"Attributes": labels}})

    def move(self, service: str, address: str) -> None:
        """Let a replica start under another address."""
        self.addresses[service] = address
        self.tell(service)

    def inspection(self, service: str) -> dict[str, Any]:
        state = {"Status": "running", "ExitCode": 0, "StartedAt": "2026-08-01T00:00:00Z", "OOMKilled": False}
        labels = {f"{COMPOSE}.service": service, f"{COMPOSE}.container-number": "1"}
        networks = {"shop": {"IPAddress": self.addresses[service]}}
        return {
            "Id": identity(service), "Name": f"/shop-{service}-1", "Image": f"sha256:{service}", "RestartCount": 0,
            "State": state, "Config": {"Labels": labels}, "HostConfig": {"NetworkMode": "shop"},
            "NetworkSettings": {"Networks": networks},
        }  # fmt: skip

    def answer(self, path: str) -> Any:
        """Answer what is no stream."""
        if path.endswith("/version"):
            return {"ApiVersion": "1.41", "Version": "20.10"}
        if "/containers/json" in path:
            return [{"Id": identity(service)} for service in self.addresses]
        return next(self.inspection(service) for service in self.addresses if identity(service) in path)


def identity(service: str) -> str:
    return {"backend": "b1", "frontend": "f1"}[service] * 32


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(dict(ADDRESSES))

    class Handler(JsonHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if "/events" in self.path:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                events: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
                made.connections.append(events)
                while (event := events.get()) is not None:
                    self._chunk(json.dumps(event) + "\n")
                self._chunk("")
                return
            self.say(200, made.answer(self.path))

        def _chunk(self, text: str) -> None:
            self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        made.url = f"tcp://127.0.0.1:{port}"
        yield made
        for events in made.connections:
            events.put(None)


@dataclass
class Prefect:
    """What was asked for: keys, and of them each once; *away* times nobody answers."""

    keys: list[str] = field(default_factory=list)
    away: int = 0

    @property
    def runs(self) -> int:
        return len({*self.keys})

    def ask(self, deployment: str, key: str) -> str:
        assert deployment == "reconcile-gateway/prod"
        if self.away:
            self.away -= 1
            raise Unreachable("the Prefect server did not answer.")
        self.keys.append(key)
        return "quiet-otter"


@pytest.fixture
def prefect() -> Prefect:
    return Prefect()


def write_files(folder: Path, *, generation: int, **addresses: str) -> None:
    members = [
        Members(
            service=service,
            port=4000,
            addresses=(Member(address=address, container_id=identity(service), name=f"shop-{service}-1"),),
        )
        for service, address in (ADDRESSES | addresses).items()
    ]
    folder.mkdir(exist_ok=True)
    for name, text in render(members, release="v1-1", generation=generation).items():
        (folder / name).write_text(text)


@contextmanager
def watching(tmp_path: Path, engine: Engine, prefect: Prefect, said: list[str]) -> Iterator[Watch]:
    """Watch while the block lasts; one look is behind it."""
    write_files(tmp_path / "upstreams", generation=1)
    project = Project(
        name="shop", file=tmp_path, env_file=tmp_path, upstreams=tmp_path / "upstreams", engine=engine.url
    )
    settings = stack_of(tmp_path).model_copy(update={"name": "prod", "project": project})
    made = Watch(settings, said.append, prefect.ask, settle_s=0.05, again_s=0.05, longest_s=0.1)
    with at_work(made):
        yield made


def test_deploy_C5_what_differs_is_asked_for_once_and_what_does_not_never(
    tmp_path: Path, engine: Engine, prefect: Prefect
) -> None:
    said: list[str] = []
    with watching(tmp_path, engine, prefect, said) as watch:
        looks = watch.looks
        engine.tell("backend", "health_status: healthy")
        wait_until(lambda: watch.looks > looks, "an event is looked at")
        assert prefect.keys == []
        engine.move("backend", "172.20.0.99")
        wait_until(lambda: prefect.runs == 1, "a run is asked for")
        asked = len(prefect.keys)
        engine.tell("frontend")
        wait_until(lambda: len(prefect.keys) > asked, "it is asked again, with the same key")
        assert prefect.runs == 1
        write_files(tmp_path / "upstreams", generation=2, backend="172.20.0.99")
        engine.move("backend", "172.20.0.5")
        wait_until(lambda: prefect.runs == 2, "after the repair the next difference is another one")
    assert any("172.20.0.99" in one and "quiet-otter" in one for one in said)


def test_deploy_C5_what_differs_while_a_run_has_the_stack_waits_for_its_end(
    tmp_path: Path, engine: Engine, prefect: Prefect
) -> None:
    said: list[str] = []
    with watching(tmp_path, engine, prefect, said) as watch:
        with open_session(watch.settings, verb="deploy", purpose="p", run_id="at-work"):
            engine.move("backend", "172.20.0.99")
            wait_until(lambda: any("deploy is at work" in one for one in said), "it sees who is at work")
            assert prefect.keys == []
        wait_until(lambda: prefect.runs == 1, "a run is asked for")


def test_deploy_C5_after_an_engine_or_a_server_was_away_it_is_looked_at_again(
    tmp_path: Path, engine: Engine, prefect: Prefect
) -> None:
    said: list[str] = []
    with watching(tmp_path, engine, prefect, said):
        prefect.away = 2
        engine.addresses["backend"] = "172.20.0.99"
        engine.connections[-1].put(None)
        wait_until(lambda: prefect.runs == 1, "a run is asked for")
    assert len(engine.connections) > 1
    assert sum("the Prefect server did not answer" in one for one in said) == 2
    assert any("listened to the Docker engine and it ended" in one for one in said)
