"""What Prefect does with the arguments of a task."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from prefect import flow
from prefect.context import TaskRunContext

from pawpaw_ops.tasks.operation import operation

pytestmark = pytest.mark.usefixtures("prefect_api")


class Closed(list[int]):
    """A list that is not to be looked through."""

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("somebody looked")


@dataclass(frozen=True)
class Manifest:
    tables: list[int]


@operation("make manifest")
def make() -> Manifest:
    return Manifest(Closed([1, 2, 3]))


@operation("follow")
def follow(given: Manifest, *, named: Manifest) -> tuple[int, set[str]]:
    """Return how many tables there are, and which arguments come from another task."""
    assert given is named
    context = TaskRunContext.get()
    assert context is not None
    return len(given.tables), {name for name, found in context.task_run.task_inputs.items() if found}


@pytest.mark.parametrize("beside", [False, True])
def test_an_argument_is_handed_over_as_it_is_and_known_to_come_from_another_task(*, beside: bool) -> None:
    @flow
    def work() -> tuple[int, set[str]]:
        made = make()
        return follow.submit(made, named=made).result() if beside else follow(made, named=made)

    assert work() == (3, {"given", "named"})
