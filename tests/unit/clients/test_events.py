"""Events of containers, from a server that speaks as the engine does."""

import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pawpaw_ops.clients.events import KINDS, listen
from pawpaw_ops.errors import Unreachable
from tests.loopback import JsonHandler, served

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"


def event(action: str, name: str, **labels: str) -> dict[str, Any]:
    return {"Type": "container", "Action": action, "Actor": {"ID": "a" * 64, "Attributes": {"name": name, **labels}}}


EVENTS = [
    event("health_status: healthy", "shop-backend-1", **{SERVICE: "backend"}),
    event("die", "shop-redis-1", **{SERVICE: "redis"}),
    event("start", "somebody"),
    event("start", "shop-frontend-1", **{SERVICE: "frontend"}),
]


class Engine(JsonHandler):
    """Says its version, tells four events and ends."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        lines = EVENTS if "/events" in self.path else [{"ApiVersion": "1.41", "Version": "20.10"}]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for text in (*(json.dumps(one) + "\n" for one in lines), ""):
            self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def engine(asked: list[str]) -> Iterator[str]:
    with served(ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Engine,), {"asked": asked}))) as port:
        yield f"tcp://127.0.0.1:{port}"


def test_only_what_happens_to_served_services_is_told_and_an_engine_that_ends_is_said(
    engine: str, asked: list[str]
) -> None:
    heard: list[str] = []
    with pytest.raises(Unreachable, match="ended"):
        listen(engine, "shop", ("backend", "frontend"), heard.append)
    assert heard == ["", "shop-backend-1: health_status: healthy", "shop-frontend-1: start"]
    filters = json.loads(parse_qs(urlsplit(asked[-1]).query)["filters"][0])
    assert filters == {"type": ["container"], "event": [*KINDS], "label": [f"{PROJECT}=shop"]}


def test_an_engine_that_is_not_there_is_said() -> None:
    with pytest.raises(Unreachable, match="went away"):
        listen("tcp://127.0.0.1:9", "shop", ("backend",), lambda _: pytest.fail("nobody listens"))
