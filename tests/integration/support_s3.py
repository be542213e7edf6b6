"""Real S3 servers for tests: rclone, which checks signatures, and moto, which knows more of the API."""

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from prefect_aws import MinIOCredentials
from prefect_aws.client_parameters import AwsClientParameters
from pydantic import SecretStr

from pawpaw_ops.commands.command import Command
from pawpaw_ops.models.store import S3Settings
from pawpaw_ops.runner import LocalRunner, Process

PROGRAMS = Path(sys.executable).parent
ACCESS_KEY_ID = "AKIAPAWPAWTESTS"
SECRET = "made-up-secret-of-the-tests"
BUCKET = "backups"
STARTS_WITHIN_S = 30.0


@contextlib.contextmanager
def rclone_server(folder: Path, *, prefix: str = "") -> Iterator[S3Settings]:
    """Serve `folder/data/BUCKET` as a bucket; yields how to reach it."""
    (folder / "data" / BUCKET).mkdir(parents=True, exist_ok=True)
    command = Command(
        argv=(str(PROGRAMS / "rclone"), "serve", "s3", "--config", "", "--addr", "127.0.0.1:0", str(folder / "data")),
        env={"RCLONE_AUTH_KEY": SecretStr(f'"{ACCESS_KEY_ID},{SECRET}"'), "RCLONE_DIR_CACHE_TIME": "1s"},
        timeout_s=None,
    )
    with _serving(command, log=folder / "rclone.log") as address:
        yield _settings(address, prefix)


@contextlib.contextmanager
def moto(folder: Path, *, prefix: str = "") -> Iterator[S3Settings]:
    """Serve a bucket from memory, checking no credentials; yields how to reach it."""
    command = Command(argv=(str(PROGRAMS / "moto_server"), "-H", "127.0.0.1", "-p", "0"), timeout_s=None)
    with _serving(command, log=folder / "moto.log") as address:
        settings = _settings(address, prefix)
        with client(settings) as s3:
            s3.create_bucket(Bucket=BUCKET)
        yield settings


def bucket(settings: S3Settings, **changed: Any) -> dict[str, Any]:
    """The fields of a BackupStore block for a bucket."""
    login = MinIOCredentials(
        minio_root_user=settings.access_key_id,
        minio_root_password=SecretStr(settings.secret_access_key.get_secret_value()),
        aws_client_parameters=AwsClientParameters(endpoint_url=settings.endpoint_url),
    )
    return {"bucket": settings.bucket, "prefix": settings.prefix, "credentials": login} | changed


@contextlib.contextmanager
def client(settings: S3Settings) -> Iterator[boto3.client]:
    """Look at the bucket past the code that is tested."""
    found = boto3.client(
        "s3",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key.get_secret_value(),
    )
    with contextlib.closing(found):
        yield found


def _settings(address: str, prefix: str) -> S3Settings:
    return S3Settings(
        bucket=BUCKET,
        endpoint_url=address,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SecretStr(SECRET),
        prefix=prefix,
    )


@contextlib.contextmanager
def _serving(command: Command, *, log: Path) -> Iterator[str]:
    process = LocalRunner().spawn(command, log=log)
    try:
        yield _address(process, log)
    finally:
        process.end()


def _address(process: Process, log: Path) -> str:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and process.alive():
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text(errors="replace")):
            return found.group()
        time.sleep(0.02)
    raise AssertionError(f"{process.command} does not serve: {log.read_text(errors='replace')}")
