"""The one way to make a task: no cache, no persisted result, no retries around a change."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

from pawpaw_ops.redaction import guarded

P = ParamSpec("P")
R = TypeVar("R")


def operation(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a task called *name*, whose errors quote no secret.

    A cached or retried change would be skipped or done twice; what may be tried again is tried again inside the task.
    """

    def wrap(function: Callable[P, R]) -> Task[P, R]:
        make = task(name=name, cache_policy=NO_CACHE, persist_result=False, retries=0)
        return make(guarded()(function))

    return wrap
