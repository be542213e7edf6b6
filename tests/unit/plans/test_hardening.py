"""What a hardened stack looks like."""

from collections.abc import Iterable
from typing import Any

import pytest

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.finding import Weakness
from pawpaw_ops.plans import hardening

CANARY = "canary-in-a-secret"
LABELS = {"com.docker.compose.service": "api", "com.docker.compose.config-hash": "h1"}
GOOD: dict[str, Any] = {
    "Name": "/paw-api-1",
    "Image": "sha256:a",
    "Config": {"Labels": LABELS, "User": "1000:1000", "Env": [f"DB_PASSWORD={CANARY}"]},
    "HostConfig": {
        "Privileged": False, "CapDrop": ["ALL"], "CapAdd": None, "SecurityOpt": ["no-new-privileges:true"],
        "ReadonlyRootfs": True, "NetworkMode": "paw_internal", "PidMode": "", "IpcMode": "private", "Memory": 1 << 28,
        "PidsLimit": 256, "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
    },
    "Mounts": [{"Type": "bind", "Source": "/var/lib/docker/containers", "RW": False}],
    "NetworkSettings": {"Ports": {"4000/tcp": None, "9090/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9090"}]}},
}  # fmt: skip


def failed(found: Iterable[Weakness]) -> list[str]:
    return sorted(one.check for one in found if one.verdict is Verdict.FAILED)


def but(part: str, **more: Any) -> dict[str, Any]:
    return {**GOOD, part: {**GOOD[part], **more}}


def test_hardening_HRD_02_a_container_as_it_should_be_has_no_finding() -> None:
    (one,) = hardening.running(GOOD, gateway="nginx")
    assert one.verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("found", "check"),
    [
        (but("HostConfig", Privileged=True), "privileged"),
        (but("HostConfig", CapDrop=None), "capabilities"),
        (but("HostConfig", CapAdd=["NET_ADMIN"]), "capabilities"),
        (but("HostConfig", SecurityOpt=None), "new-privileges"),
        (but("Config", User=""), "root-user"),
        (but("Config", User="0:0"), "root-user"),
        (but("HostConfig", ReadonlyRootfs=False), "writable-root"),
        (but("HostConfig", NetworkMode="host"), "host-namespace"),
        (but("HostConfig", PidsLimit=None), "pids-limit"),
        (but("HostConfig", Memory=0), "memory-limit"),
        (but("HostConfig", LogConfig={"Type": "json-file", "Config": {}}), "log-rotation"),
        ({**GOOD, "Mounts": [{"Type": "bind", "Source": "/var/run/docker.sock", "RW": True}]}, "engine-socket"),
        ({**GOOD, "Mounts": [{"Type": "bind", "Source": "/var/lib/docker/containers", "RW": True}]}, "host-folder"),
        (but("NetworkSettings", Ports={"3100/tcp": [{"HostIp": "0.0.0.0", "HostPort": "3100"}]}), "published-port"),  # noqa: S104
    ],
)
def test_hardening_HRD_01_each_thing_that_is_open_is_found_by_itself(found: dict[str, Any], check: str) -> None:
    assert failed(hardening.running(found, gateway="nginx")) == [check]


def test_hardening_HRD_01_only_the_gateway_may_be_asked_by_everybody() -> None:
    ports = {"8443/tcp": [{"HostIp": "", "HostPort": "443"}, {"HostIp": "::", "HostPort": "443"}]}
    assert failed(hardening.running(but("NetworkSettings", Ports=ports), gateway="api")) == []


@pytest.mark.parametrize(
    ("hashes", "images", "found"),
    [
        ({"api": "h1"}, {"api": "sha256:a"}, []),
        ({"api": "h2"}, {"api": "sha256:a"}, ["drift"]),
        ({"api": "h1"}, {"api": "sha256:b"}, ["drift"]),
        ({"web": "h1"}, {}, ["drift"]),
        ({"api": "h1"}, {}, []),
    ],
)
def test_hardening_HRD_03_what_runs_is_what_the_files_say(
    hashes: dict[str, str], images: dict[str, str], found: list[str]
) -> None:
    assert failed(hardening.drift([GOOD], hashes, images)) == found


API = "http://127.0.0.1:4200/api"
KEY = frozenset({"PREFECT_SERVER_ENCRYPTION_KEY", "PATH"})


@pytest.mark.parametrize(
    ("api", "status", "server", "wrong"),
    [
        (API, 401, ("127.0.0.1", KEY), []),
        (API, 200, ("127.0.0.1", KEY), ["prefect-auth"]),
        (API, 401, ("127.0.0.1", frozenset({"PATH"})), ["prefect-key"]),
        (API, 401, ("0.0.0.0", KEY), ["prefect-address"]),  # noqa: S104
        ("http://ops.example.com/api", 401, ("127.0.0.1", KEY), ["prefect-tls"]),
        ("https://ops.example.com/api", 403, ("::1", KEY), []),
    ],
)
def test_hardening_HRD_04_a_control_plane_without_login_key_or_walls_fails(
    api: str, status: int, server: tuple[str, frozenset[str]], wrong: list[str]
) -> None:
    assert failed(hardening.control_plane(api, status, server)) == wrong


def test_hardening_HRD_04_what_cannot_be_looked_at_is_not_verified() -> None:
    found = hardening.control_plane(API, 0, None)
    assert {one.verdict for one in found} == {Verdict.NOT_VERIFIED}
    assert {one.check for one in found} == {"prefect-auth", "prefect-key"}


def test_hardening_HRD_05_secrets_are_judged_and_never_told() -> None:
    env = {
        "DB_PASSWORD": "changeme-" + CANARY, "JWT_SECRET": "", "A_TOKEN": CANARY * 2, "B_TOKEN": CANARY * 2,
        "C_SECRET": "short", "JWT_PREVIOUS_SECRET": "", "DB_NAME": "admin",
    }  # fmt: skip
    found = hardening.env_values(env)
    assert {(one.check, one.where) for one in found} == {
        ("secret-weak", "DB_PASSWORD"), ("secret-empty", "JWT_SECRET"), ("secret-shared", "A_TOKEN"),
        ("secret-shared", "B_TOKEN"), ("secret-weak", "C_SECRET"),
    }  # fmt: skip
    told = " ".join(one.model_dump_json() for one in (*found, *hardening.running(GOOD, gateway="")))
    assert CANARY not in told
    assert "short" not in told.replace("shorter", "")


def test_hardening_HRD_01_a_file_that_others_may_read_is_too_open() -> None:
    assert hardening.file_mode("file-mode", ".env", 0o100644, allowed=0o600).verdict is Verdict.FAILED
    assert hardening.file_mode("file-mode", ".env", 0o100400, allowed=0o600).verdict is Verdict.VERIFIED


def test_hardening_HRD_01_prometheus_asks_no_host_that_there_is_not() -> None:
    config = {"scrape_configs": [{"static_configs": [{"targets": ["node_exporter:9100", "localhost:9090"]}]}]}
    assert failed(hardening.scrape_targets(config, ["prometheus"])) == ["scrape-targets"]
    assert failed(hardening.scrape_targets(config, ["node_exporter"])) == []


def test_hardening_HRD_01_a_file_that_the_linter_could_not_read_is_unknown() -> None:
    (one,) = hardening.parse_lint({"findings": [], "errors": ["include: not followed"]})
    assert one.verdict is Verdict.NOT_VERIFIED
