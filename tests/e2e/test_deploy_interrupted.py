"""Deploys that die, are cancelled, or meet another: all old or all new, and no customer notices."""

import signal
from pathlib import Path
from typing import Any

import pytest

from flows.backup import backup_db
from pawpaw_ops.errors import LockHeld
from tests.e2e.support_deploy import QUICK, Shop
from tests.integration.support_child import Child
from tests.waiting import SOAK, wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api", "nobody_notices")
COMMIT, LAST = 14, 17
"""Where a deploy's journal has its commit, and its end."""
ENTRIES = range(1, LAST + 1) if SOAK else (*range(2, COMMIT, 3), COMMIT, COMMIT + 1, LAST)
"""`make soak` kills a deploy at each of them."""
STEPS = ["start new replicas of backend, frontend", "switch the gateway", "write the images into the .env"]


def start(shop: Shop, version: str, log: Path, **more: Any) -> Child:
    parameters: dict[str, Any] = {"stack": shop.name, "version": version, **QUICK, **more}
    return Child("deploy", str(log), **parameters)


@pytest.mark.parametrize("entry", ENTRIES)
def test_deploy_E1_D3_killed_at_every_entry_of_its_journal_the_next_run_ends_all_old_or_all_new(
    shop: Shop, tmp_path: Path, entry: int
) -> None:
    """From the commit on all is new."""
    old = shop.ledger[-1].version
    version = shop.offer()
    assert start(shop, version, tmp_path / "log", kill_entry=entry).wait() == -signal.SIGKILL
    shop.deploy("current")
    assert shop.serves(version) or (entry < COMMIT and shop.serves(old))


@pytest.mark.parametrize("step", STEPS)
def test_deploy_E2_cancelled_at_a_step_it_takes_everything_back(shop: Shop, tmp_path: Path, step: str) -> None:
    version = shop.offer()
    before = shop.everything()
    assert start(shop, version, tmp_path / "log", cancel=("done", step)).wait() != 0
    assert shop.everything() == before


def test_deploy_D1_D2_of_two_at_once_one_is_told_who_holds_the_stack(shop: Shop, tmp_path: Path) -> None:
    """Another deploy, and any other verb that changes the stack."""
    version = shop.offer()
    child = start(shop, version, tmp_path / "log")
    wait_until(lambda: any((shop.state_dir / "journal").glob("*.jsonl")), "the first one works")
    with pytest.raises(LockHeld, match="deploy"):
        shop.deploy(version)
    with pytest.raises(LockHeld, match="deploy"):
        backup_db(stack=shop.name)
    assert child.wait() == 0
    assert shop.serves(version)
