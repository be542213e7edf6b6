"""A stack that somebody froze, and runs that died on one."""

import signal

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.sorting import FlowRunSort

from flows.backup import backup_db
from flows.freeze import freeze
from flows.list_backups import list_backups
from flows.recover import recover
from flows.undo_restore import undo_restore
from flows.unfreeze import unfreeze
from pawpaw_ops.errors import Frozen, PreconditionError
from pawpaw_ops.session.freeze import frozen
from pawpaw_ops.session.journal import dead
from tests.integration.support_child import Child
from tests.integration.support_stack import Kit


def test_deploy_D6_a_frozen_stack_is_not_changed_and_everybody_hears_why(tiny: Kit) -> None:
    freeze(stack=tiny.name, reason="Buen Fin")
    why = frozen(tiny.state_dir)
    assert why is not None
    assert why.reason == "Buen Fin"
    with pytest.raises(Frozen, match="Buen Fin"):
        undo_restore(stack=tiny.name)
    backup_db(stack=tiny.name)
    assert list_backups(stack=tiny.name) == 1
    unfreeze(stack=tiny.name)
    with pytest.raises(PreconditionError) as seen:
        undo_restore(stack=tiny.name)
    assert not isinstance(seen.value, Frozen)


def test_a_freeze_that_cannot_be_read_holds_until_it_is_lifted(tiny: Kit) -> None:
    tiny.state_dir.mkdir(parents=True, exist_ok=True)
    (tiny.state_dir / "freeze.json").write_text("{")
    with pytest.raises(ValueError, match=r"freeze\.json"):
        undo_restore(stack=tiny.name)
    unfreeze(stack=tiny.name)
    with pytest.raises(PreconditionError):
        undo_restore(stack=tiny.name)


def test_deploy_M3_a_run_that_died_is_cleared_up_and_shown_as_crashed(tiny: Kit) -> None:
    child = Child("backup-db", str(tiny.folder / "log"), kill=("step", "make scratch folder"), stack=tiny.name)
    assert child.wait() == -signal.SIGKILL
    assert len(list(dead(tiny.state_dir))) == 1
    assert len(recover(stack=tiny.name)) == 1
    assert recover(stack=tiny.name) == []
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=5)
        found = next(run for run in runs if run.name == f"backup-{tiny.name}")
    assert found.state is not None
    assert found.state.is_crashed()
    assert "cleared up by run" in (found.state.message or "")
