"""age: its keys as text, and as a stream whose bytes pass through pyrage in constant memory, by a pipe and a thread."""

import contextlib
import fcntl
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO, Self

import pyrage
from pydantic import SecretStr
from pyrage import x25519

from pawpaw_ops.errors import ConfigError

CHUNK = 1 << 20
F_SETPIPE_SZ = 1031


def recipient(key: str) -> x25519.Recipient:
    """Parse an age public key.

    Raises:
        ConfigError: It is none.
    """
    try:
        return x25519.Recipient.from_str(key)
    except pyrage.RecipientError as seen:
        raise ConfigError(
            f"{key!r} is not an age public key.", hint="It begins with age1; `pawpaw new-key` makes one."
        ) from seen


def identity(key: SecretStr) -> x25519.Identity:
    """Parse an age secret key; the error does not show it.

    Raises:
        ConfigError: It is none.
    """
    try:
        return x25519.Identity.from_str(key.get_secret_value().strip())
    except pyrage.IdentityError:
        raise ConfigError(
            "a key in the BackupIdentity block is not an age secret key.", hint="It begins with AGE-SECRET-KEY-1."
        ) from None


class Hashing:
    """A writer that hashes what passes, and keeps the error that pyrage would turn into text."""

    def __init__(self, inner: BinaryIO) -> None:
        self.inner = inner
        self.digest = hashlib.sha256()
        self.failed: Exception | None = None

    def write(self, data: bytes) -> int:
        """Hash and write *data*."""
        self.digest.update(data)
        try:
            return self.inner.write(data)
        except Exception as seen:
            self.failed = seen
            raise

    def flush(self) -> None:
        """Flush the inner writer."""
        self.inner.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()


class Reading:
    """A reader that counts and hashes what passes, and keeps the error that pyrage might turn into text.

    Args:
        inner: Where the bytes come from.
        on_bytes: Called with the number of bytes read so far.
    """

    def __init__(self, inner: BinaryIO, on_bytes: Callable[[int], None] | None = None) -> None:
        self.inner, self.on_bytes = inner, on_bytes
        self.digest, self.count = hashlib.sha256(), 0
        self.failed: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        """Read up to *size* bytes, or a chunk where that is negative."""
        try:
            data = self.inner.read(CHUNK if size < 0 else size)
            self.digest.update(data)
            self.count += len(data)
            if self.on_bytes is not None:
                self.on_bytes(self.count)
        except Exception as seen:
            self.failed = seen
            raise
        return data

    def drain(self) -> None:
        """Read what is left."""
        while self.read(CHUNK):
            pass


class Tally:
    """What passed of one file: its bytes, its SHA-256, its lines."""

    def __init__(self) -> None:
        self.digest, self.size, self.lines, self.tail = hashlib.sha256(), 0, 0, b""

    def add(self, chunk: bytes) -> None:
        """Take the next part in."""
        self.digest.update(chunk)
        self.size += len(chunk)
        self.lines += chunk.count(b"\n")
        self.tail = (self.tail + chunk[-8:])[-8:]

    @property
    def rows(self) -> int:
        """Rows of a data file of pg_dump; -1 where it does not end with the COPY terminator and two empty lines."""
        return self.lines - 3 if self.tail.endswith(b"\\.\n\n\n") else -1


@contextlib.contextmanager
def encrypting(out: Hashing, keys: list[x25519.Recipient]) -> Iterator[BinaryIO]:
    """Yield a stream whose bytes reach *out* encrypted; an error of *out* is raised as it was."""
    with _pipe() as (reading, writing):
        work = _Worker(lambda: pyrage.encrypt_io(reading, out, keys), stream=out, closes=reading)
        try:
            yield writing
        except BrokenPipeError:
            work.join()
            work.reraise()
            raise
        finally:
            with contextlib.suppress(BrokenPipeError):
                writing.close()
            work.join()
        work.reraise()


@contextlib.contextmanager
def decrypting(source: Reading, keys: list[x25519.Identity]) -> Iterator[BinaryIO]:
    """Yield the plain bytes of *source*; what was wrong with them is raised before what followed from it.

    Raises:
        pyrage.DecryptError: The header is none, or no key fits (`nobody_fits`).
        OSError: Without `errno`: the payload is not what was encrypted, or not all of it.
        Exception: What *source* raised, as it was.
    """
    with _pipe() as (reading, writing):
        work = _Worker(lambda: pyrage.decrypt_io(source, writing, keys), stream=source, closes=writing)
        try:
            yield reading
        finally:
            reading.close()
            work.join()
            # A broken pipe of ours only says that the reader had enough.
            if source.failed is not None or not isinstance(work.error, BrokenPipeError):
                work.reraise()


def nobody_fits(seen: Exception) -> bool:
    """Whether pyrage said that no identity fits. It has no class for that, so it is asked for its words."""
    try:
        pyrage.decrypt(pyrage.encrypt(b"", [x25519.Identity.generate().to_public()]), [x25519.Identity.generate()])
    except pyrage.DecryptError as words:
        return isinstance(seen, pyrage.DecryptError) and str(seen) == str(words)
    raise AssertionError


class _Worker:
    """A thread that keeps the error it died of."""

    def __init__(self, work: Callable[[], object], *, stream: Hashing | Reading, closes: BinaryIO) -> None:
        self.error: BaseException | None = None
        self._work, self._stream, self._closes = work, stream, closes
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as seen:  # noqa: BLE001 - handed to the thread that waits
            self.error = self._stream.failed or seen
        finally:
            with contextlib.suppress(OSError):
                self._closes.close()

    def join(self) -> None:
        self._thread.join()

    def reraise(self) -> None:
        if self.error is not None:
            raise self.error


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    read_end, write_end = os.pipe()
    with contextlib.suppress(OSError):
        fcntl.fcntl(write_end, F_SETPIPE_SZ, CHUNK)
    with os.fdopen(read_end, "rb", CHUNK) as reading, os.fdopen(write_end, "wb", CHUNK) as writing:
        yield reading, writing
