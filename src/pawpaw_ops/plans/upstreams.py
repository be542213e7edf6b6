"""The gateway's upstream files: rendered from the containers that are to serve, and read back.

Addresses, not names: a name would be looked up while requests wait, and a reload does not look it up again. One name is
there as the last resort. What
nginx could understand in another way than it is meant is refused before a file is written.

Source: stack/gateway/README.md has the contract; gateway-start has the same numbers for the first boot.
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.base import Noun

SERVICES = ("backend", "frontend")
BOOTSTRAP = "bootstrap"
"""The generation of a gateway that no deploy has touched."""
PORTS = range(1, 65536)
PARAMETERS = "max_fails=2 fail_timeout=2s"
"""nginx's own, one failure and ten seconds, let two crashes in a row take every replica out."""

_RELEASE = re.compile(r"[A-Za-z0-9._:-]+")
_CONTAINER = re.compile(r"[0-9a-f]{12,64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SERVER = re.compile(
    r"\s*server (?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<v4>[0-9.]+)):\d+[^;#]*;(?: # (?P<container>[0-9a-f]+) (?P<name>\S+))?\s*"
)
_BACKUP = re.compile(r"    server [a-z]+:\d+ resolve [^;#]* backup;")
_MARKER = re.compile(r"(?P<generation>\S+) (?P<release>\S+)")
_MAP = 'map "" $pawpaw_{name} {{ default "{value}"; }}\n'


class Member(Noun):
    """One replica that takes requests.

    Attributes:
        address: Its IP address in the network that it shares with the gateway.
        container_id: The engine's; with another id the same address is another replica.
        name: The container's name.
    """

    address: str
    container_id: str = ""
    name: str = ""


class Members(Noun):
    """The replicas of one service, and the port that all of them listen on."""

    service: str
    port: int
    addresses: tuple[Member, ...]


class Marker(NamedTuple):
    """Which generation of the files serves, and the release that it stands for; generation 0 is the bootstrap."""

    generation: int
    release: str


def render(services: Iterable[Members], *, release: str, generation: int) -> dict[str, str]:
    """Return file name -> text of the three files. The same replicas in another order make the same text.

    Args:
        services: One for the backend, one for the frontend.
        release: The release's id.
        generation: Counts the changes of the files, from 1.

    Raises:
        ConfigError: Something in it is not what it has to be; names it.
    """
    by_service = {one.service: one for one in services}
    if sorted(by_service) != sorted(SERVICES):
        raise ConfigError(f"the gateway serves {' and '.join(SERVICES)}; given were {', '.join(by_service) or 'none'}.")
    if not _RELEASE.fullmatch(release):
        raise ConfigError(f"{release!r} is no release id.", hint="Letters, digits and . _ : - are allowed.")
    if generation < 1:
        raise ConfigError(f"{generation} is no generation; the first is 1.")
    files = {f"{name}.conf": _upstream(by_service[name], release) for name in SERVICES}
    marker = _MAP.format(name="generation", value=generation) + _MAP.format(name="release", value=release)
    return {**files, "release.conf": marker}


def _upstream(members: Members, release: str) -> str:
    if not members.addresses:
        raise ConfigError(f"no replica of {members.service} is to serve.")
    if members.port not in PORTS:
        raise ConfigError(f"{members.port} is no port of {members.service}.")
    servers = sorted((one.name, _server(one, members)) for one in members.addresses)
    addresses = [one.address for one in members.addresses]
    if len(set(addresses)) < len(addresses):
        raise ConfigError(f"two replicas of {members.service} have the same address: {', '.join(addresses)}.")
    lines = "\n".join(line for _, line in servers)
    upstream = f"pawpaw_{members.service}"
    return f"""# Release {release}. Written by a deploy: what is changed here is lost with the next one.
upstream {upstream} {{
    zone {upstream} 128k;
{lines}
    # Asked only when none of these answers: a host that started again may have given every replica another address.
    server {members.service}:{members.port} resolve {PARAMETERS} backup;
    keepalive 32;
    # Shorter than the server's own, so that nginx never sends into a connection that the other side is closing.
    keepalive_timeout 4s;
}}
"""


def _server(member: Member, members: Members) -> str:
    who = member.name or members.service
    if not (_CONTAINER.fullmatch(member.container_id) and _NAME.fullmatch(member.name)):
        raise ConfigError(f"{member.container_id!r} and {member.name!r} are no container's id and name.")
    try:
        address = ip_address(member.address)
    except ValueError:
        raise ConfigError(f"{member.address!r} is no IP address of {who}.") from None
    scoped = isinstance(address, IPv6Address) and address.scope_id is not None
    if scoped or address.is_unspecified or address.is_multicast or str(address) != member.address:
        raise ConfigError(f"{member.address!r} is no IP address that {who} could be reached at.")
    return f"    server {_host(address)}:{members.port} {PARAMETERS}; # {member.container_id} {member.name}"


def _host(address: IPv4Address | IPv6Address) -> str:
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)


def readdress(files: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Return files that list the same replicas where they are now.

    Args:
        files: File name -> text, as `render` made it.
        now: Container id -> its address; a replica that is not among them stays as it is listed.
    """
    return {name: "\n".join(_readdressed(line, now) for line in text.split("\n")) for name, text in files.items()}


def _readdressed(line: str, now: Mapping[str, str]) -> str:
    match = _SERVER.fullmatch(line)
    address = now.get(match["container"] or "") if match else None
    if match is None or address is None:
        return line
    was = match["v6"] or match["v4"]
    return line.replace(_host(ip_address(was)), _host(ip_address(address)), 1)


def parse_members(text: str) -> tuple[Member, ...]:
    """Return the replicas that a live file lists, in its order; without the comments their ids are empty.

    Raises:
        ConfigError: It lists none, or one in a way that no deploy writes: a name instead of an address, for example.
    """
    found = []
    for line in text.splitlines():
        if not line.split("#")[0].strip().startswith("server") or _BACKUP.fullmatch(line):
            continue
        match = _SERVER.fullmatch(line)
        if match is None:
            raise ConfigError(f"no deploy wrote the line {line.strip()!r} of the gateway's upstream file.")
        address = match["v6"] or match["v4"]
        found.append(Member(address=address, container_id=match["container"] or "", name=match["name"] or ""))
    if not found:
        raise ConfigError("the gateway's upstream file lists no replica.")
    return tuple(found)


def parse_marker(text: str) -> Marker:
    """Parse what the gateway answers at /release.

    Raises:
        PreconditionError: It is something else.
    """
    match = _MARKER.fullmatch(text.strip())
    return _marker(match["generation"] if match else "", match["release"] if match else "", text)


def parse_release_file(text: str) -> Marker:
    """Parse release.conf.

    Raises:
        PreconditionError: It is something else.
    """
    found = dict(re.findall(r'\$pawpaw_(generation|release) \{ default "([^"]*)"; \}', text))
    return _marker(found.get("generation", ""), found.get("release", ""), text)


def _marker(generation: str, release: str, text: str) -> Marker:
    if not _RELEASE.fullmatch(release) or not re.fullmatch(rf"{BOOTSTRAP}|\d+", generation, re.ASCII):
        raise PreconditionError(f"the gateway names no generation and release: {text[:200]!r}.")
    return Marker(0 if generation == BOOTSTRAP else int(generation), release)
