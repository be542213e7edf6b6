"""Servers of the tests' own on loopback."""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from types import MappingProxyType
from typing import Any

POLL_S = 0.05
NO_CONTENT = 204


@contextlib.contextmanager
def served(server: TCPServer) -> Iterator[int]:
    """Let a server answer while the block lasts; yields its port."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


class JsonHandler(BaseHTTPRequestHandler):
    """Speaks JSON over HTTP, and writes no log."""

    def body(self) -> Any:
        """Read what was sent."""
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def say(self, status: int, said: Any, more: Mapping[str, str] = MappingProxyType({})) -> None:
        """Answer with *more* headers; 204 has neither headers nor anything to say."""
        text = b"" if status == NO_CONTENT else json.dumps(said).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(text)), **more}
        self.send_response(status)
        for name, value in ({} if status == NO_CONTENT else headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the overridden method
        """Say nothing."""
