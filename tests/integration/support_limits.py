"""The limits that stacks of tests have in Prefect, as `pawpaw apply` makes them."""

from prefect.client.orchestration import get_client

from pawpaw_ops.tasks.stack_session import limit_name

SLOTS = 1000
"""So many that no test waits for what a killed run has left in the queue; the lock is what keeps two apart."""


def make_limit(stack: str) -> None:
    """Make a stack's limit: without it nothing that changes the stack begins."""
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(limit_name(stack), SLOTS)


def remove_limit(stack: str) -> None:
    """Take it away again."""
    with get_client(sync_client=True) as client:
        client.delete_global_concurrency_limit_by_name(limit_name(stack))
