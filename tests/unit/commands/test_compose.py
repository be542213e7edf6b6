"""Whole command lines of Compose."""

from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops.commands import compose
from pawpaw_ops.models.project import Project

PROJECT = Project(
    name="shop",
    file=Path("/s/docker-compose.prod.yml"),
    env_file=Path("/s/.env"),
    upstreams=Path("/s/upstreams.d"),
    log_targets=Path("/s/log-targets"),
)
PREFIX = (
    "docker compose --project-name shop --project-directory /s --file /s/docker-compose.prod.yml --env-file /s/.env"
)


def test_every_verb_is_the_whole_line() -> None:
    lines = {
        str(compose.build(PROJECT)): "build --quiet",
        str(compose.up(PROJECT)): "up --detach --quiet-pull",
        str(compose.down(PROJECT)): "down --remove-orphans",
        str(compose.services(PROJECT).command): "config --services",
    }
    assert list(lines) == [f"{PREFIX} {words}" for words in lines.values()]


def test_services_are_parsed_and_sorted() -> None:
    assert compose.services(PROJECT).parse("redis\nbackend\n") == ("backend", "redis")


def test_a_variable_for_one_run_travels_by_name_alone() -> None:
    command = compose.run_once(PROJECT, "migrate", "node", "seed.js", env={"PASSWORD": SecretStr("canary")})
    assert str(command) == f"{PREFIX} run --rm --no-deps -T --env PASSWORD migrate node seed.js"
    assert "canary" not in repr(command)
