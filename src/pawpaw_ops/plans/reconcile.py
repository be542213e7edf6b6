"""The gateway's files held against the containers that there are: what would make them true again."""

import re
from collections.abc import Container, Iterable, Mapping

from pawpaw_ops.models.base import Noun
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.plans.upstreams import SERVICES, Member, Members, parse_members

PORT = re.compile(r"^    server \S+:(\d+) ", re.MULTILINE)


class Drift(Noun):
    """What the gateway's files say that is no longer so.

    Attributes:
        wrong: Service -> what is wrong, for people; empty where all is true.
        members: What the files should list; empty where they cannot be made true, as no replica of a service is up.
        silent: Services of which no replica is up.
    """

    wrong: dict[str, str]
    members: tuple[Members, ...]
    silent: tuple[str, ...]


def drift(files: Mapping[str, str], found: Iterable[Seen], *, warm: Container[str] = ()) -> Drift:
    """Compare the upstream files with the containers.

    A replica belongs there when it is up, or listed and not unhealthy, and runs an image that a listed one runs: what a
    deploy has started and not yet proven does not. Without one listed replica left, every one that is up belongs there.

    Args:
        files: Name -> text; empty where no deploy wrote any, and then names serve and nothing drifts.
        found: Containers of the project.
        warm: Ids of those that run without requests on purpose.
    """
    if not files:
        return Drift(wrong={}, members=(), silent=())
    containers = tuple(one for one in found if one.id not in warm)
    wrong, members, silent = {}, [], []
    for service in SERVICES:
        text = files[f"{service}.conf"]
        listed = {(one.container_id, one.address, one.name) for one in parse_members(text)}
        there = _belonging([one for one in containers if one.service == service], {one[0] for one in listed})
        found_members = {(one.id, one.address, one.name) for one in there}
        if not there:
            silent.append(service)
        elif found_members != listed:
            wrong[service] = _says(listed, found_members)
        port = PORT.search(text)
        kept = tuple(Member(address=a, container_id=i, name=n) for i, a, n in sorted(found_members))
        addresses = kept or parse_members(text)
        members.append(Members(service=service, port=int(port[1]) if port else 0, addresses=addresses))
    return Drift(wrong=wrong, members=tuple(members) if wrong else (), silent=tuple(silent))


def _belonging(containers: list[Seen], listed: set[str]) -> list[Seen]:
    images = {one.image for one in containers if one.id in listed}
    return [one for one in containers if _serves(one, listed) and (not images or one.image in images)]


def _serves(one: Seen, listed: set[str]) -> bool:
    """A listed one that runs was proven before it was listed, though the engine may not have looked at it yet."""
    proven = one.id in listed and one.status == "running" and one.health != "unhealthy"
    return bool(one.address) and (one.up or proven)


def _says(listed: set[tuple[str, str, str]], found: set[tuple[str, str, str]]) -> str:
    gone = sorted(f"{name} at {address}" for _, address, name in listed - found)
    new = sorted(f"{name} at {address}" for _, address, name in found - listed)
    return f"listed and not so: {', '.join(gone) or 'none'}; so and not listed: {', '.join(new) or 'none'}"
