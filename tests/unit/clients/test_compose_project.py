"""Parsing the engine's view of a project's containers."""

from pawpaw_ops.clients.compose_project import SERVICE, parse


def test_a_container_with_a_check() -> None:
    seen = parse(
        {
            "Name": "/shop-redis-1",
            "Config": {"Labels": {SERVICE: "redis"}},
            "State": {
                "Status": "running",
                "ExitCode": 0,
                "StartedAt": "2026-11-24T13:26:38.123456789Z",
                "Health": {"Status": "healthy"},
            },
            "RestartCount": 2,
        }
    )
    assert (seen.service, seen.name, seen.health, seen.restarts, seen.up) == (
        "redis",
        "shop-redis-1",
        "healthy",
        2,
        True,
    )


def test_a_container_without_a_check_that_ended() -> None:
    seen = parse(
        {
            "Name": "/shop-migrate-1",
            "Config": {"Labels": {SERVICE: "migrate"}},
            "State": {"Status": "exited", "ExitCode": 78, "StartedAt": "0001-01-01T00:00:00Z"},
            "RestartCount": 0,
        }
    )
    assert (seen.health, seen.failed) == ("", "ended with exit code 78")
