"""The production stack, up for real: it sells, it is closed to the world, and it heals."""

from pathlib import Path

import pytest

from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.commands import compose
from pawpaw_ops.models.project import Project
from tests.e2e.support_shop import RunningStack
from tests.integration.stack.support_docker import docker
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures")


def test_an_order_placed_over_tls_is_in_the_primary_and_on_the_replica(stack: RunningStack) -> None:
    shop = stack.shop()
    shop.register()
    shop.fill_cart()
    first = shop.order("the-same-key-0001")
    assert first.status_code == 201, first.text
    number = first.json()["id"]
    again = shop.order("the-same-key-0001")
    assert again.status_code == 200, again.text
    question = f"SELECT count(*) FROM orders WHERE id::text = '{number}'"
    assert stack.sql(question) == "1"
    wait_until(lambda: stack.sql(question, service="postgres_replica") == "1", "the replica has the order")


def test_the_shop_itself_is_served(stack: RunningStack) -> None:
    shop = stack.shop()
    assert '<div id="root"' in shop.http.get("/").text
    assert shop.http.get("/producto/que-no-hay").status_code == 200
    assert shop.http.get("/assets/none.js").status_code == 404
    assert shop.http.get("/metrics").headers["content-type"].startswith("text/html")


def test_nothing_listens_beyond_loopback_but_the_gateway(stack: RunningStack) -> None:
    for one in stack.containers():
        published = [port for ports in (one["NetworkSettings"]["Ports"] or {}).values() for port in ports or ()]
        service = one["Config"]["Labels"]["com.docker.compose.service"]
        if service == "nginx":
            assert {port["HostPort"] for port in published} == {stack.values["HTTP_PORT"], stack.values["HTTPS_PORT"]}
        else:
            assert {port["HostIp"] for port in published} <= {"127.0.0.1"}, service


OUTSIDE = {"nginx": "edge"} | dict.fromkeys(("prometheus", "alertmanager", "grafana"), "monitoring")
"""Services with a network that leads out: to be reached on loopback, or to send alerts."""


def test_only_the_gateway_and_the_watchers_have_a_way_out(stack: RunningStack) -> None:
    inner = f"{stack.name}_internal"
    assert docker("network", "inspect", "--format", "{{.Internal}}", inner).strip() == "true"
    for one in stack.containers():
        service = one["Config"]["Labels"]["com.docker.compose.service"]
        outside = {f"{stack.name}_{OUTSIDE[service]}"} if service in OUTSIDE else set()
        assert set(one["NetworkSettings"]["Networks"]) == {inner} | outside, service


def test_containers_have_no_rights_that_they_do_not_need(stack: RunningStack) -> None:
    for one in stack.containers():
        host, service = one["HostConfig"], one["Config"]["Labels"]["com.docker.compose.service"]
        assert one["Config"]["User"].split(":")[0] not in {"", "0", "root"}, service
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert host["Memory"], service
        assert host["PidsLimit"], service
        assert not host["Privileged"], service
        sockets = [mount for mount in one["Mounts"] if mount["Destination"].endswith("docker.sock")]
        assert not any(mount["RW"] for mount in sockets), service


def test_no_secret_stands_in_an_argument_or_a_log(stack: RunningStack) -> None:
    canaries = [value for name, value in stack.values.items() if name.endswith(("PASSWORD", "SECRET"))]
    assert len(canaries) >= 10
    logs = stack.logs()
    for one in stack.containers():
        name = one["Name"].lstrip("/")
        seen = docker("top", name, "-eo", "pid,args") if one["State"]["Running"] else ""
        assert not [value for value in canaries if value in seen], name
    assert not [value for value in canaries if value in logs]


@pytest.mark.parametrize("service", ["nginx", "frontend", "backend", "postgres", "postgres_replica", "redis"])
def test_a_killed_container_heals(stack: RunningStack, service: str) -> None:
    """`kill -9` of any one container; the shop sells again by itself, and carts are still there."""
    shop = stack.shop()
    shop.register()
    shop.fill_cart(2)
    cart = shop.cart()
    before = stack.container(service)["RestartCount"]
    stack.kill(service)
    wait_until(lambda: stack.container(service)["RestartCount"] > before, f"{service} is started again")
    for each in ("postgres", "postgres_replica", "redis", "frontend", "backend", "nginx"):
        stack.wait_healthy(each)
    wait_until(lambda: shop.http.get("/api/cart").status_code == 200, "the shop answers again")
    assert shop.cart() == cart
    assert shop.order().status_code == 201


def test_a_replica_with_nothing_seeds_itself_again(stack: RunningStack) -> None:
    stack.compose("rm", "--force", "--stop", "postgres_replica")
    docker("volume", "rm", f"{stack.name}_postgres_replica")
    stack.compose("up", "--detach", "--no-deps", "postgres_replica")
    stack.wait_healthy("postgres_replica")
    assert stack.sql("SELECT pg_is_in_recovery()", service="postgres_replica") == "t"
    orders = stack.sql("SELECT count(*) FROM orders")
    wait_until(
        lambda: stack.sql("SELECT count(*) FROM orders", service="postgres_replica") == orders, "it has them all"
    )


def test_starting_again_changes_nothing(stack: RunningStack) -> None:
    again = ("up", "--detach", "--no-build")
    stack.compose(*again)  # a rotation of Redis' passwords leaves that to the next start
    stack.wait_healthy("redis")
    ids = {one["Id"] for one in stack.containers()}
    stack.compose(*again)
    stayed = {one["Id"] for one in stack.containers()}
    assert len(ids - stayed) <= 1  # the one-shot migration may run again


def test_a_new_password_of_a_role_recreates_its_consumers_and_not_the_database(
    stack: RunningStack, tmp_path: Path
) -> None:
    """What `up -d` would recreate shows in the hash of a service's settings."""
    text = stack.project.env_file.read_text()
    password = read_env(stack.project.env_file)["DB_PASSWORD"]
    changed = tmp_path / "changed.env"
    changed.write_text(text.replace(f"\nDB_PASSWORD={password}\n", "\nDB_PASSWORD=another-one\n"))
    after = stack.project.model_copy(update={"env_file": changed})
    differ = set(hashes(stack.project).items()) ^ set(hashes(after).items())
    assert {service for service, _ in differ} == {"roles", "migrate", "backend"}


def hashes(project: Project) -> dict[str, str]:
    said = docker(*compose.compose(project, "config", "--hash", "*").argv[1:])
    return dict(line.split() for line in said.splitlines())
