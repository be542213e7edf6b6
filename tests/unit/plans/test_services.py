"""What a Compose file says of its services."""

from typing import Any

import pytest

from pawpaw_ops.plans.services import Kind, Service, parse_services, seconds


def parsed(image: str = "x", **found: Any) -> Service:
    config = {"services": {"backend": {"image": "pawpaw-backend:1", **found}}}
    return parse_services(config, {"services": {"backend": {"image": image}}})[0]


def test_a_service_behind_the_gateway() -> None:
    found = parsed(
        "${BACKEND_IMAGE:-pawpaw-backend:local}",
        build={"context": "."},
        deploy={"replicas": 2},
        environment={"DB_PASSWORD": "canary", "A": "1"},
        labels={"pawpaw.port": "4000", "pawpaw.ready": "/ready", "pawpaw.smoke": "/api/products"},
        mem_limit="536870912",
        stop_grace_period="1m30s",
        volumes=[{"type": "bind", "source": "/etc/x", "target": "/etc/y", "read_only": True}],
    )
    assert found == Service(
        name="backend",
        kind=Kind.ROLLING,
        image="pawpaw-backend:1",
        variable="BACKEND_IMAGE",
        builds=True,
        replicas=2,
        port=4000,
        ready="/ready",
        smoke="/api/products",
        env_names=("A", "DB_PASSWORD"),
        memory_bytes=536870912,
        grace_s=90,
        binds={"/etc/y": "/etc/x"},
    )
    assert found.served
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"container_name": "pawpaw_db_prod"}, "it has a container name"),
        ({"ports": [{"target": 80, "published": "80"}]}, "it publishes a port"),
        ({"volumes": [{"type": "volume", "source": "redis"}]}, "it writes to redis"),
    ],
)
def test_deploy_I5_what_cannot_run_twice_is_singular(found: dict[str, Any], why: str) -> None:
    """A host port, a container name, a writer of a volume: classified, never rolled silently."""
    service = parsed(**found)
    assert (service.kind, service.why, service.served) == (Kind.SINGULAR, why, False)


def test_what_runs_to_its_end_is_no_service_to_roll() -> None:
    assert parsed(restart="no", volumes=[{"type": "volume", "source": "v"}]).kind is Kind.ONCE


@pytest.mark.parametrize("image", ["nginx:1.28", "${REGISTRY}/x:${TAG}", ""])
def test_an_image_that_no_single_variable_names(image: str) -> None:
    assert parsed(image).variable == ""


def test_deploy_A9_a_health_check_of_the_file_goes_before_the_images() -> None:
    assert parsed().checked is None
    assert parsed(healthcheck={"test": ["CMD", "true"]}).checked is True
    assert parsed(healthcheck={"disable": True}).checked is False


@pytest.mark.parametrize(("text", "value"), [("30s", 30), ("1m0s", 60), ("1h2m3.5s", 3723.5), ("", 0)])
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


def test_what_is_no_duration_is_told() -> None:
    with pytest.raises(ValueError, match="soon"):
        seconds("soon")
