"""A PostgreSQL in a container that no port leads to, and what else the tests of tools in containers look at."""

import contextlib
import json
import secrets
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr

from pawpaw_ops.commands.contained import RUN_LABEL
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.models.database import ClientTools, Database
from tests.integration.stack import support_docker
from tests.integration.stack.support_docker import DockerError, docker
from tests.integration.support_stack import Kit
from tests.threads import Crowd
from tests.waiting import EVERY_S, wait_until

HBA = support_docker.STACK / "postgres" / "conf" / "pg_hba.conf"
"""The stack's own rules: from the container's networks alone, and never without a password."""
TEST_LABEL = f"{support_docker.LABEL}=tools-{secrets.token_hex(4)}"


def inspect(name: str) -> dict[str, Any]:
    """Return what the engine says of one container."""
    [found] = json.loads(docker("inspect", name))
    return dict(found)


def containers_of(label: str) -> list[str]:
    """Return the ids of the containers with a label, running or not."""
    return docker("ps", "--all", "--quiet", "--no-trunc", f"--filter=label={label}").split()


def assert_left_none(label: str) -> None:
    """What has a label now ends by itself: another process's run takes its containers along, what was left stays."""
    seen = {*containers_of(label)}
    wait_until(lambda: not seen & {*containers_of(label)}, f"no container of {label} is left", deadline_s=180)


class ContainerServer(DisposableServer):
    """The live server of these tests: in a container on a network of its own, which leads nowhere."""

    def __init__(self, image: str) -> None:
        super().__init__(Path(f"/nowhere/pawpaw-{secrets.token_hex(4)}"), tools=ClientTools())
        self.name = f"pawpaw-test-{secrets.token_hex(4)}"
        self.image = image
        self.address = ""

    def database(self, name: str = "postgres") -> Database:
        """Return how it is reached from this host, by its address."""
        return Database(name=name, host=self.address, password=self.password)

    def start(self) -> None:
        """Start it and wait until it answers at its address."""
        docker("network", "create", "--internal", f"--label={TEST_LABEL}", self.name)
        secret = f"--env=POSTGRES_PASSWORD={self.password.get_secret_value()}"
        limits = ("--read-only", "--tmpfs=/tmp", "--tmpfs=/var/run/postgresql:mode=3777", "--shm-size=256m")
        rules = f"--mount=type=bind,source={HBA},target=/pg_hba.conf,readonly"
        words = (f"--name={self.name}", f"--label={TEST_LABEL}", f"--network={self.name}", "--user=999:999", secret)
        settings = ("-c", "fsync=off", "-c", "listen_addresses=*", "-c", "hba_file=/pg_hba.conf")
        docker("run", "--detach", *words, *limits, rules, self.image, "postgres", *settings)
        [network] = inspect(self.name)["NetworkSettings"]["Networks"].values()
        self.address = network["IPAddress"]
        wait_until(self.answers, f"{self.name} answers", deadline_s=60)

    def remove(self) -> None:
        """Remove it and its network; what is gone already is no error."""
        support_docker.attempt("rm", "--force", "--volumes", self.name)
        support_docker.attempt("network", "rm", self.name)


class ContainerKit(Kit):
    """A stack whose database runs in a container."""

    server: ContainerServer

    def save_blocks(self, *, database: dict[str, Any] | None = None, **store: Any) -> None:
        """Name the container in the place of an address, and no folder of tools."""
        fields = {"container": self.server.name, "host": "nowhere.invalid", "tools_folder": None}
        super().save_blocks(database=fields | (database or {}), **store)

    def run_ids(self) -> list[str]:
        """The ids of all runs on this stack, over or not."""
        return [path.stem for path in (self.state_dir / "journal").rglob("*.jsonl")]

    def tool_containers(self) -> list[str]:
        """The containers of any run on this stack."""
        return [found for run_id in self.run_ids() for found in containers_of(f"{RUN_LABEL}={run_id}")]

    def assert_clean(self) -> None:
        """Also no container of ours, running or not."""
        super().assert_clean()
        assert self.tool_containers() == []

    def running_tool(self, program: str) -> dict[str, Any]:
        """Wait until a program runs in a container of this stack's; return what the engine says of it."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            with contextlib.suppress(DockerError):  # one that ended since it was listed
                found.extend(inspect(one) for one in self.tool_containers())
            found[:] = [one for one in found if one["Config"]["Entrypoint"] == [program] and one["State"]["Running"]]
            return bool(found)

        wait_until(look, f"{program} runs in a container", every_s=EVERY_S)  # some are short
        return found[0]


def no_postgres_here(folder: Path) -> str:
    """Return a `PATH` on which there is Docker's CLI and nothing else."""
    found = shutil.which("docker")
    assert found is not None
    folder.mkdir()
    (folder / "docker").symlink_to(found)
    return str(folder)


class Witness(Crowd):
    """Reads every command line, every environment and every inspection of a tool's container that it can get."""

    def __init__(self, kit: ContainerKit) -> None:
        self.kit = kit
        self.argv: set[str] = set()
        self.environments: set[str] = set()
        self.inspected: set[str] = set()
        super().__init__(self._processes, self._containers)

    def _processes(self) -> None:
        while not self.over.wait(0.01):
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    self.argv.add(" ".join(process.cmdline()))
                    self.environments.add(str(process.environ()))

    def _containers(self) -> None:
        while not self.over.wait(0.01):
            for found in self.kit.tool_containers():
                with contextlib.suppress(DockerError):
                    self.inspected.add(docker("inspect", found))


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _relay(client: socket.socket, asked: list[bytes]) -> None:
    with client, socket.socket(socket.AF_UNIX) as engine:
        engine.connect("/var/run/docker.sock")
        first = client.recv(65536)
        asked.append(first.split(b"\r\n", 1)[0])
        engine.sendall(first)
        back = threading.Thread(target=_pump, args=(engine, client), daemon=True)
        back.start()
        _pump(client, engine)
        back.join()


def _serve(listening: socket.socket, asked: list[bytes]) -> None:
    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=_relay, args=(listening.accept()[0], asked), daemon=True).start()


@contextlib.contextmanager
def engine_at(path: Path) -> Iterator[list[bytes]]:
    """Offer this host's engine at another socket; what is asked there first is written down, one entry a connection."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        threading.Thread(target=_serve, args=(listening, asked), daemon=True).start()
        yield asked
        listening.shutdown(socket.SHUT_RDWR)


def role_with(kit: Kit, word: str) -> str:
    """Make a superuser with that password and let the stack use it."""
    role = f"ops_{kit.name}"
    kit.sql(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{word}'")
    kit.save_blocks(database={"user": role, "password": SecretStr(word)})
    return role
