"""A Docker Engine of a test's own, which may be restarted; the machine's is another one and notices nothing.

It has its own folders, socket and containerd, and a network namespace of its own, so that its bridges and its rules are
not the machine's either.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pawpaw_ops.clients.compose_project import ONE_OFF, PROJECT, SERVICE
from tests.integration.stack.support_docker import DOCKER, attempt, docker
from tests.waiting import wait_until

UNSHARE, NSENTER, UMOUNT = (shutil.which(one) or one for one in ("unshare", "nsenter", "umount"))


class OwnEngine:
    """The engine.

    Args:
        folder: For all that it keeps.
        namespace: A process that has the network namespace, which outlives a restart.
        live_restore: Whether containers live on while it is away.
    """

    def __init__(self, folder: Path, namespace: int, *, live_restore: bool) -> None:
        self.folder, self.namespace, self.live_restore = folder, namespace, live_restore
        self.address = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        places = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
        words = [f"--{name}={self.folder / place}" for name, place in places.items()]
        words += ["--containerd-namespace=pawpaw", "--containerd-plugins-namespace=pawpaw-plugins", "--bridge=none"]
        words += [f"--host={self.address}", f"--live-restore={str(self.live_restore).lower()}"]
        inside = (NSENTER, f"--net=/proc/{self.namespace}/ns/net")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen((*inside, "dockerd", *words), stdout=log, stderr=log)
        wait_until(self.answers, "the engine answers")

    def stop(self) -> None:
        """End it as a restart of its service does."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(60)

    def end(self) -> None:
        """End it with all that it runs, whatever has become of it."""
        if containers := attempt("--host", self.address, "ps", "--all", "--quiet").stdout.split():
            attempt("--host", self.address, "rm", "--force", *containers)
        if self._process is not None:
            self.stop()

    def answers(self) -> bool:
        """Whether it answers."""
        return attempt("--host", self.address, "info").returncode == 0

    def say(self, *words: str) -> str:
        """Say something to it."""
        return docker("--host", self.address, *words).strip()

    def load(self, image: str) -> None:
        """Give it an image of the machine's engine."""
        with subprocess.Popen((DOCKER, "save", image), stdout=subprocess.PIPE) as saved:
            subprocess.run((DOCKER, "--host", self.address, "load", "--quiet"), stdin=saved.stdout, check=True)

    def replica(self, project: str, service: str, image: str) -> str:
        """Start a container that looks like a replica of a service; returns its id."""
        labels = {PROJECT: project, SERVICE: service, ONE_OFF: "False"}
        words = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
        words += ["--network", project, "--restart", "unless-stopped", "--init", "--entrypoint", "sleep"]
        return self.say("run", "--detach", *words, image, "600")

    def started(self, *ids: str) -> list[str]:
        """Return when containers were started last."""
        return self.say("inspect", "--format", "{{.State.StartedAt}}", *ids).split()


@contextlib.contextmanager
def own_engine(*, live_restore: bool) -> Iterator[OwnEngine]:
    """Run an engine while the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="pawpaw-engine-"))
    with subprocess.Popen((UNSHARE, "--net", "sleep", "infinity")) as holder:
        engine = OwnEngine(folder, holder.pid, live_restore=live_restore)
        try:
            wait_until(lambda: namespace(holder.pid) != namespace(os.getpid()), "it has its network")
            engine.start()
            yield engine
        except BaseException:
            print((folder / "log").read_text()[-10_000:])  # noqa: T201 - pytest shows it with the failure
            raise
        finally:
            engine.end()
            holder.terminate()
            remove(folder)


def namespace(pid: int) -> str:
    """Return which network namespace a process is in."""
    return str(Path(f"/proc/{pid}/ns/net").readlink())


def remove(folder: Path) -> None:
    """Remove a folder, and first what is mounted below it."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((one for one in mounts if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run((UMOUNT, mount), check=True)
    shutil.rmtree(folder)
