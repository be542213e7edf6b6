import asyncio
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_aws import AwsCredentials, MinIOCredentials
from pydantic import SecretStr

from blocks import BackupIdentity, BackupStore, PostgresDatabase, Stack
from pawpaw_ops.errors import ConfigError, Unreachable
from pawpaw_ops.models.stack import StackSettings

CANARY = "canary-7f3a"
pytestmark = pytest.mark.usefixtures("prefect_api")


@pytest.fixture(scope="module")
def saved(prefect_api: None) -> None:
    login = MinIOCredentials(minio_root_user="root", minio_root_password=SecretStr(CANARY), region_name="mx-1")
    login.save("shop", overwrite=True)
    database = PostgresDatabase(name="shop", password=SecretStr(CANARY))
    database.save("shop", overwrite=True)
    store = BackupStore(folder=Path("/backups"), bucket="backups", credentials=login)
    store.save("shop", overwrite=True)
    Stack(state_dir=Path("/state"), database=database, store=store).save("shop", overwrite=True)
    BackupIdentity(identities=[SecretStr(CANARY), SecretStr(CANARY)]).save("shop", overwrite=True)


@pytest.mark.usefixtures("saved")
def test_a_stack_comes_back_with_its_parts_and_its_name() -> None:
    found = Stack.named("shop").settings()
    assert isinstance(found, StackSettings)
    assert (found.name, found.identity_block, found.state_dir) == ("shop", "shop", Path("/state"))
    assert found.database.password.get_secret_value() == CANARY
    assert found.store.s3 is not None
    assert found.store.s3.access_key_id == "root"
    assert found.store.s3.secret_access_key.get_secret_value() == CANARY
    keys = BackupIdentity.named("shop").keys()
    assert [key.get_secret_value() for key in keys] == [CANARY, CANARY]


@pytest.mark.usefixtures("saved")
def test_a_block_is_loaded_the_same_way_in_async_code() -> None:
    async def load() -> Stack:
        return Stack.named("shop")

    assert asyncio.run(load()).settings().name == "shop"


@pytest.mark.usefixtures("saved")
def test_a_rotated_password_is_seen_by_every_stack() -> None:
    """Nested blocks are references: the part is changed once, for all."""
    PostgresDatabase(name="shop", password=SecretStr("rotated")).save("shop", overwrite=True)
    try:
        assert Stack.named("shop").settings().database.password.get_secret_value() == "rotated"
    finally:
        PostgresDatabase(name="shop", password=SecretStr(CANARY)).save("shop", overwrite=True)


def test_aws_credentials_come_back_as_such() -> None:
    """They are a union with another block, and each has only optional or only its own fields."""
    login = AwsCredentials(aws_access_key_id="AKIA", aws_secret_access_key=SecretStr(CANARY))
    login.save("aws", overwrite=True)
    BackupStore(bucket="backups", credentials=login).save("aws", overwrite=True)
    found = BackupStore.named("aws").settings().s3
    assert found is not None
    assert found.access_key_id == "AKIA"


@pytest.mark.usefixtures("saved")
def test_secrets_are_masked_by_the_api() -> None:
    with get_client(sync_client=True) as client:
        shown = client._client.post("/block_documents/filter", json={}).text
        types = client._client.post("/block_types/filter", json={}).text
    assert "postgres-database" in types
    assert "minio_root_password" in shown
    assert "identities" in shown
    assert CANARY not in shown


@pytest.mark.parametrize("name", ["nobody", "no body", "a/b", "ñ"])
def test_a_missing_block_is_named_with_the_command_that_makes_it(name: str) -> None:
    with pytest.raises(ConfigError, match=f"stack/{name}") as seen:
        Stack.named(name)
    assert "pawpaw apply" in seen.value.hint


def test_a_server_that_is_away_is_unreachable() -> None:
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(Unreachable, match="stack/shop"),
    ):
        Stack.named("shop")
