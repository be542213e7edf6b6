"""How Docker's CLI is told to change containers.

Source: docs.docker.com/reference/cli/docker/container.
"""

import math
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command
from pawpaw_ops.commands.contained import at_engine


def start(engine: str, name: str) -> Command:
    """Start a container; one that runs is no error.

    Touches:
        That container.
    """
    return Command(argv=("docker", "start", name), env=at_engine(engine))


def stop(engine: str, *names: str, grace_s: float) -> Command:
    """Tell containers to end, and kill them when they have not after *grace_s* seconds; one that is gone is no error.

    Touches:
        Those containers.
    """
    argv = ("docker", "stop", "--time", str(math.ceil(grace_s)), *names)
    return Command(argv=argv, env=at_engine(engine), timeout_s=grace_s * len(names) + 60)


def copy_out(engine: str, container: str, source: str, to: Path, *, may_lack: bool = False) -> Command:
    """Copy a file or folder out of a container, running or not; `…/.` is what a folder holds.

    Args:
        engine: Address of the engine.
        container: Its id or name.
        source: Path in it.
        to: Path on this host.
        may_lack: Whether it is no error that there is no *source*.

    Touches:
        *to* on this host.
    """
    argv = ("docker", "cp", f"{container}:{source}", str(to))
    return Command(argv=argv, env=at_engine(engine), timeout_s=300, ok_codes=(0, 1) if may_lack else (0,))


def inside(engine: str, container: str, *argv: str, stdin: SecretStr | None = None, timeout_s: float = 60.0) -> Command:
    """Run *argv* in a container; *stdin* is in no argument, environment or inspection.

    Touches:
        What *argv* touches.
    """
    words = ("docker", "exec", *(("--interactive",) if stdin else ()), container, *argv)
    return Command(argv=words, env=at_engine(engine), stdin=stdin, timeout_s=timeout_s)
