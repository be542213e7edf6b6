"""What a Compose file says of its services, as far as a deploy decides by it."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import Field

from pawpaw_ops.models.base import Noun

PORT, READY, SMOKE = "pawpaw.port", "pawpaw.ready", "pawpaw.smoke"
"""Labels: the port behind the gateway, the path that says whether it may get traffic, one that must be whole."""
ASSETS, PRIVATE = "pawpaw.assets", "pawpaw.private"
"""Labels: a folder of files for open pages, and a path that only who is logged in may see."""
DURATION = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>[\d.]+)s)?")
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?::?[-?][^}]*)?\}")
GRACE_S = 10.0
"""Docker's own."""


class Kind(StrEnum):
    """How a service may be replaced."""

    ROLLING = "rolling"
    SINGULAR = "singular"
    ONCE = "once"


class Service(Noun):
    """One service.

    Attributes:
        kind: Rolling ones have new replicas beside the old; a singular one must end before it begins again.
        why: Why it is singular.
        image: What Compose would start.
        variable: Variable of the `.env` that names the image; empty where none does.
        builds: Whether the Compose file says how to build it.
        replicas: How many are wanted.
        port: Where the gateway reaches it; 0 where it is not behind the gateway.
        ready: Path that answers 200 when it may get traffic.
        smoke: Path that answers 200 when it works.
        assets: Folder with files whose names change with their content; the gateway serves those of older releases on.
        private: Path that answers 200 to a good session token and 401 to another; empty where it has none.
        env_names: Names of its variables; their values are nobody's business here.
        memory_bytes: What one replica may take; 0 is no limit.
        grace_s: How long it may take to end, in seconds.
        checked: Whether the Compose file gives or forbids a health check; None leaves it to the image.
        binds: Path inside -> path of the engine's host.
    """

    name: str
    kind: Kind
    why: str = ""
    image: str
    variable: str = ""
    builds: bool = False
    replicas: int = 1
    port: int = 0
    ready: str = ""
    smoke: str = ""
    assets: str = ""
    private: str = ""
    env_names: tuple[str, ...] = ()
    memory_bytes: int = 0
    grace_s: float = GRACE_S
    checked: bool | None = None
    binds: Mapping[str, str] = Field(default_factory=dict)

    @property
    def served(self) -> bool:
        """It gets its requests through the gateway."""
        return self.kind is Kind.ROLLING and self.port > 0


def parse_services(config: Mapping[str, Any], raw: Mapping[str, Any]) -> tuple[Service, ...]:
    """Parse what `docker compose config` printed as JSON.

    Args:
        config: With all variables filled in.
        raw: With none (`--no-interpolate`): it has the names of the variables.

    Source: compose-spec.io, as Compose 2.20 and newer print it.
    """
    found = config["services"]
    return tuple(_service(name, found[name], raw["services"].get(name, {})) for name in sorted(found))


def _service(name: str, found: Mapping[str, Any], raw: Mapping[str, Any]) -> Service:
    labels = found.get("labels") or {}
    match = VARIABLE.fullmatch(raw.get("image", ""))
    why = _singular(found)
    once = found.get("restart") == "no"
    check = found.get("healthcheck")
    return Service(
        name=name,
        kind=Kind.ONCE if once else Kind.SINGULAR if why else Kind.ROLLING,
        why="" if once else why,
        image=found.get("image", ""),
        variable=match["name"] if match else "",
        builds="build" in found,
        replicas=(found.get("deploy") or {}).get("replicas", found.get("scale", 1)),
        port=int(labels.get(PORT, 0)),
        ready=labels.get(READY, ""),
        smoke=labels.get(SMOKE, ""),
        assets=labels.get(ASSETS, ""),
        private=labels.get(PRIVATE, ""),
        env_names=tuple(sorted(found.get("environment") or {})),
        memory_bytes=int(found.get("mem_limit", 0)),
        grace_s=seconds(found["stop_grace_period"]) if "stop_grace_period" in found else GRACE_S,
        checked=None if check is None else not check.get("disable", False),
        binds={one["target"]: one["source"] for one in found.get("volumes") or () if one["type"] == "bind"},
    )


def _singular(found: Mapping[str, Any]) -> str:
    """Return why two of it cannot run side by side; empty where they can."""
    if found.get("container_name"):
        return "it has a container name"
    if any(port.get("published") for port in found.get("ports") or ()):
        return "it publishes a port"
    writes = [
        one for one in found.get("volumes") or () if not one.get("read_only") and one["type"] in {"volume", "bind"}
    ]
    return f"it writes to {writes[0].get('source', 'a volume')}" if writes else ""


def seconds(duration: str) -> float:
    """Parse a duration as Compose prints it: `1m30s`."""
    match = DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration!r} is no duration")
    return int(match["h"] or 0) * 3600 + int(match["m"] or 0) * 60 + float(match["s"] or 0)
