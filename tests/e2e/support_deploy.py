"""A running stack whose releases can be deployed: its blocks, its builds, its customers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pyrage import x25519

from blocks import BackupIdentity, BackupStore, ComposeProject, PostgresDatabase, Stack
from flows.deploy import deploy
from flows.rollback import rollback
from pawpaw_ops.clients import releases
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.gateway import ask, live_files
from pawpaw_ops.clients.images import find_image
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.release import Build, BuildVerdict, BuiltImage, Release
from pawpaw_ops.plans.upstreams import parse_marker, parse_members
from pawpaw_ops.session.journal import dead
from tests.e2e.fault_images import Fault, Images, Migration
from tests.e2e.load import PLENTY, Load
from tests.e2e.support_shop import RunningStack
from tests.integration.support_child import Child
from tests.integration.support_limits import make_limit

VARIABLES = {"backend": "BACKEND_IMAGE", "frontend": "FRONTEND_IMAGE"}
QUICK = {"deadline_s": 40.0, "stable_s": 0.5, "soak_s": 0.5, "p95_factor": 1000.0, "keep_warm_s": 0.0}
"""No patience, and no judgement of how fast this machine is today."""

RATE = 60.0
"""Requests per second: enough that a gap shows, and so few that a machine of two cores does more than answer them."""


@dataclass
class Shop:
    """The stack as its operators see it.

    Attributes:
        name: Of its blocks.
        state_dir: Its folder.
        images: Makes releases.
    """

    stack: RunningStack
    name: str
    state_dir: Path
    images: Images
    built: int = 0

    def offer(
        self, *, fault: Fault = Fault.NONE, migration: Migration | None = None, only: str = "", **more: Any
    ) -> str:
        """Build a release, put its build and the verdict of its tests on record, and return its version."""
        self.built += 1
        version = f"v{self.built}"
        tags = {}
        if only != "frontend":
            tags["backend"] = self.images.backend(version, fault, migration=migration, **more)
        if only != "backend":
            tags["frontend"] = self.images.frontend(version)
        self.record(version, tags)
        return version

    def record(self, version: str, tags: dict[str, str], *, verdict: Verdict = Verdict.VERIFIED) -> None:
        """Put a build of these images on record."""
        images = tuple(
            BuiltImage(service=service, variable=VARIABLES[service], tag=tag, id=self.image_id(tag))
            for service, tag in tags.items()
        )
        build = Build(version=version, git_sha="0" * 40, dirty=False, built_at=utc_now(), images=images)
        releases.save_build(self.state_dir, build)
        ids = {one.service: one.id for one in images}
        suites = {"all": "as the test wants it"}
        said = BuildVerdict(version=version, ids=ids, verdict=verdict, tested_at=utc_now(), suites=suites)
        releases.save_tested(self.state_dir, said)

    def image_id(self, tag: str) -> str:
        """Return the engine's id of an image."""
        found = find_image(self.stack.project.engine, tag)
        assert found is not None, tag
        return found.id

    def deploy(self, version: str, **more: Any) -> str:
        """Deploy, without the patience that production has."""
        release: str = deploy(stack=self.name, version=version, **(QUICK | more))  # type: ignore[assignment]
        return release

    def back(self, **more: Any) -> str:
        """Roll back, and end what served."""
        release: str = rollback(stack=self.name, **({"keep_warm_s": 0.0} | more))  # type: ignore[assignment]
        return release

    @contextmanager
    def customers(self, **settings: Any) -> Iterator[Load]:
        """Customers who never try again, for as long as the block lasts."""
        self.stack.sql(PLENTY)
        url = f"https://localhost:{self.stack.values['HTTPS_PORT']}"
        with Load(url, **({"rate_per_s": RATE} | settings)) as load:
            load.wait_for_more(100)
            yield load
            load.wait_for_more(100)

    @property
    def ledger(self) -> tuple[Release, ...]:
        """The releases on record."""
        return releases.releases(self.state_dir)

    def replicas(self, service: str = "backend") -> dict[str, str]:
        """Return id -> image id of a service's containers."""
        return {one["Id"]: one["Image"] for one in self.stack.containers(service)}

    def everything(self) -> dict[str, Any]:
        """Return all that a deploy may change; after one that failed it must be as before."""
        return {
            "backend": self.replicas("backend"),
            "frontend": self.replicas("frontend"),
            "files": live_files(self.stack.project),
            "env": self.stack.project.env_file.read_text(),
            "ledger": self.ledger,
        }

    def serves(self, version: str) -> bool:
        """Whether gateway, containers, `.env`, ledger and the shop itself all say that this version serves."""
        release = self.ledger[-1]
        env = read_env(self.stack.project.env_file)
        said = self.stack.shop().http.get("/api/version").json()["release"]
        return (
            release.version == version
            and parse_marker(ask(self.stack.project, "/release")).release == release.id
            and env["BACKEND_IMAGE"] == release.images["BACKEND_IMAGE"]
            and set(self.replicas().values()) == {self.image_id(release.images["BACKEND_IMAGE"])}
            and {one.container_id for one in parse_members(live_files(self.stack.project)["backend.conf"])}
            == set(self.replicas())
            and said == version
        )

    def left_over(self) -> list[str]:
        """Return what no deploy may leave behind."""
        found = [f"journal {path.name}" for path, _ in dead(self.state_dir)]
        for one in self.stack.containers():
            labels = one["Config"]["Labels"]
            if labels.get("com.docker.compose.oneoff") == "True":
                found.append(f"one-off container {one['Name']}")
            elif not one["State"]["Running"] and labels["com.docker.compose.service"] not in {"roles", "migrate"}:
                found.append(f"dead container {one['Name']}")
        return found


def start(shop: Shop, version: str, log: Path, **more: Any) -> Child:
    """Start a deploy in a process of its own, which may be killed, cancelled or stopped at an entry of its journal."""
    parameters: dict[str, Any] = {"stack": shop.name, "version": version, **QUICK, **more}
    return Child("deploy", str(log), **parameters)


def prepare(stack: RunningStack, folder: Path) -> Shop:
    """Save the blocks of a running stack, and make its first release one that customers of the tests know."""
    login = {"name": stack.values["DB_NAME"], "user": "postgres"}
    password = SecretStr(stack.values["POSTGRES_BOOTSTRAP_PASSWORD"])
    database = PostgresDatabase(container=stack.values["DB_CONTAINER"], password=password, **login)
    identity = x25519.Identity.generate()
    (folder / "store").mkdir()
    store = BackupStore(folder=folder / "store", recipients=[str(identity.to_public())])
    project = ComposeProject(folder=stack.project.file.parent, env_file=stack.project.env_file)
    name = f"{stack.name}-deploy"
    for block in (database, store, project):
        block.save(name, overwrite=True)
    BackupIdentity(identities=[str(identity)]).save(name, overwrite=True)
    key = folder / "keys" / "rotation.key"
    key.parent.mkdir()
    key.touch(mode=0o600)
    key.write_text(f"{x25519.Identity.generate()}\n")
    made = Stack(state_dir=folder / "state", database=database, store=store, project=project, rotation_key=key)
    made.save(name, overwrite=True)
    make_limit(name)
    images = Images(stack.values["BACKEND_IMAGE"], stack.values["FRONTEND_IMAGE"], prefix=stack.name, made=stack.images)
    return Shop(stack=stack, name=name, state_dir=folder / "state", images=images)
