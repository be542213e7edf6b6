"""The one way to make a task: no cache, no persisted result, no retries around a change."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.utilities.annotations import opaque

from pawpaw_ops.redaction import guarded

P = ParamSpec("P")
R = TypeVar("R")


class Operation(Task[P, R]):
    """A task in whose arguments Prefect looks for nothing: a manifest may be of thousands of tables.

    By itself it asks each value of each field, twice per task, whether it comes from another task. The arguments
    themselves it goes on asking, so that the UI shows what follows from what.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override]
        """Run it here and now."""
        given, named = _closed(args, kwargs)
        made: R = super().__call__(*given, **named)
        return made

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> PrefectFuture[R]:  # type: ignore[override]
        """Run it beside what follows."""
        given, named = _closed(args, kwargs)
        made: PrefectFuture[R] = super().submit(*given, **named)
        return made


def _closed(given: Iterable[object], named: Mapping[str, object]) -> tuple[Any, Any]:
    return tuple(map(opaque, given)), {name: opaque(one) for name, one in named.items()}


def operation(name: str) -> Callable[[Callable[P, R]], Operation[P, R]]:
    """Make a function a task called *name*, whose errors quote no secret.

    A cached or retried change would be skipped or done twice; what may be tried again is tried again inside the task.
    """

    def wrap(function: Callable[P, R]) -> Operation[P, R]:
        return Operation(guarded()(function), name=name, cache_policy=NO_CACHE, persist_result=False, retries=0)

    return wrap
