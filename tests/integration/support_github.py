"""A double of GitHub's API on loopback. It holds every request against GitHub's own OpenAPI description.

`github_openapi.json` has the request bodies of the operations that are used; it says where they come from.
"""

import base64
import contextlib
import hashlib
import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from nacl.public import PrivateKey, SealedBox

from tests.loopback import JsonHandler, served

DESCRIPTION = json.loads((Path(__file__).parent / "github_openapi.json").read_text())
TOKEN = "made-up-token"


class GitHubDouble:
    """What the double was told, and how it shall answer.

    Attributes:
        statuses: Id of a deployment -> its statuses, oldest first.
        pulls: Bodies of the pull requests.
        created: Bodies of the deployments.
        violations: What did not fit the description; a test ends with none.
        broken: Answer this status instead, for so many requests.
        faults: (method, status, headers): the next request of that method is answered so, and does nothing. Status 0
            does what was asked and says nothing; -1 lets it through.
        secrets: Scope -> name -> value as it was decrypted here, and when it was written. The scope is `actions` or
            the name of an environment.
        keys: Scope -> its key pair; `new_key` changes it.
    """

    def __init__(self) -> None:
        self.url = ""
        self.created: list[dict[str, Any]] = []
        self.statuses: dict[int, list[dict[str, Any]]] = {}
        self.pulls: list[dict[str, Any]] = []
        self.violations: list[str] = []
        self.broken: list[int] = []
        self.requests = 0
        self.faults: list[tuple[str, int, dict[str, str]]] = []
        self.secrets: dict[str, dict[str, tuple[str, datetime]]] = {}
        self.keys: dict[str, PrivateKey] = {}
        self.puts: list[str] = []

    def new_key(self, scope: str) -> None:
        """Make another key pair for a scope."""
        self.keys[scope] = PrivateKey.generate()

    def ask_secrets(self, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, dict[str, Any]]:
        """Answer a GET or PUT about secrets."""
        self.requests += 1
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}
        for template, operations in DESCRIPTION["paths"].items():
            pattern = re.sub(r"\{\w+\}", r"([^/]+)", template)
            match = re.fullmatch(pattern, path.partition("?")[0])
            if (
                match
                and method.lower() in operations
                and not (template.endswith("}") and match[0].endswith("public-key"))
            ):
                return self._secret(operations[method.lower()], match.groups(), body)
        self.violations.append(f"no operation {method} {path}")
        return 404, {"message": "Not Found"}

    def _secret(self, operation: dict[str, Any], found: tuple[str, ...], body: Any) -> tuple[int, dict[str, Any]]:
        which = operation["operationId"]
        scope = found[2] if "environment" in which else "actions"
        held = self.secrets.setdefault(scope, {})
        key = self.keys.setdefault(scope, PrivateKey.generate())
        key_id = hashlib.sha256(bytes(key.public_key)).hexdigest()[:12]
        if "list" in which:
            rows = [self._row(name, at) for name, (_, at) in held.items()]
            return 200, {"total_count": len(rows), "secrets": rows}
        if "public-key" in which:
            return 200, {"key_id": key_id, "key": base64.b64encode(bytes(key.public_key)).decode()}
        name = found[-1]
        if which.startswith("actions/get"):
            return (200, self._row(name, held[name][1])) if name in held else (404, {"message": "Not Found"})
        schema = {**operation["requestBody"]["content"]["application/json"]["schema"], "additionalProperties": False}
        self.violations += [f"{which}: {error.message}" for error in Draft7Validator(schema).iter_errors(body)]
        if body["key_id"] != key_id:
            return 422, {"message": "key_id is not the current one"}
        value = SealedBox(key).decrypt(base64.b64decode(body["encrypted_value"])).decode()
        known = name in held
        held[name] = (value, self.now())
        self.puts.append(f"{scope}/{name}")
        return (204 if known else 201), {}

    @staticmethod
    def now() -> datetime:
        """Return the time as GitHub tells it: to the second."""
        return datetime.now(UTC).replace(microsecond=0)

    @staticmethod
    def _row(name: str, at: datetime) -> dict[str, Any]:
        said = at.isoformat().replace("+00:00", "Z")
        return {"name": name, "created_at": said, "updated_at": said}

    def values(self, scope: str = "actions") -> dict[str, str]:
        """Return what a scope holds."""
        return {name: value for name, (value, _) in self.secrets.get(scope, {}).items()}

    def answer(self, path: str, headers: dict[str, str], body: Any) -> tuple[int, dict[str, Any]]:
        """Answer one POST."""
        self.requests += 1
        if self.broken:
            return self.broken.pop(0), {"message": "as the test wants it"}
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}
        for template, operations in DESCRIPTION["paths"].items():
            pattern = re.sub(r"\{\w+\}", r"([^/]+)", template)
            if match := re.fullmatch(pattern, path):
                return self._fitting(operations["post"], match.groups(), body)
        self.violations.append(f"no operation at {path}")
        return 404, {"message": "Not Found"}

    def _fitting(self, operation: dict[str, Any], found: tuple[str, ...], body: Any) -> tuple[int, dict[str, Any]]:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        strict = {**schema, "additionalProperties": False}
        wrong = [f"{operation['operationId']}: {error.message}" for error in Draft7Validator(strict).iter_errors(body)]
        if len(body.get("description") or "") > 140:
            wrong.append(f"{operation['operationId']}: the description is too long")
        if wrong:
            self.violations += wrong
            return 422, {"message": "Validation Failed"}
        if operation["operationId"] == "repos/create-deployment":
            self.created.append(body)
            self.statuses[len(self.created)] = []
            return 201, {"id": len(self.created)}
        if operation["operationId"] == "pulls/create":
            self.pulls.append(body)
            return 201, {"number": len(self.pulls), "html_url": f"{self.url}/pull/{len(self.pulls)}"}
        self.statuses[int(found[2])].append(body)
        return 201, {"id": 1, "state": body["state"]}

    def states(self, deployment: int = 1) -> list[str]:
        """Return the states that a deployment went through."""
        return [one["state"] for one in self.statuses[deployment]]


class Handler(JsonHandler):
    """Speaks HTTP for a double, which its subclass holds."""

    double: GitHubDouble

    def do_POST(self) -> None:
        status, said = self.double.answer(self.path, dict(self.headers), self.body())
        self.say(status, said)

    def do_GET(self) -> None:
        self._about_secrets("GET", None)

    def do_PUT(self) -> None:
        self._about_secrets("PUT", self.body())

    def _about_secrets(self, method: str, body: Any) -> None:
        fault = next((one for one in self.double.faults if one[0] == method), ("", 200, {}))
        if fault in self.double.faults:
            self.double.faults.remove(fault)
        if fault[0] and fault[1] > 0:
            self.say(fault[1], {"message": "as the test wants it"}, fault[2])
            return
        status, said = self.double.ask_secrets(method, self.path, dict(self.headers), body)
        if fault[0] and not fault[1]:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.say(status, said)


@contextlib.contextmanager
def github_double() -> Iterator[GitHubDouble]:
    """Run one while the block lasts."""
    double = GitHubDouble()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"double": double}))
    double.url = f"http://127.0.0.1:{server.server_port}"
    with served(server):
        yield double
