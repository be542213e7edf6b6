"""New releases for tests: the stack's own images with a visible release id, a slow route, and at most one fault.

Made by `docker build` from the image that the stack was built with, so without a network and in less than a second:

    images = Images(stack.values["BACKEND_IMAGE"], stack.values["FRONTEND_IMAGE"], prefix=stack.name)
    images.backend("r-2")                       # good
    images.backend("r-3", Fault.DIES)           # healthy, and dead three seconds later
    images.backend("r-4", migration=Migration("expands", version=9001))

The slow route is `/api/slow?ms=1500&id=…` (says `{"slow": id}` in its log once per execution); `/api/ticks` never ends.
"""

import json
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.integration.stack.support_docker import DOCKER, attempt, docker
from tests.waiting import wait_until

HERE = Path(__file__).parent / "faults"
WRONG_PORT = 4999
FORGET = "DELETE FROM schema_migrations WHERE version > 9000"
"""For `RunningStack.sql`: what the migrations of these images made known; their tables hurt nobody."""


class Fault(StrEnum):
    """What is wrong with a release; the frontend has the first four."""

    NONE = ""
    EXITS = "exits"
    """Exit code 1 before it listens."""
    UNHEALTHY = "unhealthy"
    """Runs, listens, and is never healthy."""
    NO_HEALTHCHECK = "no-healthcheck"
    CRASH_LOOPS = "crash-loops"
    """Listens, and ends with exit code 1 after half a second."""
    DIES = "dies"
    """Exit code 1, *seconds* after it was first healthy."""
    SLOW_BOOT = "slow-boot"
    """Good, after *seconds*."""
    READY_301 = "ready-301"
    """Healthy; /ready leads to /entrar."""
    READY_404 = "ready-404"
    WRONG_PORT = "wrong-port"
    """Healthy by its own check; nobody listens on the port that it should."""
    OOM = "oom"
    """Takes memory until it is killed; ends with 99 where nothing limits it."""
    ONE_UNHEALTHY = "one-unhealthy"
    """Exactly one replica of the release is never healthy: whichever takes a lock in the database."""
    DEAF = "deaf"
    """SIGTERM does nothing: a stop takes all of its grace."""
    ABRUPT = "abrupt"
    """SIGTERM ends it at once, in the middle of requests."""
    FAILS_CUSTOMERS = "fails-customers"
    """Passes every proof; the list of products answers 500 to whoever comes through the gateway."""
    SLOW_FOR_CUSTOMERS = "slow-for-customers"
    """The same, and it answers well after *seconds*."""
    ONE_KEY = "one-key"
    """Knows one key of session tokens, as many an application does."""


@dataclass(frozen=True)
class Migration:
    """One more migration in the backend's image.

    Attributes:
        kind: `expands`, `contracts`, `breaks` (division by zero), or `blocks` (waits for everybody who uses *table*).
        version: Above 9000, and above those that the same database had before.
    """

    kind: str
    version: int = 9001
    table: str = "products"

    @property
    def file(self) -> str:
        """Its name."""
        return f"{self.version}_{self.kind}.sql"

    @property
    def text(self) -> str:
        """What it does."""
        makes = f"CREATE TABLE IF NOT EXISTS variant_{self.version} (id integer);"
        body = {
            "expands": makes,
            "contracts": makes,
            "breaks": f"{makes} SELECT 1 / 0;",
            "blocks": f"ALTER TABLE {self.table} ADD COLUMN variant_{self.version} integer;",
        }
        return f"-- pawpaw: {'contract' if self.kind == 'contracts' else 'expand'}\n{body[self.kind]}\n"


@dataclass
class Images:
    """Makes variants under a prefix of its own, and removes them."""

    backend_base: str
    frontend_base: str = ""
    prefix: str = field(default_factory=lambda: f"ppt-{secrets.token_hex(4)}")
    made: list[str] = field(default_factory=list)

    def backend(
        self,
        release: str,
        fault: Fault = Fault.NONE,
        *,
        seconds: float = 3.0,
        migration: Migration | None = None,
        weight_mb: int = 0,
    ) -> str:
        """Build a backend, of which *weight_mb* are no other release's, and return its tag."""
        files = {"preload.cjs": (HERE / "preload.cjs").read_text()}
        lines = ["COPY preload.cjs /app/"]
        if weight_mb:
            files["weight"] = secrets.token_hex(weight_mb * 500_000)
            lines.append("COPY weight /app/")
        if migration is not None:
            files[migration.file] = migration.text
            lines.append(f"COPY {migration.file} /app/migrations/")
        own = "" if fault is Fault.NO_HEALTHCHECK else fault
        lines += [
            f"ENV RELEASE_ID={release} FAULT={own} FAULT_S={seconds:g}",
            self._check(self.backend_base, fault, seconds),
            'CMD ["node", "--require", "/app/preload.cjs", "dist/server.js"]',
        ]
        return self._build(self.backend_base, f"{self.prefix}-backend:{release}", release, lines, files)

    def frontend(self, release: str, fault: Fault = Fault.NONE) -> str:
        """Build a frontend, which has `/release.txt` and a chunk that no other release has; returns its tag."""
        files = {"release.txt": f"{release}\n", self.chunk(release): f"// {release}\n"}
        lines = ["COPY release.txt /srv/shop/", f"COPY {self.chunk(release)} /srv/shop/assets/"]
        lines += [f"ENV RELEASE_ID={release}", self._check(self.frontend_base, fault, 0.0)]
        if fault is Fault.EXITS:
            lines.append('CMD ["-c", "/etc/nginx/not-there.conf"]')
        return self._build(self.frontend_base, f"{self.prefix}-frontend:{release}", release, lines, files)

    @staticmethod
    def chunk(release: str) -> str:
        """Return the name of the release's own file under /assets/."""
        return f"release-{release}.js"

    @staticmethod
    def _check(base: str, fault: Fault, seconds: float) -> str:
        """Return the base's own health check, asked more often; faults show in it where they should."""
        if fault is Fault.NO_HEALTHCHECK:
            return "HEALTHCHECK NONE"
        words = json.loads(docker("image", "inspect", "--format", "{{json .Config.Healthcheck.Test}}", base))[1:]
        if fault is Fault.WRONG_PORT:
            words = ["/usr/bin/env", f"PORT={WRONG_PORT}", *words]
        if fault is Fault.UNHEALTHY:
            words = ["/bin/bash", "-c", "echo the shop is unwell; exit 1"]
        grace_s = {Fault.UNHEALTHY: 2.0, Fault.ONE_UNHEALTHY: 5.0}.get(fault, 20.0 + seconds)
        return f"HEALTHCHECK --interval=2s --timeout=4s --start-period={grace_s:g}s --retries=3 CMD {json.dumps(words)}"

    def _build(self, base: str, tag: str, release: str, lines: list[str], files: dict[str, str]) -> str:
        context = Path(tempfile.mkdtemp(prefix="pawpaw-variant-"))
        try:
            for name, text in files.items():
                (context / name).write_text(text)
                (context / name).chmod(0o644)
            # The title makes it an image of its own where another stack has the same base and release.
            label = f"LABEL org.opencontainers.image.version={release} org.opencontainers.image.title={self.prefix}"
            (context / "Dockerfile").write_text("\n".join([f"FROM {base}", label, *lines, ""]))
            docker("build", "--quiet", "--tag", tag, str(context))
        finally:
            shutil.rmtree(context)
        self.made.append(tag)
        return tag

    def remove(self) -> None:
        """Remove the tags that were made here."""
        if self.made:
            attempt("rmi", *self.made)
        self.made.clear()


@contextmanager
def table_in_use(container: str, database: str, table: str = "products") -> Iterator[None]:
    """Hold a table as a long report does: whoever wants to change its columns waits, and everybody behind it."""
    name = f"report-{secrets.token_hex(4)}"
    psql = (container, "psql", "-qXAt", "-U", "postgres", "-d", database, "-c")
    report = f"BEGIN; LOCK TABLE {table} IN ACCESS SHARE MODE; SELECT pg_sleep(600)"
    its = f"FROM pg_stat_activity WHERE application_name = '{name}'"
    asleep = f"SELECT count(*) {its} AND wait_event = 'PgSleep'"
    words = (DOCKER, "exec", "--env", f"PGAPPNAME={name}", *psql, report)
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        try:
            wait_until(lambda: docker("exec", *psql, asleep).strip() == "1", f"a report holds {table}")
            yield
        finally:
            docker("exec", *psql, f"SELECT pg_terminate_backend(pid) {its}")
