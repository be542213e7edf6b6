"""Deciding from what the engine shows whether a stack is up, still on its way, or will not come up."""

from collections.abc import Iterable, Sequence

from pawpaw_ops.models.base import Noun

RESTARTS = 3
SETTLED_S = 5.0
"""Seconds that a container without a health check must have run before it counts as up."""
MIB = 1 << 20


class Seen(Noun):
    """One container as the engine shows it.

    Attributes:
        status: created, running, exited, restarting, dead, paused or removing.
        health: healthy, unhealthy, starting, or empty where the image has no check.
        running_s: Seconds since it was last started.
        number: Which of the service's replicas it is, from 1.
        address: Where the engine's host reaches it; empty while it does not run.
        id: The engine's; no other container ever gets it.
        image: Id of its image.
        config_hash: Compose's, of the settings that it was made from.
        oom: Whether the kernel ended it because it took more memory than it may.
        log_file: Where the engine's host has what it wrote; empty with a log driver that keeps no file.
    """

    service: str
    name: str
    status: str
    health: str = ""
    exit_code: int = 0
    restarts: int = 0
    running_s: float = 0.0
    number: int = 1
    address: str = ""
    log_file: str = ""
    id: str = ""
    image: str = ""
    config_hash: str = ""
    oom: bool = False

    @property
    def done(self) -> bool:
        """It ran to its end, and well."""
        return self.status == "exited" and self.exit_code == 0

    @property
    def up(self) -> bool:
        """It runs, and its own check says so; without one, it has run for a while and not just between two crashes."""
        settled = self.health == "healthy" or (not self.health and self.running_s >= SETTLED_S)
        return self.status == "running" and settled

    @property
    def failed(self) -> str:
        """Why it will not come up by itself; empty while it may."""
        if self.status in {"exited", "dead"} and self.exit_code:
            oom = ": it took more memory than it may" if self.oom else ""
            return f"ended with exit code {self.exit_code}{oom}"
        if self.restarts >= RESTARTS and not self.up:
            last = f", the last time after exit code {self.exit_code}" if self.exit_code else ""
            return f"was restarted {self.restarts} times{last}"
        return ""


class Ending(Noun):
    """What the engine still knows of how a container ended, though its restart policy may have it run again.

    Attributes:
        exit_code: Of its last end; None where it has not ended, or the engine has forgotten.
        oom: Whether the kernel ended it because it took more memory than it may.
        limit_bytes: The memory that it may take; 0 where nothing limits it.
        check_code: Exit code of its last health check; None where there was none.
        check_said: What that one wrote; it may hold secrets.
    """

    exit_code: int | None = None
    oom: bool = False
    limit_bytes: int = 0
    check_code: int | None = None
    check_said: str = ""

    @property
    def says(self) -> str:
        """How it ended; empty where it has not."""
        if self.exit_code is None:
            return ""
        limit = f"the {self.limit_bytes // MIB} MiB that it may" if self.limit_bytes else "there is"
        oom = f": it was killed for taking more memory than {limit}" if self.oom else ""
        return f"ended with exit code {self.exit_code}{oom}"

    @property
    def unwell(self) -> str:
        """What its last health check came to; empty where that found nothing wrong."""
        if not self.check_code:
            return ""
        said = f"said {self.check_said.strip()!r}" if self.check_said.strip() else "said nothing"
        return f"its last health check ended with exit code {self.check_code} and {said}"


class Standing(Noun):
    """What is up, what is waited for, and what failed with the reason."""

    up: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()

    @property
    def all_up(self) -> bool:
        """Nothing is waited for and nothing failed."""
        return not self.waiting and not self.failed


def standing(wanted: Sequence[str], found: Iterable[Seen], *, once: Sequence[str] = ()) -> Standing:
    """Hold the containers against the wanted services.

    Args:
        wanted: Services that must be there.
        found: Containers of the project.
        once: Services whose container runs to its end instead of staying.
    """
    containers = tuple(found)
    there = {one.service for one in containers}
    fine = {one.name for one in containers if (one.done if one.service in once else one.up)}
    failed = tuple((one.name, one.failed) for one in containers if one.name not in fine and one.failed)
    broken = {name for name, _ in failed}
    waiting = [one.name for one in containers if one.name not in fine | broken]
    waiting += [service for service in wanted if service not in there]
    return Standing(up=tuple(sorted(fine)), waiting=tuple(sorted(waiting)), failed=tuple(sorted(failed)))
