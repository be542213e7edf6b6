from pathlib import Path

import pytest

from blocks import BackupStore, ComposeProject, PostgresDatabase, RedisServer, Stack
from deployments import config
from deployments.config import read
from pawpaw_ops.errors import ConfigError

EXAMPLE = Path(config.__file__).with_name("blocks.example.toml")
ENV = {
    "PAWPAW_DB_PASSWORD": "hush",
    "PAWPAW_REDIS_PASSWORD": "hush",
    "PAWPAW_S3_KEY": "key",
    "PAWPAW_S3_SECRET": "hush",
    "PAWPAW_AGE_RECIPIENT": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    "PAWPAW_AGE_IDENTITY": "hush",
}


def written(folder: Path, text: str) -> Path:
    path = folder / "blocks.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_is_a_whole_stack(tmp_path: Path) -> None:
    wanted = read(EXAMPLE, ENV)
    assert wanted.stacks == ("prod",)
    assert wanted.python == ""
    titles = [block.title for block in wanted.blocks]
    assert titles[-1] == "stack/prod"
    assert set(titles) >= {"postgres-database/prod", "backup-store/prod", "backup-identity/prod"}
    stack = wanted.blocks[-1]
    assert stack.holds == {
        "database": (PostgresDatabase, "prod"),
        "replica": (PostgresDatabase, "prod-replica"),
        "store": (BackupStore, "prod"),
        "redis": (RedisServer, "prod"),
        "project": (ComposeProject, "prod"),
    }
    assert stack.kind is Stack


def test_every_block_of_the_example_is_valid() -> None:
    for block in read(EXAMPLE, ENV).blocks:
        if not block.holds:
            block.kind.model_validate(dict(block.values))


def test_blocks_come_after_those_they_hold_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [blocks.stack.prod]
        state_dir = "/s"
        database = "postgres-database/prod"
        store = "backup-store/prod"
        [blocks.backup-store.prod]
        folder = "/b"
        [blocks.postgres-database.prod]
        name = "x"
        """,
    )
    assert [block.title for block in read(path, {}).blocks] == [
        "postgres-database/prod",
        "backup-store/prod",
        "stack/prod",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[workers]", "workers means nothing"),
        ("[worker]\npyton = 'x'", r"worker\.pyton means nothing"),
        ("[blocks.stak.prod]", r"blocks\.stak means nothing"),
        ("[blocks.stack.prod]\ndatabse = 'x'", r"blocks\.stack\.prod\.databse means nothing"),
        (
            "[blocks.minio-credentials.x]\naws_client_parameters = {endpoint = 'x'}",
            r"blocks\.minio-credentials\.x\.aws_client_parameters\.endpoint means nothing",
        ),
        ("blocks = 3", "blocks: here stands a table"),
        ("[blocks]\nstack = 3", r"blocks\.stack: here stands a table"),
        ("[blocks.stack.'Prod 1']", r"blocks\.stack\.Prod 1: a name has"),
        ("[blocks.stack.prod]\ndatabase = 'prod'", r'blocks\.stack\.prod\.database: .*"postgres-database/NAME"'),
        ("[blocks.stack.prod]\ndatabase = 'backup-store/prod'", r"blocks\.stack\.prod\.database: here another block"),
        ("[blocks.backup-store.x]\ncredentials = 7", "minio-credentials/NAME.* or .*aws-credentials/NAME"),
        ("not toml", "is not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(written(tmp_path, text), {})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="could not read"):
        read(tmp_path / "none.toml", {})


@pytest.mark.parametrize(
    "line",
    [
        "[blocks.postgres-database.p]\nname = 'x'\npassword = 'hush-7'",
        "[blocks.backup-identity.p]\nidentities = ['hush-7']",
        "[blocks.minio-credentials.p]\nminio_root_password = 'hush-7'",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match="a secret does not stand in this file") as seen:
        read(written(tmp_path, line), {})
    assert "hush-7" not in str(seen.value)


@pytest.mark.parametrize("env", [{}, {"PW": ""}])
def test_a_variable_that_is_missing_or_empty_is_named(tmp_path: Path, env: dict[str, str]) -> None:
    path = written(tmp_path, "[blocks.postgres-database.p]\npassword = {env = 'PW'}")
    with pytest.raises(ConfigError, match=r"blocks\.postgres-database\.p\.password: the environment has no PW"):
        read(path, env)


def test_variables_are_filled_in_at_any_depth(tmp_path: Path) -> None:
    text = """
    [blocks.backup-identity.p]
    identities = [{env = "ONE"}, {env = "TWO"}]
    [blocks.aws-credentials.p]
    aws_client_parameters = {endpoint_url = {env = "URL"}}
    """
    found = {block.title: block for block in read(written(tmp_path, text), {"ONE": "1", "TWO": "2", "URL": "u"}).blocks}
    assert found["backup-identity/p"].values == {"identities": ["1", "2"]}
    assert found["aws-credentials/p"].values == {"aws_client_parameters": {"endpoint_url": "u"}}
