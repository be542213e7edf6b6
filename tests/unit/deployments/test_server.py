import httpx
import pytest
from prefect.exceptions import PrefectHTTPStatusError

from deployments import server
from deployments.server import patiently

REQUEST = httpx.Request("GET", "http://prefect/api/flow_runs/1")


class Answers:
    """Gives one answer after the other; an exception is raised."""

    def __init__(self, *answers: Exception | str) -> None:
        self.left = list(answers)

    def __call__(self) -> str:
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def status(code: int) -> PrefectHTTPStatusError:
    return PrefectHTTPStatusError("no", request=REQUEST, response=httpx.Response(code, request=REQUEST))


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "POLL_S", 0.0)


def test_a_server_that_comes_back_is_asked_again() -> None:
    ask = Answers(httpx.ConnectError("refused"), status(503), httpx.ReadTimeout("slow"), "there")
    assert patiently(ask) == "there"


def test_a_refusal_is_an_answer() -> None:
    with pytest.raises(PrefectHTTPStatusError):
        patiently(Answers(status(404), "never asked"))


@pytest.mark.parametrize("seen", [httpx.ConnectError("refused"), status(500)])
def test_patience_ends(monkeypatch: pytest.MonkeyPatch, seen: Exception) -> None:
    monkeypatch.setattr(server, "PATIENCE_S", -1.0)
    with pytest.raises(type(seen)):
        patiently(Answers(seen, "never asked"))
