"""Threads that work beside a test."""

import threading
from collections.abc import Callable
from typing import Self


class Crowd:
    """Some who work, each in a thread of its own, while the block lasts.

    Attributes:
        over: Set when they are to stop.
    """

    def __init__(self, *work: Callable[[], None]) -> None:
        self.over = threading.Event()
        self._threads = [threading.Thread(target=one, daemon=True) for one in work]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()
