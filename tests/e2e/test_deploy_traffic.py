"""What a change of the gateway does to requests and connections that are there already, and to the gateway itself."""

import asyncio
import json
import secrets
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from pawpaw_ops.clients.gateway import reload
from pawpaw_ops.runner import LocalRunner
from tests.e2e.load_connection import Connection
from tests.e2e.support_deploy import QUICK, Shop
from tests.integration.support_child import Child
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")
IDLE = 50


def carried_out(shop: Shop) -> Counter[str]:
    """Count how often each slow request that has an id was carried out, by the backends' own logs."""
    lines = shop.stack.compose("logs", "--no-color", "--no-log-prefix", "backend").splitlines()
    return Counter(json.loads(line)["slow"] for line in lines if line.startswith('{"slow":'))


def test_deploy_B2_requests_under_way_at_the_switch_are_finished_and_carried_out_once(shop: Shop) -> None:
    """One of 20 s, and many of 1.5 s; the old replicas stay warm so that their logs can be read."""
    asked: list[str] = []
    http = shop.stack.shop().http

    def slow(ms: int) -> int:
        asked.append(f"b2-{secrets.token_hex(6)}")
        return http.get("/api/slow", params={"ms": ms, "id": asked[-1]}, timeout=60).status_code

    version = shop.offer()
    with ThreadPoolExecutor() as pool:
        long = pool.submit(slow, 20_000)
        wait_until(lambda: bool(asked) and carried_out(shop)[asked[0]] == 1, "it is under way")
        deployed = pool.submit(shop.deploy, version, keep_warm_s=600)
        answers: list[int] = []
        while not deployed.done():
            answers += pool.map(slow, [1500] * 3)
        assert deployed.result() == shop.ledger[-1].id
        assert long.result() == 200
    assert set(answers) == {200}
    done = carried_out(shop)
    assert {done[one] for one in asked} == {1}
    shop.deploy(shop.offer())


def test_deploy_B8_a_connection_that_is_idle_at_the_reload_serves_the_next_request(shop: Shop) -> None:
    async def ask_before_and_after() -> list[int]:
        connections = [Connection(f"https://localhost:{shop.stack.values['HTTPS_PORT']}") for _ in range(IDLE)]
        try:
            for one in connections:
                await one.ask("GET", "/api/products")
            await asyncio.to_thread(reload, shop.stack.project, LocalRunner())
            answers = await asyncio.gather(*(one.ask("GET", "/api/products") for one in connections))
        finally:
            for one in connections:
                one.close()
        return [status for status, _ in answers]

    assert asyncio.run(ask_before_and_after()) == [200] * IDLE


@contextmanager
def no_names(pid: int) -> Iterator[None]:
    """Keep a container's questions from Docker's name server: nobody answers them."""
    rule = ("OUTPUT", "--destination", "127.0.0.11", "--jump", "DROP")
    inside = ("nsenter", "--target", str(pid), "--net", "iptables")
    subprocess.run((*inside, "--insert", *rule), check=True)
    try:
        yield
    finally:
        subprocess.run((*inside, "--delete", *rule), check=True)


def test_deploy_C6_while_the_gateway_gets_no_name_answered_every_request_is(shop: Shop) -> None:
    with shop.customers() as load, ExitStack() as silent:
        for service in ("nginx", "frontend"):
            for one in shop.stack.containers(service):
                silent.enter_context(no_names(one["State"]["Pid"]))
        load.wait_for_more(600)
    assert load.result.failed == 0, load.result.summary


@pytest.mark.parametrize("step", ["start new replicas", "switch the gateway"])
def test_deploy_C7_a_gateway_that_dies_in_the_middle_of_a_deploy_comes_up_with_the_files_of_one_release(
    shop: Shop, tmp_path: Path, step: str
) -> None:
    old, version = shop.ledger[-1].version, shop.offer()
    parameters: dict[str, Any] = {"stack": shop.name, "version": version, **QUICK}
    child = Child("deploy", str(tmp_path / "log"), **parameters)
    journal = shop.state_dir / "journal"
    wait_until(lambda: any(step in path.read_text() for path in journal.glob("*.jsonl")), f"it is at {step!r}")
    shop.stack.kill("nginx")
    child.wait()
    shop.stack.wait_healthy("nginx")
    http = shop.stack.shop().http
    assert {http.get("/api/products").status_code for _ in range(50)} == {200}
    assert "host not found" not in shop.stack.logs()
    shop.deploy("current")
    assert shop.serves(version) or shop.serves(old)
    assert shop.left_over() == []
