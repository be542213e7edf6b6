"""A way to a server that can be cut: what is open breaks off, and whoever comes is sent away.

It may lead to the engine's socket: what was asked of the engine then breaks off as when it is restarted with
live-restore, or when the host it is on is lost.
"""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.loopback import served


class Gate:
    """The way, open at first.

    Attributes:
        url: The server's address through it.
        refused: How many came while it was cut.
    """

    def __init__(self, url: str, port: int) -> None:
        parts = urlsplit(url)
        self.socket = parts.path if parts.scheme == "unix" else ""
        here = f"127.0.0.1:{port}"
        self.url = f"tcp://{here}" if self.socket else parts._replace(netloc=here).geturl()
        self.server = (parts.hostname or "", parts.port or 80)
        self.refused = 0
        self._cut = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def cut(self) -> None:
        """Let nobody through any more."""
        with self._lock:
            self._cut.set()
            for one in self._open:
                _end(one)

    def mend(self) -> None:
        """Let everybody through again."""
        self._cut.clear()

    def pass_on(self, here: socket.socket) -> None:
        """Serve one connection until either side or the way ends."""
        with self._connected() as there:
            with self._lock:
                if self._cut.is_set():
                    self.refused += 1
                    return
                self._open |= {here, there}
            back = threading.Thread(target=_copy, args=(there, here))
            back.start()
            _copy(here, there)
            back.join()
            with self._lock:
                self._open -= {here, there}

    def _connected(self) -> socket.socket:
        if not self.socket:
            return socket.create_connection(self.server)
        made = socket.socket(socket.AF_UNIX)
        made.connect(self.socket)
        return made


@contextlib.contextmanager
def gate(url: str) -> Iterator[Gate]:
    """Open a way to the server at *url* while the block lasts."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            made.pass_on(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with served(Server(("127.0.0.1", 0), Handler)) as port:
        made = Gate(url, port)
        try:
            yield made
        finally:
            made.cut()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    _end(target, socket.SHUT_WR)  # who has said everything may still listen


def _end(one: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(how)
