"""`prune` on the real engine: what was shown goes, and nothing else does."""

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed

from blocks import Stack
from pawpaw_ops.errors import ConfigError, LockHeld, NotApproved, PreconditionError, VerificationError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.lifecycle import TAG
from pawpaw_ops.session import journal, open_session
from pawpaw_ops.session.lock import holder, stack_lock
from pawpaw_ops.tasks.expire import expire_records
from tests.integration.stack.support_docker import docker
from tests.integration.stack.support_engine_proxy import engine_proxy
from tests.integration.stack.support_prune import Shelf, import_image
from tests.integration.support_child import Child
from tests.waiting import SOAK

pytestmark = pytest.mark.usefixtures("docker_engine", "prefect_api")
SIX = [f"v{number}" for number in range(1, 7)]
STAY = {"v3", "v4", "v5", "v6"}
MOST_ENTRIES = 40
EVERY = 1 if SOAK else 3
"""Of the journal's entries one in so many is where it is killed; `make soak` takes each of them."""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.remove()


def test_prune_PRN_02_PRN_06_PRN_09_what_was_shown_goes_without_force_and_without_a_look_at_a_volume(
    shelf: Shelf,
) -> None:
    shelf.release(*SIX)
    docker("tag", shelf.ids["v6"], f"{shelf.name}-api:v4")  # v4 has no name now, and is no less a way back
    shelf.ids["nobody's"] = import_image("", shelf.name)
    shelf.ids["theirs"] = import_image(f"theirs-{shelf.name}:1", shelf.name)
    shelf.ids["both"] = shelf.image("both")
    docker("tag", shelf.ids["both"], f"theirs-{shelf.name}:2")
    shelf.image("from-ci")
    everyone = set(docker("images", "--all", "--quiet", "--no-trunc", "--filter", "dangling=true").split())
    with engine_proxy() as proxy:
        shelf.save_blocks(proxy.address)
        shown = shelf.prune()
        assert shelf.there() == {*shelf.ids}
        assert proxy.changes() == []
        shelf.prune(approve=True, plan=shown)
    assert shelf.there() == STAY | {"nobody's", "theirs", "both", "from-ci"}
    assert [one for one in proxy.asked if "/volumes" in one or "/prune" in one] == []
    deleted = [one for one in proxy.changes() if one.startswith("DELETE /images/")]
    assert sorted(deleted) == [f"DELETE /images/{shelf.name}-api:{name}?noprune=1" for name in ("v1", "v2")]
    assert everyone & {shelf.ids["nobody's"]}
    assert shelf.containers() == []


def test_prune_PRN_01_another_plan_than_the_approved_one_is_not_carried_out(shelf: Shelf) -> None:
    shelf.release(*SIX)
    shown = shelf.prune()
    shelf.container("v1")
    with pytest.raises(NotApproved, match=shown):
        shelf.prune(approve=True, plan=shown)
    assert shelf.there() == {*SIX}


def test_prune_PRN_03_PRN_08_what_was_taken_into_use_or_away_meanwhile_is_no_matter(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the plan and the act; between the last look and the act, where only the engine can refuse; and gone."""
    shelf.release(*SIX, "v7")
    plan = shelf.prune()
    second, third = sorted(("v2", "v3"), key=lambda version: shelf.ids[version])
    meanwhile = {
        ("commit", f"plan {plan}: 3 images and 0 containers go"): lambda: shelf.container("v1"),
        ("step", f"remove image {shelf.ids[second][7:19]}"): lambda: shelf.container(second),
        ("step", f"remove image {shelf.ids[third][7:19]}"): lambda: docker("rmi", shelf.ids[third]),
    }
    seen = []

    def check(event: str, name: str) -> None:
        if (event, name) in meanwhile:
            seen.append(event)
            meanwhile[event, name]()

    monkeypatch.setattr(journal, "on_entry", check)
    shelf.prune(approve=True)
    assert seen == ["commit", "step", "step"]
    assert shelf.there() == {"v1", second, "v4", "v5", "v6", "v7"}


def test_prune_PRN_04_while_somebody_works_on_the_stack_nothing_goes(shelf: Shelf) -> None:
    shelf.release(*SIX)
    who = holder(run_id="other", verb="deploy", purpose="desplegar", actor="a test")
    with stack_lock(shelf.state_dir, who), pytest.raises(LockHeld, match="deploy"):
        shelf.prune(approve=True)
    assert shelf.there() == {*SIX}


def statvfs(*, free: int, total: int = 100) -> os.statvfs_result:
    return os.statvfs_result((1 << 30, 1 << 30, total, free, free, 0, 0, 0, 0, 255))


def test_prune_PRN_05_a_disk_that_cannot_be_is_unknown_and_nothing_goes(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.release(*SIX)
    monkeypatch.setattr("pawpaw_ops.clients.inventory.os.statvfs", lambda _: statvfs(free=101))
    with pytest.raises(PreconditionError, match="cannot be"):
        shelf.prune(approve=True)

    def unseen(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pawpaw_ops.clients.inventory.os.statvfs", unseen)
    with pytest.raises(PreconditionError, match="Permission denied"):
        shelf.prune(approve=True)
    assert shelf.there() == {*SIX}


def test_prune_PRN_10_a_disk_that_something_else_fills_is_not_helped_by_removing_the_ways_back(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.release(*SIX)
    with (shelf.store / "big").open("wb") as backup:
        backup.truncate(1 << 43)
    monkeypatch.setattr("pawpaw_ops.clients.inventory.os.statvfs", lambda _: statvfs(free=8))
    with pytest.raises(PreconditionError, match=r"92% full.*respaldos: 8192\.0 GiB.*backup-db expires"):
        shelf.prune(approve=True)
    assert shelf.there() == {*SIX}


def test_prune_PRN_10_it_works_while_the_database_is_down(shelf: Shelf) -> None:
    """A full disk has stopped it, and room is what it needs."""
    shelf.release(*SIX)
    shelf.save_blocks(database=shelf.container("v6"))
    with pytest.raises(PreconditionError, match="not running"):
        Stack.named(shelf.name).settings()
    shelf.prune(approve=True)
    assert shelf.there() == STAY


def test_prune_below_the_wanted_share_of_the_disk_nothing_goes(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.release(*SIX)
    monkeypatch.setattr("pawpaw_ops.clients.inventory.os.statvfs", lambda _: statvfs(free=40))
    shelf.prune(approve=True, above_percent=70)
    assert shelf.there() == {*SIX}
    shelf.prune(approve=True, above_percent=60)
    assert shelf.there() == STAY


def test_prune_PRN_12_killed_at_any_entry_the_next_run_ends_what_it_began(shelf: Shelf, tmp_path: Path) -> None:
    shelf.release(*SIX)
    log = str(tmp_path / "child.log")
    for entry in range(1, MOST_ENTRIES, EVERY):
        code = Child("prune", log, kill_entry=entry, stack=shelf.name, approve=True, keep_builds=1).wait()
        assert shelf.there() >= STAY
        if code == 0:
            break
        assert code == -signal.SIGKILL, Path(log).read_text()[-3000:]
    else:
        pytest.fail("a prune has more entries than expected")
    assert entry > 6
    assert shelf.there() == STAY
    assert shelf.containers() == []
    assert not list((shelf.state_dir / "journal").glob("*.jsonl"))


def test_prune_PRN_13_without_a_ledger_that_can_be_read_nothing_goes(shelf: Shelf) -> None:
    shelf.release(*SIX)
    ledger = shelf.state_dir / "releases.jsonl"
    text = ledger.read_text()
    ledger.write_text(text[:-30])
    with pytest.raises(ConfigError, match="cannot be read"):
        shelf.prune(approve=True)
    ledger.unlink()
    with pytest.raises(PreconditionError, match="no release is on record"):
        shelf.prune(approve=True)
    assert shelf.there() == {*SIX}


def test_prune_PRN_02_a_way_back_that_is_gone_already_is_said(shelf: Shelf) -> None:
    """Somebody ran `docker image prune`; that it cannot be gone back to is known before it is needed."""
    shelf.release(*SIX)
    docker("rmi", shelf.ids["v5"])
    with pytest.raises(VerificationError, match=r"v5-5.*Build its version again"):
        shelf.prune(approve=True)
    assert shelf.there() == STAY - {"v5"}


def test_prune_old_journals_and_logs_go_and_young_ones_and_the_audit_stay(shelf: Shelf) -> None:
    shelf.release("v1")
    done, tests = shelf.state_dir / "journal" / "done", shelf.state_dir / "tests" / "v0"
    done.mkdir(parents=True)
    tests.mkdir(parents=True)
    (tests / "backend.log").write_text("ok")
    old, young = done / "old.jsonl", done / "young.jsonl"
    for path in (old, young):
        path.write_text("{}")
    long_ago = (utc_now() - timedelta(days=91)).timestamp()
    for path in (old, tests):
        os.utime(path, (long_ago, long_ago))
    shelf.prune(approve=True)
    assert (old.exists(), tests.exists(), young.exists()) == (False, False, True)
    assert (shelf.state_dir / "audit.jsonl").exists()


@flow(name="expire-nothing-but-records")
def expire_all(name: str) -> int:
    """What the verb does last, for records of any age."""
    with open_session(Stack.named(name).settings(), verb="test", purpose="test", run_id=f"expire-{name}") as do:
        count: int = expire_records(do, keep_days=0)
    return count


def test_prune_ended_runs_of_this_stack_go_from_prefect_and_no_others(shelf: Shelf) -> None:
    @flow(name="somebody-elses")
    def other() -> None:
        pass

    with get_client(sync_client=True) as client:
        ended = client.create_flow_run(other, tags=[TAG, shelf.name])
        client.set_flow_run_state(ended.id, Completed(), force=True)
        waiting = client.create_flow_run(other, tags=[TAG, shelf.name])
        theirs = client.create_flow_run(other, tags=[TAG, "another-stack"])
        client.set_flow_run_state(theirs.id, Completed(), force=True)
        assert expire_all(shelf.name) == 1
        with pytest.raises(ObjectNotFound):
            client.read_flow_run(ended.id)
        assert client.read_flow_run(waiting.id).id == waiting.id
        assert client.read_flow_run(theirs.id).id == theirs.id
