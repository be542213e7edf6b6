"""An object of an object store as a stream that goes on where a broken connection left off."""

import contextlib
import http.client
import io
import time
from collections.abc import Callable, Mapping
from typing import Any

from urllib3.exceptions import HTTPError

from pawpaw_ops.errors import StoreError

SLOWEST_BYTES_PER_S = 16 << 10
PROGRESS_BYTES = 1 << 20
BROKEN = (HTTPError, http.client.HTTPException, OSError)


class S3Stream(io.RawIOBase):
    """Reads one object to its very last byte, or raises.

    A connection that breaks, ends early, or gives less than 16 KiB/s over *stall_s* is replaced by one that asks for
    the rest. Only time spent waiting for the server counts, not the reader's own.

    Args:
        get: Asks for the object; takes `Range` and `IfMatch`, returns boto3's answer, raises our own errors.
        what: How people call the object.
        tries: Connections in a row that may give less than 1 MiB before it is an error.
        stall_s: Seconds of waiting after which the speed is looked at.

    Raises:
        StoreError: The body stays short or slow after all tries, or the object was changed meanwhile.
    """

    def __init__(self, get: Callable[..., Mapping[str, Any]], *, what: str, tries: int, stall_s: float) -> None:
        super().__init__()
        self._get, self._what, self._tries, self._stall_s = get, what, tries, stall_s
        self._at = self._progress_at = self._failures = 0
        answer = get()
        if answer.get("ContentLength") is None:
            raise StoreError(f"{what}: the server does not say how long it is.")
        self.size_bytes = int(answer["ContentLength"])
        self._etag = str(answer.get("ETag", ""))
        self._use(answer)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes; 0 only behind the last one."""
        view = memoryview(buffer).cast("B")
        while self._at < self.size_bytes and len(view):
            data = self._some(min(len(view), self.size_bytes - self._at))
            if data:
                view[: len(data)] = data
                self._at += len(data)
                return len(data)
            self._resume()
        return 0

    def close(self) -> None:
        """Give up the connection."""
        if not self.closed:
            self._drop()
        super().close()

    def _use(self, answer: Mapping[str, Any]) -> None:
        self._body = answer["Body"]
        self._raw = self._body.__enter__()
        self._waited_s, self._window_at, self._why = 0.0, self._at, "the body ended early"

    def _drop(self) -> None:
        with contextlib.suppress(*BROKEN):
            self._body.close()

    def _some(self, most: int) -> bytes:
        began = time.monotonic()
        try:
            data: bytes = self._raw.read1(most)
        except BROKEN as seen:
            self._why = f"the connection broke ({type(seen).__name__})"
            return b""
        self._waited_s += time.monotonic() - began
        if self._waited_s > self._stall_s:
            got = self._at + len(data) - self._window_at
            if got < SLOWEST_BYTES_PER_S * self._waited_s:
                self._why = f"only {got} bytes came in {self._waited_s:.0f} s"
                return b""
            self._waited_s, self._window_at = 0.0, self._at + len(data)
        return data

    def _resume(self) -> None:
        while True:
            self._drop()
            self._failures = 1 if self._at - self._progress_at >= PROGRESS_BYTES else self._failures + 1
            self._progress_at = self._at
            if self._failures >= self._tries:
                seen = f"{self._why} at byte {self._at} of {self.size_bytes}, {self._failures} times in a row"
                raise StoreError(f"{self._what}: {seen}.", hint="Check the network and the store, and run again.")
            time.sleep(min(5.0, 0.1 * 2**self._failures))
            answer = self._get(Range=f"bytes={self._at}-", **({"IfMatch": self._etag} if self._etag else {}))
            self._use(answer)
            if str(answer.get("ETag", "")) != self._etag:
                raise StoreError(f"{self._what}: it was changed while it was being read.")
            given = answer.get("ContentRange", "everything")
            if given == f"bytes {self._at}-{self.size_bytes - 1}/{self.size_bytes}":
                return
            self._why = f"the server gave {given!r}, which is not the rest,"
