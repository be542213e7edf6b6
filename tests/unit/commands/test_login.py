"""A login is tried, and passwords are kept, without one on a command line."""

from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops.commands.login import keep_user, try_login, try_primary
from pawpaw_ops.models.project import Project

PROJECT = Project(name="p", file=Path("/s/c.yml"), env_file=Path("/s/.env"), upstreams=Path("/s/u"))


def test_a_password_is_typed_into_a_container_on_the_stacks_network() -> None:
    query = try_login(PROJECT, "app_b", SecretStr("canary"), database="shop")
    assert str(query.command).endswith("--env-file /s/.env run --rm --no-deps -T roles try-login app_b shop")
    assert query.command.stdin == SecretStr("canary\n")
    assert "canary" not in repr(query.command)
    assert query.parse("accepted app_b owner\n") == ("accepted", "app_b", "owner")


def test_a_user_of_redis_is_kept_by_hashes() -> None:
    assert keep_user("", "redis-1", "app", ("aa", "bb")).argv == (
        "docker", "exec", "redis-1", "keep-user", "app", "aa", "bb",
    )  # fmt: skip


def test_a_standby_is_asked_in_its_own_container() -> None:
    query = try_primary("unix:///d.sock", "abc")
    assert query.command.argv == ("docker", "exec", "abc", "try-primary")
    assert query.parse("refused\n") == "refused"
