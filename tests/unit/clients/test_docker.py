import copy
from typing import Any

import pytest
from docker.errors import DockerException, NotFound

from pawpaw_ops.clients.docker import Container, find_container, parse_container, parse_ending
from pawpaw_ops.clients.engine import engine_address
from pawpaw_ops.errors import ConfigError, PreconditionError, Unreachable
from pawpaw_ops.plans.startup import Ending

INSPECTED: dict[str, Any] = {
    "Id": "4fa6e0f0c6786287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2",
    "Name": "/pawpaw-postgres-1",
    "Image": "sha256:1f5583a99e3d",
    "State": {"Status": "running", "Running": True},
    "HostConfig": {"NetworkMode": "pawpaw_backend"},
    "NetworkSettings": {
        "IPAddress": "",
        "Networks": {
            "pawpaw_monitoring": {"IPAddress": "172.19.0.4", "GlobalIPv6Address": ""},
            "pawpaw_backend": {"IPAddress": "172.18.0.3", "GlobalIPv6Address": ""},
        },
    },
}


def changed(**values: Any) -> dict[str, Any]:
    return copy.deepcopy(INSPECTED) | values


def networks(**found: dict[str, str]) -> dict[str, Any]:
    return changed(NetworkSettings={"Networks": found})


class Engine:
    """An engine that knows one container, or answers with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.closed = error, False

    @property
    def containers(self) -> "Engine":
        return self

    @property
    def attrs(self) -> dict[str, Any]:
        return INSPECTED

    def get(self, name: str) -> "Engine":
        del name
        if self.error:
            raise self.error
        return self

    def close(self) -> None:
        self.closed = True


def test_the_first_network_by_name_gives_the_address() -> None:
    assert parse_container(INSPECTED) == Container(
        name="pawpaw-postgres-1", address="172.18.0.3", image="sha256:1f5583a99e3d", id=INSPECTED["Id"]
    )


def test_a_network_without_an_address_is_passed_over() -> None:
    assert parse_container(networks(a={"IPAddress": ""}, b={"IPAddress": "10.0.0.2"})).address == "10.0.0.2"


def test_a_network_of_ipv6_alone_gives_that_address() -> None:
    assert parse_container(networks(a={"IPAddress": "", "GlobalIPv6Address": "fd00::2"})).address == "fd00::2"


def test_a_container_on_the_hosts_network_is_on_loopback() -> None:
    found = networks(host={"IPAddress": ""}) | {"HostConfig": {"NetworkMode": "host"}}
    assert parse_container(found).address == "127.0.0.1"


def test_a_container_on_no_network_is_refused() -> None:
    with pytest.raises(PreconditionError, match="on no network"):
        parse_container(networks(none={"IPAddress": ""}))


@pytest.mark.parametrize("status", ["exited", "created", "paused", "restarting", "dead"])
def test_a_container_that_does_not_run_is_refused(status: str) -> None:
    with pytest.raises(PreconditionError, match=status) as seen:
        parse_container(changed(State={"Status": status}))
    assert "docker start pawpaw-postgres-1" in seen.value.hint


def test_the_way_to_the_engine_is_closed_again() -> None:
    engine = Engine()
    assert find_container(lambda: engine, "pawpaw-postgres-1").address == "172.18.0.3"
    assert engine.closed


def test_an_unknown_name_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="'nobody'"):
        find_container(lambda: Engine(NotFound("no such container")), "nobody")


def test_no_engine_is_unreachable() -> None:
    def refused() -> Engine:
        raise DockerException("connection refused")

    with pytest.raises(Unreachable, match="did not answer"):
        find_container(refused, "pawpaw-postgres-1")


def test_the_block_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """And without either it is this host's engine, whatever context the CLI is in."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert engine_address(None) == "unix:///var/run/docker.sock"
    monkeypatch.setenv("DOCKER_HOST", "ssh://ops@db")
    assert engine_address(None) == "ssh://ops@db"
    assert engine_address("tcp://db:2376") == "tcp://db:2376"


def event(action: str, **attributes: str) -> dict[str, Any]:
    return {"Action": action, "Actor": {"Attributes": attributes}}


def test_the_last_event_tells_the_exit_code_of_a_container_that_runs_again() -> None:
    events = [event("die", exitCode="1"), event("oom"), event("die", exitCode="137")]
    limited = changed(HostConfig={"NetworkMode": "x", "Memory": 1 << 20})
    assert parse_ending(limited, events) == Ending(exit_code=137, oom=True, limit_bytes=1 << 20)


@pytest.mark.parametrize(
    ("state", "events", "code"),
    [
        ({"Status": "running", "ExitCode": 0}, [], None),
        ({"Status": "created", "ExitCode": 0}, [], None),
        ({"Status": "restarting", "ExitCode": 78}, [], 78),
        ({"Status": "exited", "ExitCode": 1}, [], 1),
        ({"Status": "exited", "ExitCode": 2}, [event("die", exitCode="1")], 2),
        ({"Status": "running", "ExitCode": 0}, [event("die", exitCode="0")], 0),
    ],
)
def test_an_exit_code_is_known_from_the_state_or_from_the_events(
    state: dict[str, Any], events: list[dict[str, Any]], code: int | None
) -> None:
    assert parse_ending(changed(State=state), events).exit_code == code


def test_the_last_of_the_health_checks_is_told() -> None:
    checks = [{"ExitCode": 0, "Output": "fine"}, {"ExitCode": 1, "Output": "no"}]
    seen = parse_ending(changed(State={"Status": "running", "ExitCode": 0, "Health": {"Log": checks}}), [])
    assert (seen.check_code, seen.check_said) == (1, "no")
