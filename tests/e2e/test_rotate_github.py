"""Rotations of the running stack with a double of GitHub that has keys of its own and decrypts what it gets."""

import base64
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from blocks import GitHubRepository, Stack
from flows.check_secrets import check_secrets
from pawpaw_ops.clients.env_file import change_env
from pawpaw_ops.errors import ConfigError, PreconditionError, Undone, VerificationError
from pawpaw_ops.models.secrets import Target
from tests.e2e.support_deploy import Shop
from tests.e2e.support_rotate import PACE, Vault
from tests.integration.stack.support_docker import docker
from tests.integration.support_canaries import ArgvSampler, files
from tests.integration.support_child import Child
from tests.integration.support_github import TOKEN, GitHubDouble, github_double
from tests.integration.support_grafana import GrafanaDouble, grafana_double

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")


@pytest.fixture
def vault(shop: Shop) -> Vault:
    return Vault(shop)


@pytest.fixture
def there(shop: Shop) -> Iterator[GitHubDouble]:
    """A repository with two of our secrets, and an environment with one."""
    with github_double() as double:
        repository = GitHubRepository(
            repository="paw/shop",
            token=SecretStr(TOKEN),
            api_url=double.url,
            secrets=["DB_PASSWORD", "DB_USER"],
            environment="production",
            environment_secrets=["DB_PASSWORD"],
        )
        block = Stack.named(shop.name)
        block.model_copy(update={"github": repository}).save(shop.name, overwrite=True)
        try:
            yield double
        finally:
            block.save(shop.name, overwrite=True)
    assert double.violations == []


@pytest.fixture
def dashboards(shop: Shop, vault: Vault) -> Iterator[GrafanaDouble]:
    """A double in place of Grafana: the stack has the service, and a container of it that never runs."""
    env_file, before = shop.stack.project.env_file, vault.env()
    labels = {"project": shop.stack.project.name, "service": "grafana", "oneoff": "False", "container-number": "1"}
    words = [f"--label=com.docker.compose.{name}={value}" for name, value in labels.items()]
    container = docker("create", *words, shop.stack.container("redis")["Image"]).strip()
    try:
        with grafana_double(before["GRAFANA_ADMIN_PASSWORD"]) as double:
            change_env(env_file, {"COMPOSE_PROFILES": "dashboards", "GRAFANA_PORT": str(double.port)})
            yield double
    finally:
        change_env(env_file, {name: before[name] for name in ("COMPOSE_PROFILES", "GRAFANA_PORT")})
        docker("rm", container)
    assert double.violations == []


def test_rotate_GH_01_GH_03_all_of_github_is_new_or_all_is_old(shop: Shop, vault: Vault, there: GitHubDouble) -> None:
    old, before = vault.env(), shop.everything()
    there.faults = [("PUT", -1, {}), ("PUT", 404, {})]
    with pytest.raises(Undone, match="404"):
        vault.rotate("database")
    assert there.values()["DB_PASSWORD"] == old["DB_PASSWORD"], "it has been given back"
    assert shop.everything() == before
    assert vault.open() is None
    vault.rotate("database", grace_h=0)
    new = vault.env()
    assert there.values() == {"DB_PASSWORD": new["DB_PASSWORD"], "DB_USER": new["DB_USER"]}
    assert there.values("production") == {"DB_PASSWORD": new["DB_PASSWORD"]}
    vault.retire()
    assert check_secrets(stack=shop.name) > 20
    del there.secrets["production"]["DB_PASSWORD"]
    with pytest.raises(VerificationError, match="DB_PASSWORD: GitHub production: is not there"):
        check_secrets(stack=shop.name)


def test_rotate_GH_04_GH_07_what_github_would_not_take_is_found_before_anything_changes(
    shop: Shop, vault: Vault, there: GitHubDouble
) -> None:
    before, turns = shop.everything(), vault.turns()
    there.faults = [("GET", 403, {})]
    with pytest.raises(ConfigError, match="403"):
        vault.rotate("database")
    there.secrets["production"] = {"DB_USER": ("hides", there.now())}
    with pytest.raises(PreconditionError, match="hide DB_USER"):
        vault.rotate("database")
    assert shop.everything() == before
    assert vault.turns() == turns
    assert vault.open() is None
    assert there.puts == []


@pytest.mark.parametrize("event", ["step", "done"])
def test_rotate_GH_09_killed_before_or_after_github_was_written_it_goes_on(
    shop: Shop, vault: Vault, there: GitHubDouble, tmp_path: Path, event: str
) -> None:
    vault.env()
    parameters: dict[str, Any] = {"stack": shop.name, "which": "database", **PACE}
    kill = (event, "write DB_PASSWORD, DB_USER to GitHub")
    child = Child("rotate-secrets", str(tmp_path / "log"), kill=kill, **parameters)
    assert child.wait() == -signal.SIGKILL
    vault.rotate("database")
    new = vault.env()
    assert there.values() == {"DB_PASSWORD": new["DB_PASSWORD"], "DB_USER": new["DB_USER"]}
    assert there.values("production") == {"DB_PASSWORD": new["DB_PASSWORD"]}
    vault.retire(now=True)
    assert vault.holds(new)


@contextmanager
def every_statement_logged(shop: Shop) -> Iterator[None]:
    """Let the database write every statement down while the block lasts."""
    shop.stack.sql("ALTER SYSTEM SET log_statement = 'all'")
    shop.stack.sql("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        shop.stack.sql("ALTER SYSTEM RESET log_statement")
        shop.stack.sql("SELECT pg_reload_conf()")


def test_rotate_SEC_01_no_value_is_found_where_it_does_not_belong(
    shop: Shop,
    vault: Vault,
    there: GitHubDouble,
    dashboards: GrafanaDouble,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of a rotation that fails, one that goes well, and its end; the database writes every statement down."""
    old = dashboards.password
    stack = shop.stack
    with every_statement_logged(shop), ArgvSampler() as argv:
        there.faults = [("PUT", -1, {}), ("PUT", 404, {})]
        with pytest.raises(Undone):
            vault.rotate("all")
        vault.rotate("all")
        begun = vault.open()
        vault.retire(now=True)
    assert begun is not None
    assert Target.GRAFANA in begun.targets
    assert dashboards.password == vault.env()["GRAFANA_ADMIN_PASSWORD"] != old
    places = {"logs": caplog.text.encode(), "arguments": "\n".join(argv.seen).encode()}
    places |= {service: stack.compose("logs", "--no-color", service).encode() for service in ("postgres", "redis")}
    places |= {str(path): path.read_bytes() for path in files(shop.state_dir)}
    forms = {form for word in vault.seen for form in (word.encode(), base64.b64encode(word.encode()).rstrip(b"="))}
    assert len(forms) >= 16
    assert [where for where, held in places.items() if any(form in held for form in forms)] == []
    assert b"ALTER ROLE" in places["postgres"]
    assert b"SCRAM-SHA-256$" in places["postgres"]
    assert "try-login" in places["arguments"].decode()
    assert any(shop.name.encode() in held for where, held in places.items() if where.endswith(".db"))
