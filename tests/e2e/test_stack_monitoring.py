"""The monitoring of the whole stack: everything is watched, and no panel or alert asks for what nobody measures."""

import contextlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.support_shop import RunningStack
from tests.integration.stack.support_monitoring import (
    NO_LOGS,
    NO_OPERATIONS,
    check_every_query,
    check_every_rule_selector,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures")
UNWATCHED = {"loki", "log_shipper"}
"""Jobs without a target here: their programs cannot be had without a registry."""


def prometheus(stack: RunningStack) -> str:
    return f"http://127.0.0.1:{stack.values['PROMETHEUS_PORT']}"


def targets(stack: RunningStack) -> list[dict[str, Any]]:
    answer = httpx.get(f"{prometheus(stack)}/api/v1/targets", params={"state": "active"}, trust_env=False, timeout=30)
    found: list[dict[str, Any]] = answer.json()["data"]["activeTargets"]
    return found


def test_every_target_is_up_and_each_replica_is_one(stack: RunningStack) -> None:
    def all_up() -> bool:
        found = targets(stack)
        jobs = {one["labels"]["job"] for one in found}
        return {one["health"] for one in found} == {"up"} and len(jobs) == 8

    def each_replica_is_one() -> bool:
        backends = {one["labels"]["instance"] for one in targets(stack) if one["labels"]["job"] == "backend"}
        networks = [one["NetworkSettings"]["Networks"] for one in stack.containers("backend")]
        return backends == {f"{net['IPAddress']}:4000" for those in networks for net in those.values()}

    wait_until(all_up, "every target is up", deadline_s=120)
    wait_until(each_replica_is_one, "each replica is a target, and nothing else is", deadline_s=120)
    assert not UNWATCHED & {one["labels"]["job"] for one in targets(stack)}


def test_every_panel_and_every_alert_finds_its_series(stack: RunningStack) -> None:
    shop = stack.shop()
    shop.register()
    shop.fill_cart()
    assert shop.order().status_code == 201
    lacking = {**NO_LOGS, **NO_OPERATIONS}

    problems: list[str] = []

    def complete() -> bool:
        url = prometheus(stack)
        problems[:] = check_every_query(url, lacking) + check_every_rule_selector(url, lacking)
        return not problems

    with contextlib.suppress(AssertionError):  # what is missing says more than that time is over
        wait_until(complete, "all series are there", deadline_s=180, every_s=2)
    assert problems == []


def test_the_shipper_is_told_of_every_container_that_writes(stack: RunningStack) -> None:
    (listed,) = Path(stack.values["LOG_TARGETS_DIR"]).glob("*.json")
    named = {(one["labels"]["service"], one["labels"]["replica"]) for one in json.loads(listed.read_text())}
    running = {
        (
            one["Config"]["Labels"]["com.docker.compose.service"],
            one["Config"]["Labels"]["com.docker.compose.container-number"],
        )
        for one in stack.containers()
        if one["State"]["Running"]
    }
    assert running <= named
