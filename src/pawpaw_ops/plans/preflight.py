"""What must hold before a deploy changes anything: found numbers in, findings out."""

import platform
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from pawpaw_ops.models.base import Noun, Verdict
from pawpaw_ops.models.certificate import Certificate
from pawpaw_ops.models.release import Build
from pawpaw_ops.plans.deploy import Roll
from pawpaw_ops.plans.services import Kind, Service

DISK = "disk"
ROOM = 0.05
"""Share of the engine's disk, in bytes and in inodes, that must be free."""
LAG_BYTES = 64 * 1024 * 1024
CLOCK_S = 2.0
GATEWAY_FOLDER = "/etc/nginx"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Finding(Noun):
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    says: str


class Disk(Noun):
    """A disk; inodes are 0 where its file system has no limit of them."""

    bytes_total: int
    bytes_free: int
    inodes_total: int
    inodes_free: int


class DatabaseRoom(Noun):
    """What the primary says of itself.

    Attributes:
        standby: It is in recovery, and takes no writes.
        used: Sessions.
        most: Sessions that it allows to those who are no superusers.
        lag_bytes: How far the standby that is farthest behind is; None where none is connected.
    """

    standby: bool
    used: int
    most: int
    lag_bytes: int | None


def finding(name: str, says: str, *, holds: bool) -> Finding:
    """Return what was looked at as verified or failed."""
    return Finding(name=name, verdict=Verdict.VERIFIED if holds else Verdict.FAILED, says=says)


def unknown(name: str, why: str) -> Finding:
    """Return what could not be looked at."""
    return Finding(name=name, verdict=Verdict.NOT_VERIFIED, says=why)


def health_checks(services: Iterable[Service], image_checked: Mapping[str, bool]) -> Finding:
    """Every service that rolls has a health check: of the Compose file, or of its image."""
    rolling = [one for one in services if one.kind is Kind.ROLLING]
    blind = [one.name for one in rolling if not (image_checked.get(one.name) if one.checked is None else one.checked)]
    says = f"{', '.join(blind)} have none; nobody could tell that they work" if blind else f"{len(rolling)} have one"
    return finding("health checks", says, holds=not blind)


def readiness(services: Iterable[Service]) -> Finding:
    """Every service behind the gateway says which path tells that it is ready."""
    served = [one for one in services if one.served]
    silent = [one.name for one in served if not (one.ready.startswith("/") and one.smoke.startswith("/"))]
    says = f"{', '.join(silent)} lack the labels pawpaw.ready and pawpaw.smoke" if silent else f"{len(served)} services"
    return finding("readiness paths", says, holds=not silent)


def memory(services: Iterable[Service], rolls: Iterable[Roll], available_bytes: int) -> Finding:
    """New replicas run beside the old ones until these are stopped."""
    limits = {one.name: one.memory_bytes for one in services}
    needed = sum(limits[roll.service] * roll.add for roll in rolls)
    says = f"{needed >> 20} MiB for the new replicas beside the old ones, {available_bytes >> 20} MiB are available"
    return finding("memory", says, holds=available_bytes >= needed)


def disk(found: Disk, coming_bytes: int | None = 0) -> Finding:
    """The engine's disk has room, in bytes and in inodes, when what comes onto it is there; None is an unknown size."""
    pairs = ((found.bytes_free - (coming_bytes or 0), found.bytes_total), (found.inodes_free, found.inodes_total))
    shares = [free / total for free, total in pairs if total]
    says = f"{found.bytes_free >> 20} MiB and {found.inodes_free} inodes are free; {ROOM:.0%} of each are needed"
    if coming_bytes is None:
        says += ", and room for images of unknown size"
    elif coming_bytes:
        says += f", and up to {coming_bytes / (1 << 20):.1f} MiB for images that must be fetched"
    return finding(DISK, says, holds=min(shares) >= ROOM)


def coming(refs: Iterable[str], builds: Iterable[Build]) -> int | None:
    """Return how many bytes images may take that must be fetched; None where one of them is of no build on record.

    Their layers may be here already, so it may be less.
    """
    sizes = {one.digest: one.size_bytes for build in builds for one in build.images if one.digest}
    found = [sizes.get(ref) for ref in refs]
    return None if None in found else sum(size or 0 for size in found)


def architecture(found: Mapping[str, str]) -> Finding:
    """The images are for this machine."""
    mine = ARCHITECTURES.get(platform.machine(), platform.machine())
    wrong = [f"{service} is for {its}" for service, its in found.items() if its != mine]
    return finding("architecture", ", ".join(wrong) or mine, holds=not wrong)


def database(found: DatabaseRoom, *, more_sessions: int) -> tuple[Finding, ...]:
    """The primary takes writes, has room for the new replicas' sessions, and its standby keeps up."""
    room = found.most - found.used
    if found.lag_bytes is None:
        lag = unknown("replica", "no standby is connected")
    else:
        says = f"{found.lag_bytes >> 20} MiB behind, {LAG_BYTES >> 20} are allowed"
        lag = finding("replica", says, holds=found.lag_bytes <= LAG_BYTES)
    writes = "it is in recovery" if found.standby else "it takes writes"
    sessions = f"{room} are free, {more_sessions} may be needed"
    return (
        finding("primary", writes, holds=not found.standby),
        finding("database sessions", sessions, holds=room >= more_sessions),
        lag,
    )


def clock(apart_s: float) -> Finding:
    """The engine's clock is this process's: requests since a switch are counted by the times in the gateway's log."""
    says = f"the engine's is {apart_s:+.1f} s from this process's, {CLOCK_S:g} s are allowed"
    return finding("clock", says, holds=abs(apart_s) <= CLOCK_S)


def certificate(served: Mapping[str, Certificate], now: datetime) -> Finding:
    """What the gateway shows has not ended; whether anybody vouches for it is said."""
    if over := [
        f"that of {name} ended {one.not_after:%Y-%m-%d}" for name, one in served.items() if one.not_after < now
    ]:
        return finding("certificate", f"{', '.join(over)}: renew-certificates", holds=False)
    if alone := [name for name, one in served.items() if one.self_signed]:
        return unknown("certificate", f"nobody vouches for that of {', '.join(alone)}: the gateway made it itself")
    soonest = min(one.not_after for one in served.values())
    return finding("certificate", f"valid until {soonest:%Y-%m-%d}", holds=True)


def configuration(gateway: Service | None, is_file: Callable[[str], bool]) -> Finding:
    """The gateway's configuration is mounted as folders: a file that is renamed into place is another inode.

    Args:
        gateway: The service; None where the project has none of that name.
        is_file: Whether a path is a file on this host; elsewhere there is nothing to see.
    """
    binds = gateway.binds.items() if gateway else ()
    found = ", ".join(source for inside, source in binds if inside.startswith(GATEWAY_FOLDER) and is_file(source))
    says = f"{found}: a container goes on seeing the file that was there when it started; mount the folder"
    return finding("gateway configuration", says if found else "no single file is mounted", holds=not found)


def backup(taken_at: datetime | None, now: datetime, within: timedelta) -> Finding:
    """There is a way back from a migration that removes something: a verified backup that is young enough."""
    allowed = f"{within.total_seconds() / 3600:g} h are allowed"
    if taken_at is None:
        return finding("backup", f"there is no verified one, {allowed}", holds=False)
    says = f"the newest verified one is {(now - taken_at).total_seconds() / 3600:.1f} h old, {allowed}"
    return finding("backup", says, holds=now - taken_at <= within)
