"""One keep-alive connection of `tests/e2e/load.py`, which tells every way of failing apart.

Plain streams instead of an HTTP client: what such a client retries by itself, or reports as one error, is what is to be
counted here.
"""

import asyncio
import json
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.load import Kind


class Failed(Exception):
    """A request failed, and how."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def failed(kind: Kind, seen: BaseException) -> Failed:
    return Failed(kind, f"{type(seen).__name__}: {seen}")


@cache
def anybody() -> ssl.SSLContext:
    """Talk TLS with whoever is there: the bootstrap certificate is signed by nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass
class Connection:
    """One keep-alive connection; closed by either side it is opened again for the next request."""

    origin: str
    reconnects: int = 0
    used: bool = False
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """Send one request, once, and return status and body."""
        try:
            reader, writer = await self._open()
            try:
                return await self._exchange(reader, writer, self._request(method, path, body, headers))
            finally:
                self.used = self.streams is not None
        except BaseException:
            self.close()
            raise

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.streams is not None:
            reader, writer = self.streams
            if not (reader.at_eof() or reader.exception() or writer.is_closing()):
                return self.streams
            self.reconnects += 1
            self.close()
        url = urlsplit(self.origin)
        context = anybody() if url.scheme == "https" else None
        try:
            self.streams = await asyncio.open_connection(url.hostname, url.port, ssl=context)
        except OSError as seen:
            raise failed(Kind.CONNECT, seen) from seen
        return self.streams

    def _request(self, method: str, path: str, body: Any, headers: dict[str, str]) -> bytes:
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(self.origin).netloc}", "User-Agent: pawpaw-load"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        return "\r\n".join([*lines, "", ""]).encode() + content

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
    ) -> tuple[int, bytes]:
        nothing = Kind.IDLE if self.used else Kind.CONNECT
        try:
            writer.write(request)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except asyncio.IncompleteReadError as seen:
            raise failed(Kind.CUT if seen.partial else nothing, seen) from seen
        except OSError as seen:
            raise failed(nothing, seen) from seen
        except asyncio.LimitOverrunError as seen:
            raise failed(Kind.BODY, seen) from seen
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        try:
            status, body = int(head[0].split()[1]), await self._body(reader, headers)
        except (OSError, asyncio.IncompleteReadError) as seen:
            raise failed(Kind.CUT, seen) from seen
        except (ValueError, IndexError, asyncio.LimitOverrunError) as seen:
            raise failed(Kind.BODY, seen) from seen
        if headers.get("connection") == "close":
            self.reconnects += 1
            self.close()
        return status, body

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await reader.readexactly(int(headers.get("content-length", "0")))
        parts = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return b"".join(parts)

    def close(self) -> None:
        """Close it, whatever state it is in."""
        if self.streams is not None:
            self.streams[1].transport.abort()
        self.streams, self.used = None, False
