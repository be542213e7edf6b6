"""Whole command lines of Docker's CLI."""

from pawpaw_ops.commands import docker
from pawpaw_ops.commands.command import Command

ENGINE = "unix:///run/docker.sock"


def test_every_command_is_the_whole_line_and_names_its_engine() -> None:
    lines: dict[str, Command] = {
        "docker start b-1": docker.start(ENGINE, "b-1"),
        "docker stop --time 31 b-1 b-2": docker.stop(ENGINE, "b-1", "b-2", grace_s=30.5),
        "docker exec gateway gateway-reload": docker.inside(ENGINE, "gateway", "gateway-reload"),
    }
    assert [str(command) for command in lines.values()] == list(lines)
    assert all(command.env == {"DOCKER_HOST": ENGINE} for command in lines.values())


def test_stopping_may_take_as_long_as_the_containers_may() -> None:
    assert docker.stop(ENGINE, "b-1", "b-2", grace_s=30).timeout_s == 120
