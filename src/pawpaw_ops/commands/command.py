"""A command and a query as values: built here, run by `pawpaw_ops.runner`."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import SecretStr

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One process to run. Secrets fit only in *env* and *stdin*, so its text is always safe to log.

    Args:
        argv: Program and arguments; never a shell line.
        env: Variables added to the runner's own small environment.
        stdin: Text given to the process; none means an empty input.
        prompt: Line of standard error with which it asks for *stdin*; it is no complaint and not kept.
        stdout: File that takes the output instead of memory.
        timeout_s: Longest it may run, in seconds; none means no limit.
        user: System user to run as; needs root. None means the runner's own.
        cwd: Folder to run in.
        ok_codes: Exit codes that mean success.
        inside: Program that `docker run` starts in a container; empty means that *argv* itself is the program.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str | SecretStr] = field(default_factory=dict)
    stdin: SecretStr | str | None = None
    prompt: str = ""
    stdout: Path | None = None
    timeout_s: float | None = 60.0
    user: str | None = None
    cwd: Path | None = None
    ok_codes: tuple[int, ...] = (0,)
    inside: str = ""

    @property
    def program(self) -> str:
        """The program that does the work."""
        return self.inside or self.argv[0]

    def __str__(self) -> str:
        """Return the command line as a person would type it, without secrets."""
        return shlex.join(self.argv)


@dataclass(frozen=True, kw_only=True)
class Query(Generic[T_co]):
    """A command that changes nothing, and the pure parser of its output."""

    command: Command
    parse: Callable[[str], T_co]
