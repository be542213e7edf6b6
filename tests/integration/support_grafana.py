"""A double of Grafana on loopback: what its published HTTP API says of the signed-in user, and no more.

Source: grafana.com/docs/grafana/latest/developers/http_api/user (`GET /api/user`, `PUT /api/user/password`). What the
page does not say, the words of a 401 and that a blocked login has the same ones, is from real answers that are quoted
in github.com/grafana/grafana/issues/109138. No real Grafana could be had to hold it against.
"""

import base64
import contextlib
import socket
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

from tests.loopback import JsonHandler, served

MOST_TRIES = 5
"""Wrong tries in five minutes that block a login, the right password too."""
SHORTEST = 4
WRONG = {
    "extra": None,
    "message": "Invalid username or password",
    "messageId": "password-auth.failed",
    "statusCode": 401,
    "traceID": "",
}


class GrafanaDouble:
    """What the double holds, and how it shall answer.

    Attributes:
        password: The administrator's.
        tries: Wrong tries of the last five minutes; `window_over` forgets them.
        changes: How often the password was changed.
        anybody: Let any password in.
        faults: (method, status): the next request of that method is answered so, and does nothing. Status 0 does what
            was asked and says nothing.
        violations: What the API's description does not know; a test ends with none.
    """

    def __init__(self, password: str) -> None:
        self.port = 0
        self.password = password
        self.tries = 0
        self.changes = 0
        self.anybody = False
        self.faults: list[tuple[str, int]] = []
        self.violations: list[str] = []

    def window_over(self) -> None:
        """Let five minutes pass."""
        self.tries = 0

    def takes(self, password: str) -> bool:
        """Whether this is the password, without a try."""
        return self.password == password

    def answer(self, method: str, path: str, login: str, body: Any) -> tuple[int, dict[str, Any]]:
        """Answer one request; *login* is what its header of basic authentication holds."""
        user, _, password = login.partition(":")
        if not login:
            return 401, {"message": "Unauthorized"}
        if user != "admin" or self.tries >= MOST_TRIES:
            return 401, WRONG
        if password != self.password and not self.anybody:
            self.tries += 1
            return 401, WRONG
        if (method, path) == ("GET", "/api/user"):
            return 200, {"id": 1, "login": "admin", "orgId": 1, "isGrafanaAdmin": True}
        if (method, path) == ("PUT", "/api/user/password"):
            return self._change(body)
        self.violations.append(f"no operation {method} {path}")
        return 404, {"message": "Not found"}

    def _change(self, body: Any) -> tuple[int, dict[str, Any]]:
        if set(body) != {"oldPassword", "newPassword"}:
            self.violations.append(f"the body has {sorted(body)}")
        if body["oldPassword"] != self.password:
            return 401, {"message": "Invalid old password"}
        if len(body["newPassword"]) < SHORTEST:
            return 400, {"message": "New password is too short"}
        self.password = body["newPassword"]
        self.changes += 1
        return 200, {"message": "User password changed"}


class Handler(JsonHandler):
    """Speaks HTTP for a double, which its subclass holds."""

    double: GrafanaDouble

    def do_GET(self) -> None:
        self._answer(None)

    def do_PUT(self) -> None:
        self._answer(self.body())

    def _answer(self, body: Any) -> None:
        fault = next((one for one in self.double.faults if one[0] == self.command), None)
        if fault:
            self.double.faults.remove(fault)
        scheme, _, word = self.headers.get("Authorization", "").partition(" ")
        login = base64.b64decode(word).decode() if scheme == "Basic" else ""
        if fault and fault[1]:
            status, said = fault[1], {"message": "as the test wants it"}
        else:
            status, said = self.double.answer(self.command, self.path, login, body)
        if fault and not fault[1]:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.say(status, said)


@contextlib.contextmanager
def grafana_double(password: str) -> Iterator[GrafanaDouble]:
    """Run one while the block lasts."""
    double = GrafanaDouble(password)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"double": double}))
    with served(server) as double.port:
        yield double
