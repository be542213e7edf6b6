"""Where backups are kept."""

from datetime import datetime
from pathlib import Path

from pydantic import Field, SecretStr

from pawpaw_ops.models.base import Noun


class FolderSettings(Noun):
    """A local folder."""

    path: Path


class S3Settings(Noun):
    """A bucket of an S3-compatible server.

    Attributes:
        endpoint_url: Address of the server; empty means AWS.
        access_key_id: Empty leaves the credentials to boto3's own search.
        prefix: Put before every key, without slashes at its ends.
    """

    bucket: str = Field(min_length=3)
    endpoint_url: str = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: SecretStr = SecretStr("")
    session_token: SecretStr = SecretStr("")
    prefix: str = ""
    verify_tls: bool = True


class StoreSettings(Noun):
    """The locations of one store, and how long backups stay.

    Attributes:
        keep_days: Backups younger than this stay, in days.
        keep_verified: The newest verified backups that stay whatever their age.
        grace_h: Hours between marking a backup as expired and removing it.
        interval_h: Hours between scheduled backups; when the newest verified one is older than twice that, nothing
            expires.
        recipients: age public keys that can open the backups; empty refuses to back up.
    """

    folder: FolderSettings | None = None
    s3: S3Settings | None = None
    keep_days: int = Field(default=30, ge=1)
    keep_verified: int = Field(default=3, ge=1)
    grace_h: float = Field(default=24.0, ge=0)
    interval_h: float = Field(default=24.0, gt=0)
    recipients: tuple[str, ...] = ()


class StoredObject(Noun):
    """One object as a listing shows it."""

    key: str
    size_bytes: int
    modified_at: datetime
