"""Rotations of the running stack with a double of GitHub that has keys of its own and decrypts what it gets."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from blocks import GitHubRepository, Stack
from flows.check_secrets import check_secrets
from pawpaw_ops.errors import ConfigError, PreconditionError, Undone, VerificationError
from tests.e2e.support_deploy import Shop
from tests.e2e.support_rotate import Vault
from tests.integration.support_github import TOKEN, GitHubDouble, github_double

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
