"""Parsing the engine's view of a project's containers."""

from pawpaw_ops.clients.compose_project import NUMBER, SERVICE, parse


def test_a_container_with_a_check() -> None:
    seen = parse(
        {
            "Name": "/shop-redis-1",
            "Config": {"Labels": {SERVICE: "redis", NUMBER: "2"}},
            "State": {
                "Status": "running",
                "ExitCode": 0,
                "StartedAt": "2026-11-24T13:26:38.123456789Z",
                "Health": {"Status": "healthy"},
            },
            "RestartCount": 2,
            "LogPath": "/d/1-json.log",
            "HostConfig": {"NetworkMode": "shop_internal"},
            "NetworkSettings": {"Networks": {"shop_internal": {"IPAddress": "172.20.0.5"}}},
        }
    )
    assert (seen.service, seen.name, seen.health, seen.restarts, seen.up) == (
        "redis",
        "shop-redis-1",
        "healthy",
        2,
        True,
    )
    assert (seen.number, seen.address, seen.log_file) == (2, "172.20.0.5", "/d/1-json.log")


def test_a_container_without_a_check_that_ended() -> None:
    seen = parse(
        {
            "Name": "/shop-migrate-1",
            "Config": {"Labels": {SERVICE: "migrate"}},
            "State": {"Status": "exited", "ExitCode": 78, "StartedAt": "0001-01-01T00:00:00Z"},
            "RestartCount": 0,
            "HostConfig": {"NetworkMode": "shop_internal"},
            "NetworkSettings": {"Networks": {"shop_internal": {"IPAddress": ""}}},
        }
    )
    assert (seen.number, seen.address, seen.log_file) == (1, "", "")
    assert (seen.health, seen.failed) == ("", "ended with exit code 78")
