"""The gateway's upstream files, written and read back."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.plans.upstreams import (
    Marker,
    Member,
    Members,
    parse_marker,
    parse_members,
    parse_release_file,
    readdress,
    render,
)

ID = "4f1c9d2e8a7b"
A = Member(address="172.20.0.5", container_id=ID, name="shop-backend-r42-1")
B = Member(address="172.20.0.6", container_id="0" * 64, name="shop-backend-r42-2")
C = Member(address="fd00::8", container_id="c" * 12, name="shop-frontend-r42-1")
BACKEND = Members(service="backend", port=4000, addresses=(A, B))
FRONTEND = Members(service="frontend", port=8080, addresses=(C,))


def test_the_files_whole() -> None:
    files = render((FRONTEND, BACKEND), release="2026.11-3", generation=42)
    assert list(files) == ["backend.conf", "frontend.conf", "release.conf"]
    assert (
        files["backend.conf"]
        == f"""# Release 2026.11-3. Written by a deploy: what is changed here is lost with the next one.
upstream pawpaw_backend {{
    zone pawpaw_backend 128k;
    server 172.20.0.5:4000 max_fails=2 fail_timeout=2s; # {ID} shop-backend-r42-1
    server 172.20.0.6:4000 max_fails=2 fail_timeout=2s; # {"0" * 64} shop-backend-r42-2
    # Asked only when none of these answers: a host that started again may have given every replica another address.
    server backend:4000 resolve max_fails=2 fail_timeout=2s backup;
    keepalive 32;
    # Shorter than the server's own, so that nginx never sends into a connection that the other side is closing.
    keepalive_timeout 4s;
}}
"""
    )
    assert "    server [fd00::8]:8080 max_fails=2 fail_timeout=2s; #" in files["frontend.conf"]
    assert files["release.conf"] == (
        'map "" $pawpaw_generation { default "42"; }\nmap "" $pawpaw_release { default "2026.11-3"; }\n'
    )


def test_the_same_replicas_elsewhere() -> None:
    """Whoever is gone, or was never told, stays as it is listed."""
    files = render((FRONTEND, BACKEND), release="1", generation=1)
    now = {A.container_id: B.address, B.container_id: "fd00::9", "d" * 12: "172.20.0.9"}
    moved = readdress(files, now)
    there = (A.model_copy(update={"address": B.address}), B.model_copy(update={"address": "fd00::9"}))
    backend = BACKEND.model_copy(update={"addresses": there})
    assert moved == render((FRONTEND, backend), release="1", generation=1)
    assert readdress(files, {}) == files


@pytest.mark.parametrize(
    "address",
    ["", "backend", "172.20.0.5:4000", "172.20.0.05", "0.0.0.1/8", "::", "224.0.0.1", "fe80::1%eth0", "[fd00::8]",
     "172.20.0.5 down", "172.20.0.5;", "FD00::8", "1"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    members = BACKEND.model_copy(update={"addresses": (A.model_copy(update={"address": address}),)})
    with pytest.raises(ConfigError, match="shop-backend-r42-1"):
        render((members, FRONTEND), release="1", generation=1)


@pytest.mark.parametrize(
    "changed",
    [{"port": 0}, {"port": 65536}, {"addresses": ()}, {"addresses": (A, A)}, {"service": "frontend"},
     {"service": "cache"}, {"addresses": (A.model_copy(update={"container_id": ""}),)},
     {"addresses": (A.model_copy(update={"container_id": ID.upper()}),)},
     {"addresses": (A.model_copy(update={"name": ""}),)},
     {"addresses": (A.model_copy(update={"name": "x\n    server 1.2.3.4:5;"}),)}],
)  # fmt: skip
def test_members_that_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        render((BACKEND.model_copy(update=changed), FRONTEND), release="1", generation=1)


@pytest.mark.parametrize("release", ["", "a b", "a\n", "a;", 'a"', "$uri", "ñ", "a/b", "{"])
def test_releases_that_are_refused(release: str) -> None:
    with pytest.raises(ConfigError, match="no release id"):
        render((BACKEND, FRONTEND), release=release, generation=1)


@pytest.mark.parametrize("generation", [0, -1])
def test_generations_that_are_refused(generation: int) -> None:
    with pytest.raises(ConfigError):
        render((BACKEND, FRONTEND), release="1", generation=generation)


addresses = st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fd00::/8")
replicas = st.builds(
    Member,
    address=addresses.map(str),
    container_id=st.from_regex(r"\A[0-9a-f]{64}\Z"),
    name=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,30}\Z"),
)
several = st.lists(replicas, min_size=1, max_size=6, unique_by=(lambda one: one.address, lambda one: one.name))
releases = st.from_regex(r"\A[A-Za-z0-9._:-]+\Z")


@given(several, releases, st.integers(1, 10**9), st.randoms())
def test_what_is_written_reads_back(made: list[Member], release: str, generation: int, chance: random.Random) -> None:
    files = render(
        (BACKEND.model_copy(update={"addresses": tuple(made)}), FRONTEND), release=release, generation=generation
    )
    assert set(parse_members(files["backend.conf"])) == set(made)
    assert parse_release_file(files["release.conf"]) == Marker(generation, release)
    assert parse_marker(f"{generation} {release}\n") == Marker(generation, release)
    shuffled = chance.sample(made, len(made))
    again = (BACKEND.model_copy(update={"addresses": tuple(shuffled)}), FRONTEND)
    assert render(again, release=release, generation=generation) == files


@given(st.text(max_size=40))
def test_no_text_gets_into_a_file_as_anything_but_a_comment(text: str) -> None:
    """Whatever is not refused leaves the file with the very same directives."""
    wanted = _directives(render((BACKEND, FRONTEND), release="x", generation=1))
    for field in ("address", "container_id", "name"):
        odd = BACKEND.model_copy(update={"addresses": (A.model_copy(update={field: text}), B)})
        try:
            files = render((odd, FRONTEND), release="x", generation=1)
        except ConfigError:
            continue
        assert len(_directives(files)) == len(wanted)
        assert field == "address" or sorted(_directives(files)) == sorted(wanted)


def _directives(files: dict[str, str]) -> list[str]:
    text = "\n".join(line.split("#")[0] for line in "".join(files.values()).splitlines())
    return [" ".join(directive.split()) for directive in text.split(";")]


def test_a_file_that_somebody_wrote_by_hand_reads_too() -> None:
    text = (
        "upstream pawpaw_backend {\n  # server 1.1.1.1:1;\n  server 172.20.0.5:4000;\n  server [fd00::8]:4000 down;\n}"
    )
    assert parse_members(text) == (Member(address="172.20.0.5"), Member(address="fd00::8"))


@pytest.mark.parametrize(
    "text", ["", "upstream pawpaw_backend { }", "    server backend:4000 resolve max_fails=2;", "server 1.2.3.4:1"]
)
def test_a_file_that_no_deploy_wrote(text: str) -> None:
    """A replica that is not seen would be one that is stopped while it serves."""
    with pytest.raises(ConfigError):
        parse_members(text)


def test_markers() -> None:
    assert parse_marker("bootstrap local\n") == Marker(0, "local")
    assert parse_marker("42 2026.11-3\n") == (42, "2026.11-3")


@pytest.mark.parametrize("text", ["", "42", "42 a b", "x a", "-1 a", "٤ a", "<html>502 Bad</html>", "42 a;"])
def test_what_is_no_marker(text: str) -> None:
    with pytest.raises(PreconditionError):
        parse_marker(text)
    with pytest.raises(PreconditionError):
        parse_release_file(text)
