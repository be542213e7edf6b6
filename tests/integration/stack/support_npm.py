"""A registry of packages on loopback for the real npm: what it publishes, and what is known against it.

The paths and answers are those that npm 11 asks for: a package's document, and the advisories (`advisories/bulk`).
"""

import contextlib
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.loopback import JsonHandler, served

BULK = "/-/npm/v1/security/advisories/bulk"


@dataclass
class Registry:
    """What it has.

    Attributes:
        packages: Name -> version -> when it was published, and what it depends on.
        advisories: Name -> what is known against it.
        refuses: Answer this status to questions for advisories instead; 0 answers them.
    """

    url: str = ""
    packages: dict[str, dict[str, tuple[datetime, dict[str, str]]]] = field(default_factory=dict)
    advisories: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refuses: int = 0
    asked: list[str] = field(default_factory=list)

    def publish(self, name: str, version: str, at: datetime, **depends: str) -> None:
        """Publish a version; it says that it has a script which would run at its installation."""
        self.packages.setdefault(name, {})[version] = (at, depends)

    def warn(self, name: str, versions: str, severity: str) -> str:
        """Publish an advisory; returns its id."""
        number = sum(map(len, self.advisories.values())) + 1
        identity = f"GHSA-aaaa-bbbb-{number:04}"
        self.advisories.setdefault(name, []).append(
            {
                "id": number,
                "url": f"https://github.com/advisories/{identity}",
                "title": f"{name} does harm",
                "severity": severity,
                "vulnerable_versions": versions,
                "cwe": [],
                "cvss": {"score": 0},
            }
        )
        return identity

    def document(self, name: str) -> dict[str, Any]:
        """Return a package's document."""
        found = self.packages[name]
        return {
            "name": name,
            "dist-tags": {"latest": max(found, key=lambda version: found[version][0])},
            "time": {version: f"{at:%Y-%m-%dT%H:%M:%S.000Z}" for version, (at, _) in found.items()},
            "versions": {
                version: {
                    "name": name, "version": version, "dependencies": depends, "hasInstallScript": True,
                    "scripts": {"install": "exit 1"},
                    "dist": {"tarball": f"{self.url}/{name}/-/{name}-{version}.tgz", "shasum": "0" * 40},
                }
                for version, (_, depends) in found.items()
            },
        }  # fmt: skip

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        """Answer one request."""
        self.asked.append(path)
        if path == BULK:
            if self.refuses:
                return self.refuses, {}
            wanted = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
            return 200, {name: self.advisories[name] for name in wanted if name in self.advisories}
        name = unquote(path.strip("/"))
        return (200, self.document(name)) if name in self.packages else (404, {"error": "not found"})


@contextlib.contextmanager
def npm_registry() -> Iterator[Registry]:
    """Run one while the block lasts."""
    registry = Registry()

    class Handler(JsonHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            self.say(*registry.answer(self.path, body))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_port}"
    with served(server):
        yield registry


def write_part(folder: Path, registry: Registry, canary: Path, **wanted: str) -> None:
    """Write a part of the shop with the oldest versions of packages in its lock, and scripts that must not run.

    Args:
        folder: Of the part.
        registry: Where its packages come from.
        canary: File that a script would make.
        wanted: Package, with `_` for `-` -> the range that package.json allows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = {name.replace("_", "-"): allowed for name, allowed in wanted.items()}
    scripts = dict.fromkeys(("preinstall", "install", "postinstall", "prepare"), f"touch {canary}")
    package = {"name": folder.name, "version": "1.0.0", "dependencies": names, "scripts": scripts}
    (folder / "package.json").write_text(json.dumps(package))
    (folder / ".npmrc").write_text(f"registry={registry.url}\naudit=true\ncache={canary.parent / 'npm-cache'}\n")
    locked: dict[str, Any] = {"": {key: package[key] for key in ("name", "version", "dependencies")}}
    for name in names:
        version = min(registry.packages[name], key=lambda one: registry.packages[name][one][0])
        locked[f"node_modules/{name}"] = {"version": version, "integrity": "sha512-AA==", "hasInstallScript": True}
    lock = {"name": folder.name, "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": locked}
    (folder / "package-lock.json").write_text(json.dumps(lock, indent=2))
