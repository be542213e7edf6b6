"""The whole production stack on a real Docker Engine under a project of its own; and its shop, as a customer."""

import json
import os
import secrets
import signal
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from rich.console import Console

from deployments.stack.env import make_env
from deployments.stack.up import Place, bring_up
from pawpaw_ops.clients.env_file import change_env, read_env
from pawpaw_ops.commands import compose
from pawpaw_ops.models.project import Project
from tests.integration.stack import support_docker, support_monitoring
from tests.integration.stack.support_docker import attempt, docker
from tests.waiting import wait_until

BUILT = (
    "BACKEND_IMAGE",
    "FRONTEND_IMAGE",
    "GATEWAY_IMAGE",
    "POSTGRES_IMAGE",
    "REDIS_IMAGE",
    "NGINX_EXPORTER_IMAGE",
)
BASES = ("BASE_NODE", "BASE_NGINX", "BASE_POSTGRES", "BASE_REDIS")
STANDINS = {
    "PROMETHEUS_IMAGE": "prometheus",
    "ALERTMANAGER_IMAGE": "alertmanager",
    "POSTGRES_EXPORTER_IMAGE": "exporters",
    "REDIS_EXPORTER_IMAGE": "exporters",
    "NODE_EXPORTER_IMAGE": "exporters",
    "BASE_NGINX_EXPORTER": "exporters",
    "BASE_BUSYBOX": "exporters",
}
"""Variables of the monitoring -> the image that stands in for the official one."""
PROJECT = "com.docker.compose.project"


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningStack:
    """A stack that is up: its engine's view, its database, its shop.

    Attributes:
        customers: Those who visited, and have to leave.
        images: Tags that tests made and that go with it.
    """

    project: Project
    values: dict[str, str]
    customers: list["Shop"] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The Compose project."""
        return self.project.name

    def container(self, service: str, number: int = 1) -> dict[str, Any]:
        """Return the inspection of one container of a service."""
        return self.containers(service)[number - 1]

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """Return the inspections of a service's containers, or of all."""
        labels = [f"label={PROJECT}={self.name}"] + ([f"label=com.docker.compose.service={service}"] if service else [])
        filters = [word for label in labels for word in ("--filter", label)]
        ids = docker("ps", "--all", "--quiet", *filters).split()
        found: list[dict[str, Any]] = json.loads(docker("inspect", *ids)) if ids else []
        return sorted(found, key=lambda one: str(one["Name"]))

    def compose(self, *words: str) -> str:
        """Say something to Compose about this project."""
        return docker(*compose.compose(self.project, *words).argv[1:])

    def sql(self, question: str, *, service: str = "postgres") -> str:
        """Ask a database inside its own container, over the socket."""
        name = self.container(service)["Name"].lstrip("/")
        return docker("exec", name, "psql", "-XAt", "-U", "postgres", self.values["DB_NAME"], "-c", question).strip()

    def kill(self, service: str, number: int = 1) -> None:
        """Kill a container's first process as the kernel would, so that the restart policy sees a crash."""
        os.kill(int(self.container(service, number)["State"]["Pid"]), signal.SIGKILL)

    def process(self, service: str, title: str) -> int:
        """Return this host's number of a process in a container; 0 where none has that title."""
        name = self.container(service)["Name"].lstrip("/")
        lines = docker("top", name, "-eo", "pid,args").splitlines()[1:]
        return next((int(line.split()[0]) for line in lines if title in line), 0)

    def healthy(self, service: str) -> bool:
        """Whether every container of the service runs and is healthy."""
        states = [one["State"] for one in self.containers(service)]
        return bool(states) and all(
            state["Status"] == "running" and state.get("Health", {}).get("Status", "healthy") == "healthy"
            for state in states
        )

    def wait_healthy(self, service: str) -> None:
        """Wait until it is."""
        wait_until(lambda: self.healthy(service), f"{service} is healthy", deadline_s=120)

    @contextmanager
    def env(self, values: Mapping[str, str]) -> Iterator[None]:
        """Have these values in the `.env` while the block lasts."""
        before = read_env(self.project.env_file)
        change_env(self.project.env_file, values)
        try:
            yield
        finally:
            change_env(self.project.env_file, {name: before.get(name) for name in values})

    def addresses(self, service: str) -> set[str]:
        """Return where the gateway finds a service's containers; known while they run."""
        network = f"{self.name}_internal"
        return {one["NetworkSettings"]["Networks"][network]["IPAddress"] for one in self.containers(service)}

    @contextmanager
    def taken(self, addresses: set[str]) -> Iterator[None]:
        """Other containers have these addresses while the block lasts: what is stopped now starts elsewhere."""
        words = ("--label", f"com.docker.compose.project={self.name}", "--network", f"{self.name}_internal")
        squatters: dict[str, str] = {}

        def squat() -> bool:
            made = docker("run", "--detach", *words, "--entrypoint", "sleep", self.values["REDIS_IMAGE"], "600").strip()
            where = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
            squatters[docker("inspect", "--format", where, made).strip()] = made
            return addresses <= squatters.keys()

        try:
            wait_until(squat, "their addresses are taken")
            yield
        finally:
            docker("rm", "--force", *squatters.values())

    def shop(self) -> "Shop":
        """Return a new customer's browser, more or less."""
        self.customers.append(Shop(f"https://localhost:{self.values['HTTPS_PORT']}"))
        return self.customers[-1]

    def logs(self) -> str:
        """Return what every container wrote."""
        return self.compose("logs", "--no-color", "--tail", "200")

    def remove(self) -> None:
        """Remove containers, networks, volumes and images of this project, and nothing else.

        Under load Engine 20.10 may think that a network has a container when none is left; only its restart helps.
        """
        for customer in self.customers:
            customer.http.close()
        words = ("down", "--volumes", "--remove-orphans", "--timeout", "10")
        done = attempt(*compose.compose(self.project, *words).argv[1:])
        assert done.returncode == 0 or "has active endpoints" in done.stderr, done.stderr
        assert self.containers() == []
        attempt("rmi", *(self.values[image] for image in BUILT), *self.images)


class Shop:
    """A customer over TLS; the bootstrap certificate is nobody's, so it is not checked here."""

    def __init__(self, url: str) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.http = httpx.Client(base_url=url, verify=context, timeout=20)

    def register(self) -> None:
        """Become a customer with an account."""
        email = f"{secrets.token_hex(6)}@example.com"
        body = {"email": email, "password": "correct-horse-1", "name": "Ñandú Pérez"}
        answer = self.http.post("/api/auth/register", json=body)
        assert answer.is_success, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def products(self) -> list[dict[str, Any]]:
        """List what is sold."""
        answer = self.http.get("/api/products")
        assert answer.is_success, answer.text
        return list(answer.json()["items"])

    def fill_cart(self, quantity: int = 1) -> None:
        """Put the first product into the cart."""
        answer = self.http.put(f"/api/cart/items/{self.products()[0]['id']}", json={"quantity": quantity})
        assert answer.is_success, answer.text

    def cart(self) -> Any:
        """Return the cart."""
        answer = self.http.get("/api/cart")
        assert answer.is_success, answer.text
        return answer.json()

    def order(self, key: str = "") -> httpx.Response:
        """Order what is in the cart."""
        address = {"recipient": "Ñandú Pérez", "street": "Av. Juárez 1", "city": "Torreón", "state": "Coahuila",
                   "postalCode": "27000"}  # fmt: skip
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self.http.post("/api/orders", json={"shippingAddress": address}, headers=headers)


def shared_folder(parent: Path, name: str) -> str:
    """Make a folder that containers may read, whoever they run as."""
    made = parent / name
    made.mkdir()
    made.chmod(0o755)
    return str(made)


def start(folder: Path) -> RunningStack:
    """Bring up a stack with stand-in images, a project name and ports of its own."""
    name = f"ppt{secrets.token_hex(4)}"
    given = {
        "STACK_NAME": name,
        "PUBLIC_BIND": "127.0.0.1",
        # Loki, its shipper and Grafana cannot be had without a registry.
        "COMPOSE_PROFILES": "none",
        "UPSTREAMS_DIR": shared_folder(folder, "upstreams"),
        "ACME_DIR": shared_folder(folder, "acme"),
        "TEXTFILE_DIR": shared_folder(folder, "textfile"),
        "LOG_TARGETS_DIR": shared_folder(folder, "log-targets"),
        **{port: str(free_port()) for port in ("HTTP_PORT", "HTTPS_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")},
        **{image: f"{name}-{image.split('_')[0].lower()}:test" for image in BUILT},
        "DB_CONTAINER": f"{name}-db",
        "REPLICA_CONTAINER": f"{name}-replica",
        "REDIS_CONTAINER": f"{name}-redis",
        "AUTH_REQUESTS_PER_MINUTE": "6000",
        **{argument: support_docker.base_image(argument) for argument in BASES},
        **{variable: support_monitoring.standin(name) for variable, name in STANDINS.items()},
    }  # fmt: skip
    env_file = folder / "stack.env"
    make_env(support_docker.STACK / ".env.example", env_file, given)
    place = Place(folder=support_docker.STACK, env_file=env_file)
    values = read_env(env_file)
    try:
        bring_up(place, Console(width=120), timeout_s=240)
    except BaseException:
        broken = RunningStack(place.project(), values)
        print(broken.logs()[-30_000:])  # noqa: T201 - pytest shows it with the failure
        broken.remove()
        raise
    return RunningStack(place.project(), values)
