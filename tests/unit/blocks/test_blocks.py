import os
import re
from pathlib import Path

import pytest
from prefect_aws import AwsCredentials, MinIOCredentials
from prefect_aws.client_parameters import AwsClientParameters
from prefect_docker import DockerHost
from pydantic import SecretStr, ValidationError

import blocks
from blocks.base import OpsBlock, wrong_fields
from blocks.database import AWAY
from pawpaw_ops.clients.docker import Container
from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.database import ClientTools, Database, ToolImage
from pawpaw_ops.models.redis import Redis
from pawpaw_ops.models.store import FolderSettings, S3Settings, StoreSettings

PUBLIC = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
ALL: list[type[OpsBlock]] = [getattr(blocks, name) for name in blocks.__all__]


def minio(**client: object) -> MinIOCredentials:
    return MinIOCredentials(
        minio_root_user="root",
        minio_root_password=SecretStr("hush"),
        region_name="mx-1",
        aws_client_parameters=AwsClientParameters.model_validate(client),
    )


@pytest.mark.parametrize("block", ALL)
def test_every_field_is_described_in_sentences(block: type[OpsBlock]) -> None:
    for name, field in block.model_fields.items():
        assert re.fullmatch(r"[A-Za-z].*\.", field.description or ""), f"{block.__name__}.{name}"


@pytest.mark.parametrize("block", ALL)
def test_every_block_speaks_to_the_operator(block: type[OpsBlock]) -> None:
    assert block.get_description()
    databases = {"postgres-database", "redis-server", "backup-store", "backup-identity"}
    assert block.get_block_type_slug() in databases | {"compose-project", "github-deployments", "stack"}


def test_a_database_block_becomes_a_database() -> None:
    block = blocks.PostgresDatabase(
        name="pawpaw", host="db", port=5433, password=SecretStr("hush"), tools_folder=Path("/opt/pg"), keep_old_days=3
    )
    assert block.settings() == Database(
        name="pawpaw",
        host="db",
        port=5433,
        password=SecretStr("hush"),
        tools=ClientTools(folder=Path("/opt/pg")),
        keep_old_days=3,
    )


def test_a_compose_block_becomes_a_project(tmp_path: Path) -> None:
    """Its `.env` says how it is called and where the gateway's files are."""
    (tmp_path / "docker-compose.prod.yml").write_text("services: {}\n")
    block = blocks.ComposeProject(folder=tmp_path)
    with pytest.raises(ConfigError, match=r"\.env"):
        block.settings()
    (tmp_path / ".env").write_text("STACK_NAME=tienda\nUPSTREAMS_DIR=./up\n")
    found = block.settings()
    assert (found.name, found.upstreams, found.gateway) == ("tienda", tmp_path / "up", "nginx")
    with pytest.raises(ConfigError, match=r"other\.yml"):
        blocks.ComposeProject(folder=tmp_path, file="other.yml").settings()


def test_a_redis_block_becomes_a_redis() -> None:
    """A container is not looked up: it may be stopped, and must be found all the same."""
    block = blocks.RedisServer(
        name="carts",
        container="cache",
        user="backup",
        password=SecretStr("hush"),
        tools_folder=Path("/opt/redis"),
        data_folder=Path("/data"),
        stop_command=["systemctl", "stop", "redis"],
        start_command=["systemctl", "start", "redis"],
        keep_old_days=3,
    )
    assert block.settings() == Redis(
        name="carts",
        container="cache",
        user="backup",
        password=SecretStr("hush"),
        tools=ClientTools(folder=Path("/opt/redis")),
        data_folder=Path("/data"),
        stop=("systemctl", "stop", "redis"),
        start=("systemctl", "start", "redis"),
        keep_old_days=3,
    )


def test_a_database_block_has_a_field_for_every_setting() -> None:
    assert set(Database.model_fields) - {"tools"} <= set(blocks.PostgresDatabase.model_fields)


SERVER = Container(name="db", address="172.18.0.3", image="sha256:1f55", id="4fa6e0")


def test_the_tools_come_from_the_servers_own_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its image as it is now, by id; the engine is the one that was asked."""
    monkeypatch.setattr("blocks.database.find_container", lambda *_: SERVER)
    block = blocks.PostgresDatabase(name="x", container="db", docker=DockerHost(base_url="tcp://db:2376"))
    assert block.settings() == Database(
        name="x",
        host="172.18.0.3",
        tools=ClientTools(
            image=ToolImage(
                id="sha256:1f55",
                container="4fa6e0",
                name="db",
                engine="tcp://db:2376",
                owner=f"{os.geteuid()}:{os.getegid()}",
            )
        ),
    )


def test_a_folder_goes_before_the_containers_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blocks.database.find_container", lambda *_: SERVER)
    block = blocks.PostgresDatabase(name="x", container="db", tools_folder=Path("/opt/pg"))
    assert block.settings().tools == ClientTools(folder=Path("/opt/pg"))


def test_a_store_block_has_a_field_for_every_setting() -> None:
    assert set(StoreSettings.model_fields) - {"s3"} <= set(blocks.BackupStore.model_fields)


def test_defaults_of_blocks_and_models_agree() -> None:
    assert blocks.PostgresDatabase(name="x").settings() == Database(name="x")
    assert blocks.BackupStore(folder=Path("/b")).settings() == StoreSettings(folder=FolderSettings(path=Path("/b")))


def test_minio_credentials_become_s3_settings() -> None:
    store = blocks.BackupStore(
        bucket="backups", prefix="a/b", credentials=minio(endpoint_url="https://s3.example", verify=False)
    )
    assert store.settings().s3 == S3Settings(
        bucket="backups",
        prefix="a/b",
        endpoint_url="https://s3.example",
        region="mx-1",
        access_key_id="root",
        secret_access_key=SecretStr("hush"),
        verify_tls=False,
    )


def test_aws_credentials_become_s3_settings() -> None:
    login = AwsCredentials(aws_access_key_id="AKIA", aws_secret_access_key=SecretStr("hush"), aws_session_token="token")
    found = blocks.BackupStore(bucket="backups", credentials=login).settings().s3
    assert found == S3Settings(
        bucket="backups",
        access_key_id="AKIA",
        secret_access_key=SecretStr("hush"),
        session_token=SecretStr("token"),
    )


def test_a_bucket_without_credentials_leaves_the_search_to_boto3() -> None:
    assert blocks.BackupStore(bucket="backups").settings().s3 == S3Settings(bucket="backups")


@pytest.mark.parametrize("field", ["profile_name", "assume_role_arn"])
def test_credentials_that_would_be_left_out_are_refused(field: str) -> None:
    store = blocks.BackupStore(bucket="backups", credentials=AwsCredentials.model_validate({field: "ops"}))
    with pytest.raises(ConfigError, match=field):
        store.settings()


def test_a_store_without_a_place_is_refused() -> None:
    with pytest.raises(ConfigError, match="neither a folder nor a bucket"):
        blocks.BackupStore().settings()


@pytest.mark.parametrize("prefix", ["/a", "a/", "/"])
def test_a_prefix_has_no_slash_at_its_ends(prefix: str) -> None:
    with pytest.raises(ValidationError):
        blocks.BackupStore(bucket="backups", prefix=prefix)


@pytest.mark.parametrize("prefix", ["", "a", "a/b", "ü/ b"])
def test_other_prefixes_are_taken(prefix: str) -> None:
    assert blocks.BackupStore(bucket="backups", prefix=prefix).prefix == prefix


def test_a_recipient_must_look_like_one() -> None:
    assert blocks.BackupStore(folder=Path("/b"), recipients=[PUBLIC]).settings().recipients == (PUBLIC,)
    with pytest.raises(ValidationError):
        blocks.BackupStore(folder=Path("/b"), recipients=["AGE-SECRET-KEY-1QQQ"])


def test_an_identity_needs_a_key() -> None:
    assert blocks.BackupIdentity(identities=[SecretStr("k")]).keys() == (SecretStr("k"),)
    with pytest.raises(ValidationError):
        blocks.BackupIdentity(identities=[])
    with pytest.raises(ConfigError, match="empty"):
        blocks.BackupIdentity(identities=[SecretStr(" ")]).keys()


def test_a_stack_that_was_never_saved_has_no_name() -> None:
    stack = blocks.Stack(
        state_dir=Path("/s"), database=blocks.PostgresDatabase(name="x"), store=blocks.BackupStore(folder=Path("/b"))
    )
    with pytest.raises(ConfigError, match="saved"):
        stack.settings()


@pytest.mark.parametrize("why", [PreconditionError("it is exited"), ConfigError("there is none of that name")])
def test_a_stack_whose_standby_is_down_or_gone_has_settings(why: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup must not wait for it; a restore is told that it does not answer."""

    def find(_: object, name: str) -> Container:
        if name == "standby":
            raise why
        return SERVER

    monkeypatch.setattr("blocks.database.find_container", find)
    stack = blocks.Stack(
        state_dir=Path("/s"),
        database=blocks.PostgresDatabase(name="x", container="db"),
        replica=blocks.PostgresDatabase(name="x", container="standby"),
        store=blocks.BackupStore(folder=Path("/b")),
    )
    stack._block_document_name = "prod"
    found = stack.settings()
    assert found.replica is not None
    assert (found.database.host, found.replica.host) == (SERVER.address, AWAY)


def test_wrong_fields_are_named_without_their_values() -> None:
    with pytest.raises(ValidationError) as seen:
        blocks.PostgresDatabase.model_validate({"name": "x", "port": 70000, "password": ["hush"]})
    text = wrong_fields(seen.value)
    assert "port" in text
    assert "password" in text
    assert "hush" not in text
    assert "70000" not in text
