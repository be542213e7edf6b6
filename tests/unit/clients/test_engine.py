"""How often an engine is asked for the version of its API; a double answers that and nothing else."""

from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from pawpaw_ops.clients import engine
from pawpaw_ops.clients.engine import connect, patiently
from pawpaw_ops.errors import Unreachable
from tests.loopback import JsonHandler, served


class Version(JsonHandler):
    """The engine's `/version`."""

    versions: list[str]
    asked: list[str]

    def do_GET(self) -> None:
        """Answer with the first version that is left."""
        self.asked.append(self.path)
        self.say(200, {"ApiVersion": self.versions.pop(0)})


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def address(asked: list[str]) -> Iterator[str]:
    """An engine that is upgraded once it was asked."""
    bound = type("Bound", (Version,), {"versions": ["1.41", "1.44"], "asked": asked})
    with served(ThreadingHTTPServer(("127.0.0.1", 0), bound)) as port:
        yield f"tcp://127.0.0.1:{port}"


def version(address: str) -> str:
    found = connect(address)
    found.close()
    return str(found.api.api_version)


def test_it_is_asked_once_and_again_when_it_was_away(
    address: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [version(address), version(address)] == ["1.41", "1.41"]
    assert asked == ["/version"]

    monkeypatch.setattr(engine, "AWAY_S", 0.0)

    def away() -> str:
        raise Unreachable("away")

    with pytest.raises(Unreachable):
        patiently(address, away)
    assert version(address) == "1.44"
    assert asked == ["/version"] * 2
