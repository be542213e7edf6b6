"""Releases of the running stack under customers who never try again."""

import shutil
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from blocks import GitHubRepository, Stack
from flows.reconcile_gateway import reconcile_gateway
from flows.rollback import rollback
from pawpaw_ops.clients import releases
from pawpaw_ops.clients.env_file import change_env
from pawpaw_ops.clients.gateway import ask, live_files, put_files, reload
from pawpaw_ops.errors import PreconditionError, Undone
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.plans.upstreams import parse_marker, parse_members
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.session.audit import entries
from pawpaw_ops.tasks.reconcile import warm_for_too_long
from tests.e2e.fault_images import Fault, Images
from tests.e2e.load import ledger_faults
from tests.e2e.support_deploy import QUICK, Shop
from tests.integration.support_github import TOKEN, github_double
from tests.integration.support_limits import make_limit
from tests.waiting import SOAK, wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")
DEPLOYS = 10 if SOAK else 4


def test_deploy_B1_B5_B9_C9_deploys_in_a_row_fail_no_request_and_make_no_order_twice(shop: Shop) -> None:
    """Of frontend and backend at once; the customers speak as the pages of the first of them do."""
    since = utc_now().isoformat()
    with shop.customers() as load:
        versions = [shop.offer() for _ in range(DEPLOYS)]
        for version in versions:
            shop.deploy(version)
    assert load.result.failed == 0, load.result.summary
    assert ledger_faults(shop.stack.sql, load.result) == []
    assert "no live upstreams" not in shop.stack.compose("logs", "--no-color", "--since", since, "nginx")
    assert shop.serves(versions[-1])
    assert shop.left_over() == []


def test_deploy_L1_github_is_told_by_the_flow_itself(shop: Shop) -> None:
    with github_double() as there:
        repository = GitHubRepository(repository="paw/shop", token=SecretStr(TOKEN), api_url=there.url)
        block = Stack.named(shop.name)
        block.model_copy(update={"github": repository}).save(shop.name, overwrite=True)
        try:
            shop.deploy(shop.offer())
            with pytest.raises(Undone):
                shop.deploy(shop.offer(fault=Fault.EXITS, only="backend"))
        finally:
            block.save(shop.name, overwrite=True)
    assert there.violations == []
    said = [[status["state"] for status in statuses] for statuses in there.statuses.values()]
    assert said == [["in_progress", "success"], ["in_progress", "failure"]]


def told_prometheus(shop: Shop) -> str:
    textfile = shop.stack.project.textfile
    assert textfile is not None
    return (textfile / "deploy.prom").read_text()


def test_deploy_M1_M2_the_record_says_who_did_what_why_and_what_it_cost(shop: Shop) -> None:
    before, good, bad = shop.ledger[-1].id, shop.offer(), shop.offer(fault=Fault.EXITS, only="backend")
    shop.deploy(good)
    with pytest.raises(Undone):
        shop.deploy(bad)
    went, failed = list(entries(Stack.named(shop.name).settings()))[-2:]
    assert (went["verb"], went["was"], went["became"], went["result"]) == ("deploy", before, shop.ledger[-1].id, "ok")
    assert went["actor"]
    assert went["purpose"] == f"desplegar {good}"
    assert went["steps"].keys() >= {"start new replicas of backend, frontend", "switch the gateway"}
    assert went["requests"].keys() >= {"total", "failed", "retried"}
    assert 0 < went["switch_ms"] / 1000 < went["serving_s"]
    assert went["waits_s"].keys() == {"gate", "drain", "soak"}
    assert went["waits_s"]["soak"] >= QUICK["soak_s"]
    assert failed["requests"].keys() == went["requests"].keys()
    assert "serving_s" not in failed
    assert 0 < failed["waits_s"]["gate"] < failed["cause_named_s"]
    assert 'pawpaw_deploy_last_requests{outcome="failed"}' in (told := told_prometheus(shop))
    assert f'pawpaw_release_info{{release="{shop.ledger[-1].id}"' in told, "which release serves is as it was"
    assert (failed["purpose"], failed["result"], failed["not_undone"]) == (f"desplegar {bad}", "undone", [])


def test_deploy_I4_a_deploy_of_what_serves_does_nothing(shop: Shop) -> None:
    before = shop.everything()
    shop.deploy(shop.ledger[-1].version)
    assert shop.everything() == before


def test_deploy_C5_a_replica_that_was_added_by_hand_gets_requests_after_a_reconciliation(shop: Shop) -> None:
    count = len(shop.replicas()) + 1
    with shop.customers() as load:
        shop.stack.compose("up", "--detach", "--no-build", "--no-recreate", f"--scale=backend={count}", "backend")
        shop.stack.wait_healthy("backend")
        assert "so and not listed" in reconcile_gateway(stack=shop.name)
        listed = {one.container_id for one in parse_members(live_files(shop.stack.project)["backend.conf"])}
        assert listed == set(shop.replicas())
        assert reconcile_gateway(stack=shop.name) == ""
        version = shop.offer()
        shop.deploy(version)
    assert load.result.failed == 0, load.result.summary
    assert shop.serves(version)
    assert len(shop.replicas()) == count - 1


def test_deploy_G1_G3_a_rollback_brings_the_release_before_and_fails_no_request(shop: Shop) -> None:
    first, second = shop.offer(), shop.offer()
    shop.deploy(first)
    shop.deploy(second)
    with shop.customers() as load:
        rollback(stack=shop.name, keep_warm_s=0)
    assert load.result.failed == 0, load.result.summary
    assert shop.serves(first)
    assert shop.ledger[-1].back_from == second
    assert shop.left_over() == []


def test_deploy_G4_while_the_old_replicas_are_warm_a_rollback_is_one_switch(shop: Shop) -> None:
    first, second = shop.offer(), shop.offer()
    shop.deploy(first)
    served = shop.replicas()
    shop.deploy(second, keep_warm_s=600)
    both = shop.replicas()
    assert served.items() < both.items()
    assert reconcile_gateway(stack=shop.name) == ""  # they get no requests
    with shop.customers() as load:
        shop.back(keep_warm_s=600)
        assert shop.replicas() == both
        assert parse_marker(ask(shop.stack.project, "/release")).release == shop.ledger[-1].id
        shop.deploy(shop.offer())  # two releases are kept at most
        assert not set(both) & set(shop.replicas())
    assert load.result.failed == 0, load.result.summary
    assert shop.serves(shop.ledger[-1].version)
    assert shop.left_over() == []


def test_deploy_G4_warm_replicas_end_when_their_time_is_over(shop: Shop) -> None:
    shop.deploy(shop.offer(), keep_warm_s=0.1)
    wait_until(lambda: warm_for_too_long(Stack.named(shop.name).settings()) is not None, "their time is over")
    reconcile_gateway(stack=shop.name)
    assert shop.serves(shop.ledger[-1].version)
    assert releases.warm(shop.state_dir) is None


def test_deploy_B7_open_pages_get_the_files_of_their_own_release(shop: Shop) -> None:
    http = shop.stack.shop().http

    def ask(version: str) -> httpx.Response:
        return http.get(f"/assets/{Images.chunk(version)}")

    first, second, third = shop.offer(), shop.offer(), shop.offer()
    shop.deploy(first)
    shop.deploy(second)
    old = ask(first)
    assert (old.status_code, old.text.strip()) == (200, f"// {first}")
    assert "immutable" in old.headers["cache-control"]
    assert old.headers["content-security-policy"] == http.get("/").headers["content-security-policy"]
    shop.back()
    assert ask(second).status_code == 200
    unknown = ask("v0")
    assert (unknown.status_code, unknown.headers["cache-control"]) == (404, "no-store")
    shop.deploy(third, retain_releases=2)
    assert [ask(version).status_code for version in (first, second, third)] == [200, 404, 200]


def test_deploy_A10_onto_a_stack_that_was_never_brought_up_nothing_is_planned_and_it_is_said_how(
    shop: Shop, tmp_path: Path
) -> None:
    name, block, env_file = f"{shop.stack.name}-never", Stack.named(shop.name), tmp_path / "stack.env"
    assert block.project is not None
    shutil.copy(shop.stack.project.env_file, env_file)
    change_env(env_file, {"STACK_NAME": name})
    database = block.database.model_copy(update={"container": f"{name}-db"})
    project = block.project.model_copy(update={"env_file": env_file})
    for one in (database, project):
        one.save(name)
    state_dir = tmp_path / "state"
    block.model_copy(update={"database": database, "project": project, "state_dir": state_dir}).save(name)
    with pytest.raises(PreconditionError, match="was never brought up") as seen:
        replace(shop, name=name).deploy("newest")
    assert "make up" in seen.value.hint
    assert not state_dir.exists()


def test_deploy_A10_a_first_deploy_that_fails_leaves_the_stack_as_it_came_up(shop: Shop, tmp_path: Path) -> None:
    """As after `make up`: no release is on record, and the gateway asks by name."""
    name, project = f"{shop.name}-new", shop.stack.project
    Stack.named(shop.name).model_copy(update={"state_dir": tmp_path}).save(name)
    make_limit(name)
    new = Shop(stack=shop.stack, name=name, state_dir=tmp_path, images=shop.images, built=5000)
    put_files(project, {})
    reload(project, LocalRunner())
    wait_until(lambda: shop.stack.shop().http.get("/api/products").status_code == 200, "names are resolved")
    with shop.customers() as load:
        before = new.everything()
        assert (before.pop("files"), before["ledger"]) == ({}, ())
        with pytest.raises(Undone, match="ended with exit code 1"):
            new.deploy(new.offer(fault=Fault.EXITS, only="backend"))
        after = new.everything()
        listed = parse_members(after.pop("files")["backend.conf"])
        assert {one.container_id for one in listed} == set(shop.replicas()), "a name would lead to the new ones too"
        assert after == before
        new.deploy(new.offer())
        assert new.serves(new.ledger[-1].version)
        shop.deploy(shop.offer())
    assert load.result.failed == 0, load.result.summary
