"""Real containers for tests, through the docker command: whatever is made carries a label and goes by it."""

import contextlib
import functools
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from tests.waiting import wait_until

REPOSITORY = Path(__file__).parents[3]
STACK = REPOSITORY / "stack"
LABEL = "pawpaw.test"
BASES = {
    "BASE_NODE": "pawpaw-offline/node:22",
    "BASE_NGINX": "pawpaw-offline/nginx:1.30",
    "BASE_POSTGRES": "pawpaw-offline/postgres:15",
    "BASE_REDIS": "pawpaw-offline/redis:7",
}
"""Build argument -> the stand-in. A variable of the same name puts another in its place, such as the official image."""
HARDENED = ("--init", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--pids-limit=256")
MEMORY = "--memory=768m"
DEADLINE_S = 120.0
DOCKER = shutil.which("docker") or "docker"


class DockerError(AssertionError):
    """A docker command failed."""


def docker(
    *words: str, stdin: str | None = None, timeout_s: float = 600.0, env: Mapping[str, str] | None = None
) -> str:
    """Run a docker command and return what it printed."""
    done = attempt(*words, stdin=stdin, timeout_s=timeout_s, env=env)
    if done.returncode:
        raise DockerError(f"docker {' '.join(words[:3])}: exit code {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def attempt(
    *words: str, stdin: str | None = None, timeout_s: float = 600.0, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a docker command that may fail."""
    return subprocess.run(
        (DOCKER, *words),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout_s,
        check=False,
        env={**os.environ, **(env or {}), "DOCKER_BUILDKIT": "0"},
    )


@functools.cache
def engine() -> APIClient:
    """Ask the engine without a program for each question: waiting asks many."""
    return APIClient(base_url=os.environ.get("DOCKER_HOST"), version="auto")


def named(env: Mapping[str, str] | None) -> list[str]:
    """Name variables to docker; their values go by its environment, so that no command line has them."""
    return [f"--env={name}" for name in env or {}]


def why_no_engine() -> str:
    """Say why no Docker Engine answers, or nothing if one does."""
    try:
        done = attempt("version", "--format", "{{.Server.Version}}", timeout_s=20.0)
    except FileNotFoundError:
        return "there is no docker command"
    except subprocess.TimeoutExpired:
        return "the Docker Engine does not answer"
    return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def why_no_stack() -> str:
    """Say why no Compose project can run here, or nothing if one can."""
    if why := why_no_engine():
        return why
    return "" if attempt("compose", "version").returncode == 0 else "there is no Compose (`make images` installs it)"


def base_image(argument: str) -> str:
    """Return the base image for a build argument; without it the test is left out."""
    image = os.environ.get(argument, BASES[argument])
    if attempt("image", "inspect", image).returncode:
        pytest.skip(f"needs the image {image}: `make images` makes it, or {argument} names another")
    return image


def build(context: Path, tag: str, arguments: Mapping[str, str] | None = None, *options: str) -> str:
    """Build an image; layers that are there already cost nothing."""
    words = [word for name, value in (arguments or {}).items() for word in ("--build-arg", f"{name}={value}")]
    docker("build", "--quiet", "--tag", tag, *words, *options, str(context))
    return tag


@dataclass(frozen=True)
class Container:
    """A container of this test session, running or not."""

    name: str

    def inspect(self) -> dict[str, Any]:
        """Return what the engine knows of it."""
        found: dict[str, Any] = engine().inspect_container(self.name)
        return found

    @property
    def state(self) -> dict[str, Any]:
        """Whether it runs, how it ended, how healthy it is."""
        found: dict[str, Any] = self.inspect()["State"]
        return found

    def address(self, network: str) -> str:
        """Its address in a network."""
        return str(self.inspect()["NetworkSettings"]["Networks"][network]["IPAddress"])

    def port(self, inner: int) -> int:
        """The port of this machine's loopback that leads to *inner*."""
        return int(docker("port", self.name, f"{inner}/tcp").splitlines()[0].rpartition(":")[2])

    def exec(self, *words: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> str:
        """Run a program in it and return what it printed."""
        done = self.attempt(*words, env=env, stdin=stdin)
        if done.returncode:
            raise DockerError(f"{self.name}: {words[0]}: exit code {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def attempt(
        self, *words: str, env: Mapping[str, str] | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in it that may fail."""
        return attempt("exec", "--interactive", *named(env), self.name, *words, stdin=stdin, env=env)

    def logs(self) -> str:
        """What it wrote, both streams."""
        done = attempt("logs", self.name)
        return done.stdout + done.stderr

    def wait_healthy(self, *, deadline_s: float = DEADLINE_S) -> None:
        """Wait for its health check to pass, which is asked at once and not when the engine will; it must run."""
        check = [*self.inspect()["Config"]["Healthcheck"]["Test"]]
        assert check.pop(0) == "CMD", check
        said = ""

        def healthy() -> bool:
            nonlocal said
            state = self.state
            assert state["Status"] != "exited", f"{self.name} ended with {state['ExitCode']}: {self.logs()}"
            done = self.attempt(*check)
            said = f"{done.stdout}{done.stderr}"
            return done.returncode == 0

        try:
            wait_until(healthy, f"{self.name} is healthy", deadline_s=deadline_s)
        except AssertionError as seen:
            raise AssertionError(f"{seen}\n{said}\n{self.logs()}") from seen

    def wait_ended(self, *, deadline_s: float = DEADLINE_S) -> int:
        """Wait for it to end; returns its exit code."""
        wait_until(lambda: self.state["Status"] == "exited", f"{self.name} ends", deadline_s=deadline_s)
        return int(self.state["ExitCode"])

    def wait_log(self, text: str, *, deadline_s: float = DEADLINE_S) -> None:
        """Wait for it to write something."""
        wait_until(lambda: text in self.logs(), f"{self.name} writes {text!r}", deadline_s=deadline_s)

    def kill(self, signal: str = "KILL") -> None:
        """Send its first process a signal."""
        docker("kill", "--signal", signal, self.name)

    def stop(self, *, grace_s: int = 30) -> None:
        """Stop it with its own signal."""
        docker("stop", "--time", str(grace_s), self.name)

    def start(self) -> None:
        """Start it again."""
        docker("start", self.name)

    def remove(self) -> None:
        """Remove it; its volumes stay."""
        docker("rm", "--force", self.name)


@dataclass
class World:
    """What one test, or one module's tests, made in the engine: all of it under one label."""

    id: str = field(default_factory=lambda: f"ppt-{secrets.token_hex(4)}")

    @property
    def label(self) -> str:
        """What is written on everything that is made here."""
        return f"{LABEL}={self.id}"

    def network(self, name: str = "net") -> str:
        """Make a network; its containers know one another by name."""
        full = f"{self.id}-{name}"
        docker("network", "create", "--label", self.label, full)
        return full

    def volume(self, name: str) -> str:
        """Make a volume, or find the one that was made under this name."""
        full = f"{self.id}-{name}"
        docker("volume", "create", "--label", self.label, full)
        return full

    def mount(self, name: str, path: str, *, read_only: bool = False) -> str:
        """Return the option that mounts a volume of this world; without a label a volume would outlive it."""
        return f"--volume={self.volume(name)}:{path}{':ro' if read_only else ''}"

    def run(
        self,
        image: str,
        name: str,
        *options: str,
        network: str,
        env: Mapping[str, str] | None = None,
        command: Sequence[str] = (),
        hardened: bool = True,
    ) -> Container:
        """Start a container, known in its network as *name*."""
        full = f"{self.id}-{name}"
        docker(
            *("run", "--detach", "--name", full, "--label", self.label, "--network", network, "--network-alias", name),
            "--health-interval=1s",
            MEMORY,
            *(HARDENED if hardened else ("--init",)),
            *options,
            *named(env),
            image,
            *command,
            env=env,
        )
        return Container(full)

    def containers(self) -> list[Container]:
        """Every container of this world, ended ones too."""
        names = docker("ps", "--all", "--filter", f"label={self.label}", "--format", "{{.Names}}").split()
        return [Container(name) for name in names]

    def remove(self) -> None:
        """Remove everything that carries the label."""
        for listing, removal in (
            (("ps", "--all", "--quiet"), ("rm", "--force", "--volumes")),
            (("network", "ls", "--quiet"), ("network", "rm")),
            (("volume", "ls", "--quiet"), ("volume", "rm", "--force")),
        ):
            found = docker(*listing, "--filter", f"label={self.label}").split()
            if found:
                docker(*removal, *found)


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Yield a world and remove it afterwards; its containers' last words go where pytest shows them with a failure."""
    made = World()
    try:
        yield made
    finally:
        for container in made.containers():
            print(f"--- {container.name} ---\n{container.logs()[-20_000:]}")  # noqa: T201
        made.remove()
