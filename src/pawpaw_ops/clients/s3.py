"""A bucket of an S3-compatible server as a location.

Written for servers that know less than AWS: no checksum trailers, conditional writes only where they are understood,
the SHA-256 in the object's metadata. What a server stored is proven by reading it, which is the caller's part.
"""

import base64
import contextlib
import hashlib
import io
import logging
import secrets
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from pawpaw_ops.clients.locations import BACKUP_ID, CHUNK, check_key
from pawpaw_ops.clients.s3_client import connect
from pawpaw_ops.clients.s3_errors import MISSING, code, is_denied, translated
from pawpaw_ops.clients.s3_stream import S3Stream
from pawpaw_ops.errors import ConfigError, OpsError, StoreError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.store import S3Settings, StoredObject

log = logging.getLogger(__name__)
PART_BYTES = 8 << 20
MOST_PARTS = 10_000
THREADS = 3
TAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchUpload", "412", "409"}
NOT_UNDERSTOOD = {"NotImplemented", "InvalidArgument", "501"}
NO_REASON = {"400", "401", "403"}


class S3Location:
    """Objects in a bucket, below the prefix of its settings.

    Args:
        settings: Which bucket, where, as whom.
        tries: How often a request is sent before its failure counts; waits grow from 1 s to 20 s between them.
        connect_timeout_s: Longest wait for a connection.
        read_timeout_s: Longest silence of the server within an answer.
        stall_s: How long a download may be slower than 16 KiB/s before it is asked for anew.

    Raises:
        ConfigError: The settings make no address.
    """

    def __init__(
        self,
        settings: S3Settings,
        *,
        tries: int = 5,
        connect_timeout_s: float = 10.0,
        read_timeout_s: float = 60.0,
        stall_s: float = 30.0,
    ) -> None:
        self._bucket = settings.bucket
        self._root = f"{settings.prefix.strip('/')}/".lstrip("/")
        at = f" at {settings.endpoint_url}" if settings.endpoint_url else ""
        self.name = f"s3 {settings.bucket}/{self._root}{at}"
        self._tries, self._stall_s = tries, stall_s
        timeouts_s = (connect_timeout_s, read_timeout_s)
        self._client = connect(settings, where=self.name, tries=tries, timeouts_s=timeouts_s)
        weakref.finalize(self, self._client.close)

    def check(self) -> None:
        """Prove the credentials and the bucket by writing, reading, listing and removing a small object.

        Raises:
            ConfigError: Bucket, credentials, or a right is missing; the hint names it.
            PreconditionError: The clocks differ.
            Unreachable: Nothing answers.
            StoreError: It answers, but gives back other bytes.

        Touches:
            Aborts uploads of ours that were left unfinished more than a day ago.
        """
        probe, data = f".probe-{secrets.token_hex(4)}", secrets.token_bytes(32)
        try:
            self.put_bytes(probe, data)
            try:
                if self.get_bytes(probe) != data or [found.key for found in self.list(probe)] != [probe]:
                    raise StoreError(f"{self.name} does not give back what it was given.", hint="Use another store.")
            finally:
                self.delete(probe)
        except StoreError as seen:
            if is_denied(seen.__cause__):
                raise ConfigError(seen.message, hint=seen.hint) from seen
            raise
        try:
            self.abort_stale_uploads("")
        except OpsError as seen:
            log.warning("unfinished uploads stay: %s", seen)

    def put_file(self, key: str, source: Path, *, sha256: str) -> None:
        """Store a file under a key that is free, in parts when it is larger than 8 MiB.

        Raises:
            StoreError: Other bytes are there already, or the server refused or lost it.
        """
        try:
            size_bytes = source.stat().st_size
        except OSError as seen:
            raise StoreError(f"{self.name} could not store {key!r}: {seen.strerror} ({source.name}).") from seen
        if self._holds(key, sha256=sha256, size_bytes=size_bytes):
            return
        send = self._put_whole if size_bytes <= PART_BYTES else self._put_parts
        with translated(self.name, f"store {key!r}"):
            send(source, {"Bucket": self._bucket, "Key": self._key(key)}, sha256=sha256)
        if not self._holds(key, sha256=sha256, size_bytes=size_bytes):
            raise StoreError(f"{self.name} does not have {key!r} after it was stored.", hint="Use another store.")

    def put_bytes(self, key: str, data: bytes) -> None:
        """Store a small object, replacing what is there."""
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        with translated(self.name, f"store {key!r}"):
            self._client.put_object(Bucket=self._bucket, Key=self._key(key), Body=data, ChecksumSHA256=checksum)

    def get_bytes(self, key: str) -> bytes:
        """Return a small object."""
        try:
            with self.open(key) as stream:
                return stream.read()
        except StoreError as seen:
            if isinstance(seen.__cause__, ClientError) and code(seen.__cause__) in MISSING:
                raise FileNotFoundError(f"{self.name} has no object {key!r}.") from seen
            raise

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """Read an object as a stream, which goes on by itself after a broken connection."""
        where = {"Bucket": self._bucket, "Key": self._key(key)}

        def get(**more: str) -> Mapping[str, Any]:
            with translated(self.name, f"read {key!r}"):
                answer: Mapping[str, Any] = self._client.get_object(**where, **more)
                return answer

        raw = S3Stream(get, what=f"{self.name}, {key!r}", tries=self._tries, stall_s=self._stall_s)
        with io.BufferedReader(raw, CHUNK) as stream:
            yield stream

    def size_of(self, key: str) -> int | None:
        """Return an object's size in bytes, asked of itself; None where there is none."""
        found = self._head(key)
        return None if found is None else int(found["ContentLength"])

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Go through all objects whose key starts with *prefix*, page by page."""
        pages = self._client.get_paginator("list_objects_v2")
        with translated(self.name, f"list {prefix!r}"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._root + prefix):
                for found in page.get("Contents", ()):
                    yield StoredObject(
                        key=found["Key"].removeprefix(self._root),
                        size_bytes=found["Size"],
                        modified_at=found["LastModified"].astimezone(UTC),
                    )

    def delete(self, key: str) -> None:
        """Remove an object; an absent one is no error."""
        with translated(self.name, f"remove {key!r}"):
            try:
                self._client.delete_object(Bucket=self._bucket, Key=self._key(key))
            except ClientError as seen:
                if code(seen) not in MISSING:
                    raise

    def free_bytes(self) -> int | None:
        """Return None: a bucket has no end that anybody could ask for."""
        return None

    def link(self, key: str) -> str:
        """Return the object's address; it has no login in it."""
        return f"{self._client.meta.endpoint_url}/{self._bucket}/{quote(self._key(key))}"

    def abort_stale_uploads(self, prefix: str, *, older_than_h: float = 24.0) -> int:
        """Abort unfinished uploads below *prefix* whose key is one of a backup of ours.

        Returns:
            How many there were.
        """
        before, count = utc_now() - timedelta(hours=older_than_h), 0
        with translated(self.name, "list unfinished uploads"):
            for found in self._uploads(prefix):
                if BACKUP_ID.fullmatch(found["Key"].split("/")[-2:][0]) and _began(found) < before:
                    self._abort({"Bucket": self._bucket, "Key": found["Key"]}, found["UploadId"])
                    count += 1
        if count:
            log.warning("%s: aborted %d uploads left unfinished for more than %g h", self.name, count, older_than_h)
        return count

    def _key(self, key: str) -> str:
        check_key(key, where=self.name)
        return self._root + key

    def _holds(self, key: str, *, sha256: str, size_bytes: int) -> bool:
        """Tell whether these bytes are there; False where nothing is, StoreError where others are."""
        found = self._head(key)
        if found is None:
            return False
        digest = {name.lower(): value for name, value in found.get("Metadata", {}).items()}.get("sha256")
        if found["ContentLength"] == size_bytes and digest is None:
            digest = self._read_sha256(key)
        if (found["ContentLength"], digest) == (size_bytes, sha256):
            return True
        raise StoreError(
            f"{self.name} has other bytes under {key!r}: {found['ContentLength']} bytes with SHA-256 {digest or '?'}, "
            f"wanted {size_bytes} with {sha256}; nothing is overwritten."
        )

    def _read_sha256(self, key: str) -> str:
        digest = hashlib.sha256()
        with self.open(key) as stream:
            while data := stream.read(CHUNK):
                digest.update(data)
        return digest.hexdigest()

    def _head(self, key: str) -> Mapping[str, Any] | None:
        where = {"Bucket": self._bucket, "Key": self._key(key)}
        with translated(self.name, f"look at {key!r}"):
            try:
                found: Mapping[str, Any] = self._client.head_object(**where)
            except ClientError as seen:
                if code(seen) in MISSING:
                    return None
                if code(seen) in NO_REASON:  # the answer to HEAD has no body to tell why
                    self._client.get_object(**where)["Body"].close()
                raise
            return found

    def _put_whole(self, source: Path, where: dict[str, str], *, sha256: str) -> None:
        data = source.read_bytes()
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        meta = {"sha256": sha256}
        self._where_free(self._client.put_object, **where, Body=data, Metadata=meta, ChecksumSHA256=checksum)

    def _put_parts(self, source: Path, where: dict[str, str], *, sha256: str) -> None:
        size_bytes = source.stat().st_size
        step = max(PART_BYTES, -(-size_bytes // MOST_PARTS))
        upload = self._client.create_multipart_upload(**where, Metadata={"sha256": sha256})["UploadId"]

        def put(number: int) -> dict[str, Any]:
            with source.open("rb") as stream:
                stream.seek((number - 1) * step)
                data = stream.read(step)
            md5 = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
            part = {"UploadId": upload, "PartNumber": number, "Body": data, "ContentMD5": md5}
            return {"PartNumber": number, "ETag": self._client.upload_part(**where, **part)["ETag"]}

        done = False
        try:
            with ThreadPoolExecutor(THREADS) as pool:
                parts = {"Parts": list(pool.map(put, range(1, -(-size_bytes // step) + 1)))}
            done = self._where_free(
                self._client.complete_multipart_upload, **where, UploadId=upload, MultipartUpload=parts
            )
        finally:
            if not done:
                self._abort(where, upload)

    def _uploads(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("list_multipart_uploads")
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._root + prefix):
                yield from page.get("Uploads", ())
        except ClientError as seen:
            # So says rclone of a bucket that never had one.
            if code(seen) != "NoSuchUpload":
                raise

    def _where_free(self, call: Callable[..., Any], **arguments: Any) -> bool:
        """Call with If-None-Match, or without where that is not understood; False when something is there already."""
        try:
            try:
                call(**arguments, IfNoneMatch="*")
            except ClientError as seen:
                if code(seen) not in NOT_UNDERSTOOD:
                    raise
                call(**arguments)
        except ClientError as seen:
            if code(seen) not in TAKEN:
                raise
            return False
        return True

    def _abort(self, where: dict[str, str], upload: str) -> None:
        try:
            self._client.abort_multipart_upload(**where, UploadId=upload)
        except (ClientError, BotoCoreError) as seen:
            if isinstance(seen, ClientError) and code(seen) == "NoSuchUpload":
                return
            log.warning("%s: could not abort the upload of %r: %s", self.name, where["Key"], seen)


def _began(upload: Mapping[str, Any]) -> datetime:
    began: datetime = upload["Initiated"]
    return began.astimezone(UTC)
