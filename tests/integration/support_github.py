"""A double of GitHub's API on loopback. It holds every request against GitHub's own OpenAPI description.

`github_openapi.json` has the request bodies of the operations that are used; it says where they come from.
"""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator  # type: ignore[import-untyped]

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
    """

    def __init__(self) -> None:
        self.url = ""
        self.created: list[dict[str, Any]] = []
        self.statuses: dict[int, list[dict[str, Any]]] = {}
        self.pulls: list[dict[str, Any]] = []
        self.violations: list[str] = []
        self.broken: list[int] = []
        self.requests = 0

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


@contextlib.contextmanager
def github_double() -> Iterator[GitHubDouble]:
    """Run one while the block lasts."""
    double = GitHubDouble()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = double.answer(self.path, dict(self.headers), body)
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the overridden method
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
