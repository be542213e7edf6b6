"""A watch at work, for tests of every layer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from deployments.watch import Watch
from tests.waiting import wait_until


@contextmanager
def at_work(watch: Watch) -> Iterator[Watch]:
    """Let it watch while the block lasts; one look is behind it."""
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        wait_until(lambda: watch.looks > 0, "it has looked")
        yield watch
    finally:
        watch.stop()
        thread.join(30)
    assert not thread.is_alive()
