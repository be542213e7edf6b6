"""The running shop that benchmarks deploy and restore."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.testing.utilities import prefect_test_harness

from tests.e2e import support_shop
from tests.e2e.support_deploy import Shop, prepare


@contextmanager
def running_shop() -> Iterator[Shop]:
    """Bring the whole stack up with its blocks in a Prefect server of its own, and remove it at the end."""
    stack = support_shop.start(temporary_folder())
    try:
        with prefect_server():
            yield prepare(stack, temporary_folder())
    finally:
        stack.remove()


@contextmanager
def prefect_server() -> Iterator[None]:
    """Have a Prefect server of the benchmark's own."""
    with (
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield


def temporary_folder() -> Path:
    """Make a folder for one run."""
    return Path(tempfile.mkdtemp(prefix="pawpaw-bench-"))
