"""Real servers that several modules share; each test takes a prefix of its own."""

import multiprocessing.util
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawpaw_ops.clients import github_secrets
from pawpaw_ops.models.store import S3Settings
from tests.integration import support_proxy, support_s3
from tests.integration.support_github import GitHubDouble, github_double
from tests.integration.support_redis import RealRedis, RedisKit


@pytest.fixture(scope="session")
def rclone_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Settings]:
    with support_s3.rclone_server(tmp_path_factory.mktemp("rclone")) as settings:
        yield settings


@pytest.fixture(scope="session")
def moto_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Settings]:
    with support_s3.moto(tmp_path_factory.mktemp("moto")) as settings:
        yield settings


@pytest.fixture
def rclone(rclone_session: S3Settings) -> S3Settings:
    """A prefix of its own in the bucket of rclone."""
    return rclone_session.model_copy(update={"prefix": secrets.token_hex(4)})


@pytest.fixture
def moto(moto_session: S3Settings) -> S3Settings:
    """A prefix of its own in the bucket of moto."""
    return moto_session.model_copy(update={"prefix": secrets.token_hex(4)})


@pytest.fixture
def proxy(moto: S3Settings) -> Iterator[support_proxy.Proxy]:
    """A proxy in front of moto, which understands conditional writes."""
    with support_proxy.proxy(moto) as running:
        yield running


@pytest.fixture
def strict(rclone: S3Settings) -> Iterator[support_proxy.Proxy]:
    """A proxy in front of rclone that refuses checksum trailers and conditional writes, and holds checksums."""
    with support_proxy.proxy(rclone, strict=True, conditional=False) as running:
        yield running


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubDouble]:
    """A double of GitHub that was asked nothing but what GitHub's own description knows."""
    monkeypatch.setattr(github_secrets, "WAIT_S", 0.01)
    with github_double() as double:
        yield double
    assert double.violations == []


@pytest.fixture
def carts(prefect_api: None, tmp_path: Path) -> Iterator[RedisKit]:
    """A Redis with keys of every kind, and a stack around it."""
    server = RealRedis(tmp_path / "redis")
    server.start()
    server.fill()
    kit = RedisKit(tmp_path, server)
    kit.save_blocks()
    yield kit
    kit.remove()


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, one of the test's own that every user may enter; empty again at the end."""
    multiprocessing.util.get_temp_dir()  # keeps a folder until the end of all tests, so not in this one
    folder = Path(tempfile.mkdtemp(prefix="ours-"))
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    left = [path.name for path in folder.iterdir() if path.name.startswith("pawpaw-")]
    shutil.rmtree(folder)
    assert left == []
