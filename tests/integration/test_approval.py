"""A person's no, and a yes to something else: the run ends, and live is what it was."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.flow_engine import run_flow
from prefect.states import Pending

from deployments import runs
from flows.backup import backup_db
from flows.restore import restore_db
from pawpaw_ops.cli import app
from pawpaw_ops.errors import Undone, VerificationError
from pawpaw_ops.testing import at_entry
from tests.integration.support_stack import Kit
from tests.waiting import wait_until


def asking(kit: Kit) -> FlowRun:
    """Wait until the restore asks, and return its run."""
    wanted = FlowRunFilter(
        name=FlowRunFilterName(any_=[f"restore-{kit.name}-newest"]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED])),
    )
    with get_client(sync_client=True) as client:

        def asks() -> bool:
            return any(runs.question(client, run) for run in client.read_flow_runs(flow_run_filter=wanted))

        wait_until(asks, "the restore asks")
        return client.read_flow_runs(flow_run_filter=wanted)[0]


def say_no_in_the_terminal(kit: Kit) -> None:
    app(["approve", str(asking(kit).id), "--no"], result_action="return_value")


def type_another_name_in_the_ui(kit: Kit) -> None:
    with get_client(sync_client=True) as client:
        runs.answer(client, asking(kit), approve=True, type_the_name=f"{kit.database}_old")


def type_the_name(kit: Kit) -> None:
    with get_client(sync_client=True) as client:
        runs.answer(client, asking(kit), approve=True, type_the_name=kit.database)


def type_the_name_and_leave_the_box_empty(kit: Kit) -> None:
    with get_client(sync_client=True) as client:
        runs.answer(client, asking(kit), approve=False, type_the_name=kit.database)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (say_no_in_the_terminal, "the answer was no"),
        (type_another_name_in_the_ui, "typed '{database}_old'"),
        (type_the_name_and_leave_the_box_empty, "the answer was no"),
    ],
)
def test_an_answer_that_is_no_yes_to_this_database_undoes_the_restore(
    tiny: Kit, answer: Callable[[Kit], None], said: str
) -> None:
    backup_db(stack=tiny.name)
    tiny.sql("DELETE FROM dos WHERE id > 100")
    context = copy_context()  # with the settings of this test's server
    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(lambda: context.run(answer, tiny))
        words = f"not approved: {said.format(database=tiny.database)}; wanted was a yes and '{tiny.database}'"
        with pytest.raises(Undone, match=words) as seen:
            restore_db(stack=tiny.name, approval_timeout_h=0.05)
        answered.result()
    assert seen.value.cause_code == "not-approved"
    assert tiny.databases() == [tiny.database]
    assert tiny.sql("SELECT count(*) FROM dos") == [(100,)]
    tiny.assert_clean()


def test_deploy_L5_who_waits_for_an_answer_holds_nobody_up(tiny: Kit) -> None:
    """Neither the lock nor the slot in Prefect: a backup begins and ends meanwhile, and then the answer counts."""
    first = backup_db(stack=tiny.name)
    tiny.sql("DELETE FROM dos WHERE id > 100")

    def work_and_say_yes() -> str:
        asking(tiny)
        made: str = backup_db(stack=tiny.name)
        type_the_name(tiny)
        return made

    with ThreadPoolExecutor(1) as pool:
        worked = pool.submit(copy_context().run, work_and_say_yes)
        restore_db(stack=tiny.name, approval_timeout_h=0.05)
        second = worked.result()
    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]
    assert [entry.backup_id for entry in tiny.catalog().entries()] == [first, second]
    tiny.assert_clean()


def test_C16_a_run_that_is_started_again_asks_again(tiny: Kit) -> None:
    """A yes is to one attempt: it is no answer to the next, which shows other numbers."""
    backup_db(stack=tiny.name)
    tiny.sql("DELETE FROM dos WHERE id > 100")
    before = tiny.prints().tables

    def fail() -> None:
        raise VerificationError("made to fail")

    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(copy_context().run, type_the_name, tiny)
        with at_entry("step", "swap names", fail), pytest.raises(Undone, match="made to fail"):
            restore_db(stack=tiny.name, approval_timeout_h=0.05)
        answered.result()
        again = started_again(tiny)
        answered = pool.submit(copy_context().run, say_no_in_the_terminal, tiny)
        with pytest.raises(Undone, match="the answer was no"):
            run_flow(restore_db, flow_run=again, parameters=again.parameters)
        answered.result()
    tiny.assert_live_untouched(before)


def started_again(kit: Kit) -> FlowRun:
    """Return the restore's run, ready to run once more."""
    wanted = FlowRunFilter(name=FlowRunFilterName(any_=[f"restore-{kit.name}-newest"]))
    with get_client(sync_client=True) as client:
        (run,) = client.read_flow_runs(flow_run_filter=wanted)
        client.set_flow_run_state(run.id, Pending(), force=True)
        return client.read_flow_run(run.id)
