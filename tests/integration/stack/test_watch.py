"""`pawpaw watch` on the real engine: what differs is asked for once, what does not costs no run."""

import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.settings import get_current_settings

from blocks import BackupStore, ComposeProject, PostgresDatabase, Stack
from deployments.watch import VERB, Watch
from flows.reconcile_gateway import reconcile_gateway
from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.plans.upstreams import Member, Members, render
from tests.integration.stack.support_docker import LABEL, base_image, docker
from tests.unit.support_watch import at_work
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("docker_engine", "prefect_api")
COMPOSE = """
name: ${STACK_NAME:?is required}
x-service: &service
  image: ${IMAGE:?is required}
  entrypoint: [sleep, infinity]
  init: true
services:
  backend: *service
  frontend: *service
"""


OTHER = 9
"""The number of a container that Compose has not made."""


@dataclass
class Tiny:
    """Two containers that do nothing, the gateway's files about them, and a deployment that nobody runs."""

    folder: Path
    image: str
    name: str = field(default_factory=lambda: f"watch{secrets.token_hex(4)}")
    others: int = 0

    def up(self) -> None:
        for made in (self.folder / "upstreams", self.folder / "store"):
            made.mkdir()
        (self.folder / "docker-compose.prod.yml").write_text(COMPOSE)
        env = {"STACK_NAME": self.name, "IMAGE": self.image, "UPSTREAMS_DIR": "upstreams"}
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
        self.compose("up", "--detach")
        Stack(
            state_dir=self.folder / "state",
            database=PostgresDatabase(name="shop", host="127.0.0.1", port=9),
            store=BackupStore(folder=self.folder / "store"),
            project=ComposeProject(folder=self.folder),
        ).save(self.name, overwrite=True)
        with get_client(sync_client=True) as client:
            flow_id = client.create_flow(reconcile_gateway)
            self.deployment = client.create_deployment(flow_id, name=self.name)

    def compose(self, *words: str) -> None:
        file = str(self.folder / "docker-compose.prod.yml")
        docker("compose", "--project-directory", str(self.folder), "-f", file, *words)

    def found(self) -> dict[str, Seen]:
        """Return Compose's own container of each service, and not the others that tests start."""
        project = Stack.named(self.name).settings().its_project()
        return {one.service: one for one in containers_of(project) if one.number != OTHER}

    def write_files(self, *, generation: int) -> None:
        """Let the gateway's files be true, as a reconciliation would."""
        members = [
            Members(
                service=service,
                port=port,
                addresses=(Member(address=one.address, container_id=one.id, name=one.name),),
            )
            for service, port in (("backend", 4000), ("frontend", 8082))
            for one in [self.found()[service]]
        ]
        for name, text in render(members, release="v1-1", generation=generation).items():
            (self.folder / "upstreams" / name).write_text(text)

    def start_another(self, service: str) -> None:
        """Start a container of a service from another image, as a deploy does before it proves it."""
        self.others += 1
        labels = {"project": self.name, "service": service, "oneoff": "False", "container-number": str(OTHER)}
        words = [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]
        image = base_image("BASE_REDIS")
        docker("run", "--detach", "--init", f"--label={LABEL}={self.name}", *words, "--entrypoint=sleep", image, "600")

    def move(self) -> None:
        """Let the backend's replica come back under another address, as after a reboot."""
        before = self.found()["backend"].address
        self.compose("stop", "--timeout", "1", "backend")
        words = ("--init", f"--label={LABEL}={self.name}", f"--network={self.name}_default", "--entrypoint=sleep")
        docker("run", "--detach", *words, self.image, "600")  # it takes the address, or the next one
        self.compose("start", "backend")
        assert self.found()["backend"].address != before

    def asked(self) -> int:
        """Return how many runs were asked for."""
        with get_client(sync_client=True) as client:
            only = DeploymentFilter(id=DeploymentFilterId(any_=[self.deployment]))
            return len(client.read_flow_runs(deployment_filter=only))

    def remove(self) -> None:
        ours = docker("ps", "--all", "--quiet", f"--filter=label={LABEL}={self.name}").split()
        foreign = docker("ps", "--all", "--quiet", f"--filter=label=com.docker.compose.project={self.name}").split()
        docker("rm", "--force", "--volumes", *{*ours, *foreign})
        self.compose("down", "--timeout", "1")


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    made = Tiny(tmp_path, base_image("BASE_NGINX"))
    try:
        made.up()
        made.write_files(generation=1)
        yield made
    finally:
        made.remove()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watch(tiny: Tiny, said: list[str]) -> Iterator[Watch]:
    """One that watches, and has looked once."""
    made = Watch(Stack.named(tiny.name).settings(), said.append, settle_s=0.2, again_s=0.2, longest_s=1.0)
    with at_work(made):
        yield made


def looked_again(watch: Watch, since: int) -> None:
    wait_until(lambda: watch.looks > since, "an event is looked at")


def test_deploy_C5_a_replica_with_a_new_address_is_asked_for_once_and_nothing_else_is(
    tiny: Tiny, watch: Watch, said: list[str]
) -> None:
    looks = watch.looks
    tiny.start_another("backend")  # of another image: a deploy's, which nobody has proven yet
    looked_again(watch, looks)
    assert tiny.asked() == 0
    tiny.move()
    wait_until(lambda: tiny.asked() == 1, "a reconciliation is asked for")
    looks = watch.looks
    tiny.start_another("frontend")
    looked_again(watch, looks)
    assert tiny.asked() == 1, "the same difference starts one run"
    assert f"Asked for {VERB}/{tiny.name}" in "\n".join(said)
    tiny.write_files(generation=2)
    tiny.move()
    wait_until(lambda: tiny.asked() == 2, "another one after the repair is asked for too")


def test_a_watch_ends_on_sigterm(tiny: Tiny) -> None:
    env = get_current_settings().to_environment_variables(exclude_unset=True)
    words = (str(Path(sys.executable).parent / "pawpaw"), "watch", tiny.name)
    with subprocess.Popen(words, env={**env, "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "listening" in process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
