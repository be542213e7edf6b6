"""A way to the real engine that remembers what it was asked for."""

import contextlib
import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from tests.loopback import served

SOCKET = "/var/run/docker.sock"
REQUEST = re.compile(rb"^(GET|HEAD|POST|PUT|DELETE) (\S+) HTTP/1\.1\r\n", re.MULTILINE)


@dataclass
class EngineProxy:
    """The way.

    Attributes:
        address: For `DOCKER_HOST`.
        asked: `METHOD /path?query`, in order, without the version.
    """

    address: str = ""
    asked: list[str] = field(default_factory=list)

    def changes(self) -> list[str]:
        """Return the requests that are more than a question."""
        return [one for one in self.asked if not one.startswith(("GET", "HEAD"))]


@contextlib.contextmanager
def engine_proxy() -> Iterator[EngineProxy]:
    """Open it while the block lasts."""
    proxy = EngineProxy()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as engine:
                engine.connect(SOCKET)
                back = threading.Thread(target=_pass_on, args=(engine, self.request, None))
                back.start()
                _pass_on(self.request, engine, proxy)
                back.join()

    with served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        proxy.address = f"tcp://127.0.0.1:{port}"
        yield proxy


def _pass_on(source: socket.socket, target: socket.socket, proxy: EngineProxy | None) -> None:
    """Pass bytes on until one side ends; a request begins a piece, as the clients here send them."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if proxy is not None:
                for method, path in REQUEST.findall(data):
                    words = re.sub(r"^/v[\d.]+", "", unquote(path.decode()))
                    proxy.asked.append(f"{method.decode()} {words}")
            target.sendall(data)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
