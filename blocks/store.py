"""The block of a backup store."""

from pathlib import Path
from typing import Annotated

from prefect_aws import AwsCredentials, MinIOCredentials
from pydantic import Field, SecretStr, StringConstraints

from blocks.base import OpsBlock
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.store import FolderSettings, S3Settings, StoreSettings

Recipient = Annotated[str, StringConstraints(pattern=r"^age1[02-9ac-hj-np-z]{58}$")]


class BackupStore(OpsBlock):
    """Where backups are kept: a folder, a bucket, or better both. For how long, and who can open them."""

    _block_type_name = "Backup Store"

    folder: Path | None = Field(default=None, description="Folder on the worker's host. Empty keeps no copy there.")
    bucket: str = Field(default="", description="Bucket of an S3-compatible server. Empty keeps no copy there.")
    prefix: str = Field(
        default="",
        pattern=r"^([^/].*[^/]|[^/]?)$",
        description="Put before every key in the bucket, without a slash at its ends.",
    )
    credentials: MinIOCredentials | AwsCredentials | None = Field(
        default=None,
        description="Login of the bucket. Region, endpoint_url and verify are read from it and its client parameters.",
    )
    recipients: list[Recipient] = Field(
        default_factory=list,
        description="age public keys that the backups are sealed for. Without one, nothing is backed up.",
    )
    keep_days: int = Field(default=30, ge=1, description="Days that every backup is kept.")
    keep_verified: int = Field(
        default=3, ge=1, description="How many of the newest verified backups are kept whatever their age."
    )
    grace_h: float = Field(
        default=24.0,
        ge=0,
        description="Hours between marking a backup as expired and removing it, for second thoughts.",
    )
    interval_h: float = Field(
        default=24.0,
        gt=0,
        description="Hours between scheduled backups. When the newest verified one is twice as old, nothing expires.",
    )

    def settings(self) -> StoreSettings:
        """Return the frozen settings.

        Raises:
            ConfigError: Neither a folder nor a bucket, or a login that asks for what backups do not do.
        """
        if self.folder is None and not self.bucket:
            raise ConfigError(
                "the BackupStore block has neither a folder nor a bucket.", hint="Set one, or better both."
            )
        return StoreSettings(
            folder=FolderSettings(path=self.folder) if self.folder else None,
            s3=self._s3() if self.bucket else None,
            keep_days=self.keep_days,
            keep_verified=self.keep_verified,
            grace_h=self.grace_h,
            interval_h=self.interval_h,
            recipients=tuple(self.recipients),
        )

    def _s3(self) -> S3Settings:
        login = self.credentials
        if login is None:
            return S3Settings(bucket=self.bucket, prefix=self.prefix)
        parameters = login.aws_client_parameters
        if isinstance(login, MinIOCredentials):
            key, secret, token = login.minio_root_user, login.minio_root_password, ""
        else:
            _refuse_unused(login)
            key, secret = login.aws_access_key_id or "", login.aws_secret_access_key or SecretStr("")
            token = login.aws_session_token or ""
        return S3Settings(
            bucket=self.bucket,
            prefix=self.prefix,
            endpoint_url=parameters.endpoint_url or "",
            region=login.region_name or "us-east-1",
            access_key_id=key,
            secret_access_key=secret,
            session_token=SecretStr(token),
            verify_tls=parameters.verify is not False,
        )


def _refuse_unused(login: AwsCredentials) -> None:
    """Refuse what would be silently left out."""
    unused = {"profile_name": login.profile_name, "assume_role_arn": login.assume_role_arn}
    for name, value in unused.items():
        if value:
            raise ConfigError(
                f"the BackupStore's AwsCredentials block sets {name}, which backups do not use.",
                hint="Give the keys themselves, or leave them empty and set AWS_PROFILE for the worker.",
            )
