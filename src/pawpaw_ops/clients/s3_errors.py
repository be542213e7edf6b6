"""What an object store's refusals mean, told from their codes."""

import contextlib
from collections.abc import Iterator

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from pawpaw_ops.errors import ConfigError, OpsError, PreconditionError, StoreError, Unreachable

BLOCK = "Mend the BackupStore block."
MISSING = {"NoSuchKey", "404"}
DENIED = {"AccessDenied", "AllAccessDisabled", "403", "401", "Unauthorized"}
RIGHTS = {
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "HeadObject": "s3:GetObject and s3:ListBucket",
    "GetObject": "s3:GetObject and s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "DeleteObject": "s3:DeleteObject",
}
WRONG = {
    "NoSuchBucket": "there is no such bucket",
    "InvalidBucketName": "that is no name for a bucket",
    "InvalidAccessKeyId": "the server does not know this access key id",
    "SignatureDoesNotMatch": "the secret access key does not belong to the access key id",
    "ExpiredToken": "the credentials have expired",
    "TokenRefreshRequired": "the credentials have expired",
    "InvalidToken": "the session token is not valid",
    "AuthorizationHeaderMalformed": "the bucket is in another region",
    "PermanentRedirect": "the bucket is in another region or behind another address",
    "IllegalLocationConstraintException": "the bucket is in another region",
}
NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.NoAuthTokenError,
    boto.TokenRetrievalError,
    boto.SSOError,
)
NO_ANSWER = (boto.ConnectionError, boto.HTTPClientError)


@contextlib.contextmanager
def translated(where: str, doing: str) -> Iterator[None]:
    """Turn what boto3 raises inside the block into our own errors.

    Args:
        where: Name of the location.
        doing: What was tried, as in "could not *store 'a/b'*".

    Raises:
        ConfigError: Bucket, region, address or credentials are wrong.
        PreconditionError: The clocks differ.
        Unreachable: Nothing answered.
        StoreError: Everything else.
    """
    try:
        yield
    except (boto.ClientError, boto.BotoCoreError, ResponseParserError) as seen:
        raise ops_error(seen, where=where, doing=doing) from seen


def ops_error(seen: Exception, *, where: str, doing: str) -> OpsError:
    """Return the error of ours that says the same as one of boto3's."""
    tried = f"{where}: could not {doing}"
    if isinstance(seen, boto.ClientError):
        return _refused(seen, tried)
    kind = type(seen).__name__
    if isinstance(seen, NO_CREDENTIALS):
        return ConfigError(f"{tried}: no credentials were found ({kind}).", hint=BLOCK)
    if isinstance(seen, boto.SSLError):
        return Unreachable(f"{tried}: the TLS connection failed.", hint="Check its certificate, or verify_tls.")
    if isinstance(seen, NO_ANSWER):
        return Unreachable(f"{tried}: no answer ({kind}).", hint="Check endpoint_url, the network and the server.")
    if isinstance(seen, ResponseParserError):
        return StoreError(f"{tried}: the answer is not one of an S3 server.", hint="Check endpoint_url.")
    return ConfigError(f"{tried}: {seen}.", hint=BLOCK)


def code(seen: boto.ClientError) -> str:
    """Return the error code; the status as text where the answer had no body."""
    return str(seen.response.get("Error", {}).get("Code", ""))


def is_denied(seen: BaseException | None) -> bool:
    """Tell whether a right is missing, which somebody has to grant."""
    return isinstance(seen, boto.ClientError) and code(seen) in DENIED


def _refused(seen: boto.ClientError, tried: str) -> OpsError:
    error, meta = seen.response.get("Error", {}), seen.response.get("ResponseMetadata", {})
    what = code(seen)
    if what in WRONG:
        return ConfigError(f"{tried}: {WRONG[what]} ({what}).", hint=BLOCK)
    if what == "RequestTimeTooSkewed":
        clocks = f" Ours says {error.get('RequestTime', '?')}, the server's {error.get('ServerTime', '?')}."
        return PreconditionError(
            f"{tried}: the clock of this host is too far from the server's ({what}).{clocks}",
            hint="Set the clock, best by NTP, and run again.",
        )
    if what in DENIED:
        right = RIGHTS.get(seen.operation_name, seen.operation_name)
        return StoreError(f"{tried}: refused ({what}).", hint=f"Give these credentials the right {right}.")
    if what in MISSING:
        return StoreError(f"{tried}: there is no such object.")
    tries = int(meta.get("RetryAttempts", 0)) + 1
    said = f" It said: {str(error['Message'])[:200]}" if error.get("Message") else ""
    return StoreError(f"{tried}: {meta.get('HTTPStatusCode', '?')} {what} after {tries} tries.{said}")
