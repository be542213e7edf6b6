"""Deploys that die, are cancelled, lose their engine, or meet another: all old or all new, and no customer notices.

The engine is lost by cutting the way to the real one: what was asked breaks off and who asks anew is refused, while the
containers live on. That is a restart with live-restore, or a lost host. What becomes of containers without live-restore
is in test_deploy_reboot.py, and what an engine really does in integration/stack/test_engine_restart.py.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from prefect_docker import DockerHost

from blocks import Stack
from flows.backup import backup_db
from flows.recover import recover
from pawpaw_ops.clients import engine
from pawpaw_ops.errors import HalfDone, LockHeld, Undone
from pawpaw_ops.session.audit import entries
from pawpaw_ops.session.journal import dead
from pawpaw_ops.testing import at_entry
from tests.e2e.support_deploy import Shop, start
from tests.integration.support_child import Child
from tests.integration.support_gate import Gate, gate
from tests.integration.support_limits import make_limit
from tests.waiting import SOAK, wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api", "nobody_notices")
COMMIT, LAST = 14, 17
"""Where a deploy's journal has its commit, and its end."""
ENTRIES = range(1, LAST + 1) if SOAK else (*range(2, COMMIT, 4), COMMIT, LAST)
"""`make soak` kills a deploy at each of them."""
START, SWITCH = "start new replicas of backend, frontend", "switch the gateway"
STEPS = [START, SWITCH, "write the images into the .env"]
ASKING = [("done", START), *([("step", SWITCH), ("done", SWITCH)] if SOAK else [])]
"""Where a deploy goes on with a question to the engine."""
FAR = "-far"


@pytest.fixture(scope="module")
def way() -> Iterator[Gate]:
    """The way to the engine."""
    with gate(engine.LOCAL_ENGINE) as made:
        yield made


@pytest.fixture(scope="module")
def far(shop: Shop, way: Gate) -> Shop:
    """The same stack, for a worker that reaches its engine by that way alone."""
    name, block = f"{shop.name}{FAR}", Stack.named(shop.name)
    assert block.project is not None
    project = block.project.model_copy(update={"docker": DockerHost(base_url=way.url)})
    project.save(name, overwrite=True)
    block.model_copy(update={"project": project}).save(name, overwrite=True)
    make_limit(name)
    return replace(shop, name=name, built=6000)


@contextmanager
def restarted(way: Gate, event: str, step: str) -> Iterator[None]:
    """The engine is away from that entry of the journal on, until the run itself waits for it.

    A program that greets the engine first, as Docker's do, has not missed it yet.
    """

    def back() -> None:
        wait_until(lambda: way.url in engine.AWAY_SINCE, "the run misses the engine")
        way.mend()

    def away() -> None:
        way.cut()
        mends.start()

    mends = Thread(target=back)
    with at_entry(event, step, away):
        yield
    mends.join()


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


@pytest.mark.parametrize("at", ASKING)
def test_deploy_E3_an_engine_that_is_restarted_while_it_is_asked_is_asked_again(
    far: Shop, way: Gate, at: tuple[str, str]
) -> None:
    version = far.offer()
    with restarted(way, *at):
        far.deploy(version)
    assert far.serves(version)


def test_deploy_E3_an_engine_that_is_restarted_under_a_change_is_waited_for_and_the_change_taken_back(
    far: Shop, way: Gate
) -> None:
    before, version = far.everything(), far.offer()
    with restarted(way, "step", START), pytest.raises(Undone):
        far.deploy(version)
    assert far.everything() == before


def test_deploy_E5_an_engine_that_stays_lost_is_named_and_the_next_run_takes_back_what_was_begun(
    far: Shop, way: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another way, as the lock is free; what was begun is known from the journal."""
    monkeypatch.setattr(engine, "AWAY_S", 1.0)
    before, version = far.everything(), far.offer()
    try:
        with at_entry("step", SWITCH, way.cut), pytest.raises(HalfDone, match="engine did not answer") as seen:
            far.deploy(version)
    finally:
        way.mend()
    assert "Run any verb again" in seen.value.hint
    settings = Stack.named(far.name).settings()
    record = list(entries(settings))[-1]
    assert (record["verb"], record["result"]) == ("deploy", HalfDone.code)
    assert any(SWITCH in one for one in record["not_undone"])
    assert [path.stem for path, _ in dead(far.state_dir)] == [record["run_id"]]
    assert recover(stack=far.name.removesuffix(FAR)) == [record["run_id"]]
    assert far.everything() == before


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
    newest = max((shop.state_dir / "journal" / "done").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    events = [json.loads(line)["event"] for line in newest.read_text().splitlines()]
    assert (events.index("commit") + 1, len(events)) == (COMMIT, LAST), "where E1 kills"


def test_deploy_E1_G1_a_rollback_killed_at_its_commit_is_finished_by_the_next_run(shop: Shop, tmp_path: Path) -> None:
    old, version = shop.ledger[-1].version, shop.offer()
    shop.deploy(version)
    release = f"{old}-{shop.ledger[-1].number + 1}"
    commit = ("commit", f"release {release} serves")
    child = Child("rollback", str(tmp_path / "log"), stack=shop.name, to=old, keep_warm_s=0.0, kill=commit)
    assert child.wait() == -signal.SIGKILL
    assert shop.ledger[-1].version == version
    assert len(recover(stack=shop.name)) == 1
    assert shop.serves(old)
    assert (shop.ledger[-1].id, shop.ledger[-1].back_from) == (release, version)
