"""`pawpaw up` on small Compose projects: what it says when something does not come up."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from deployments.stack.up import Place, bring_up, take_down
from pawpaw_ops.errors import CommandError, ConfigError, HalfDone
from tests.integration.stack import support_docker

COMPOSE = """
services:
  good: {{image: {image}, command: [sleep, "600"], init: true, network_mode: none}}
  other: {{image: {image}, command: {command}, init: true, network_mode: none, restart: "{restart}"{check}}}
"""
UNHEALTHY = ', healthcheck: {test: ["CMD", "false"], interval: 200ms, retries: 1}'


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An empty stack folder under a project name of its own; what it started is taken down."""
    if why := support_docker.why_no_stack():
        pytest.skip(f"needs a Docker Engine and Compose: {why}")
    (tmp_path / ".env.example").write_text(f"STACK_NAME=ppt{secrets.token_hex(4)}\nSHOP_DOMAIN=localhost\n")
    made = Place(folder=tmp_path, env_file=tmp_path / ".env")
    yield made
    if (tmp_path / "docker-compose.prod.yml").exists() and (tmp_path / ".env").exists():
        take_down(made)


def write(place: Place, *, command: str, restart: str = "no", check: str = "") -> None:
    image = support_docker.base_image("BASE_REDIS")
    text = COMPOSE.format(image=image, command=command, restart=restart, check=check)
    (place.folder / "docker-compose.prod.yml").write_text(text)


def up(place: Place, **more: str) -> None:
    bring_up(place, Console(quiet=True), build=False, seed=False, timeout_s=15, **more)


@pytest.mark.parametrize(
    ("command", "restart", "check", "why"),
    [
        ('["sh", "-c", "exit 3"]', "no", "", "other-1 ended with exit code 3"),
        ('["sh", "-c", "exit 3"]', "always", "", "other-1 was restarted"),
        ('["sleep", "600"]', "no", UNHEALTHY, "other-1 is not healthy after 15 s"),
    ],
)
def test_a_service_that_does_not_come_up_is_named_with_why(
    place: Place, command: str, restart: str, check: str, why: str
) -> None:
    write(place, command=command, restart=restart, check=check)
    with pytest.raises(HalfDone, match=why) as seen:
        up(place)
    assert "docker logs" in seen.value.hint
    assert "good" not in seen.value.message


def test_a_second_time_goes_on_from_there(place: Place) -> None:
    write(place, command='["sh", "-c", "exit 3"]')
    with pytest.raises(HalfDone):
        up(place)
    secret = place.env_file.read_text()
    write(place, command='["sleep", "600"]')
    up(place)
    assert place.env_file.read_text() == secret


def test_a_folder_that_is_no_stack_is_told(place: Place) -> None:
    with pytest.raises(ConfigError, match=r"docker-compose\.prod\.yml and there is none"):
        up(place)


def test_a_variable_without_a_value_is_named(place: Place) -> None:
    (place.folder / "docker-compose.prod.yml").write_text("services: {a: {image: '${MISSING:?has no value}'}}\n")
    with pytest.raises(CommandError, match="MISSING"):
        up(place)
    (place.folder / "docker-compose.prod.yml").unlink()


def test_another_domain_than_the_one_in_use_is_refused(place: Place) -> None:
    write(place, command='["sleep", "600"]')
    up(place, domain="shop.example.com")
    assert "SHOP_DOMAIN=shop.example.com" in place.env_file.read_text()
    up(place, domain="shop.example.com")
    with pytest.raises(ConfigError, match=r"'shop\.example\.com', not 'other\.example\.com'"):
        up(place, domain="other.example.com")
