"""Where a secret might have landed: files of Prefect and of a stack, and command lines."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, PREFECT_HOME


class ArgvSampler:
    """Reads the command lines of all our child processes again and again."""

    def __init__(self, *, every_s: float = 0.01) -> None:
        self.every_s = every_s
        self.seen: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        us = psutil.Process()
        while not self._stop.is_set():
            for child in us.children(recursive=True):
                try:
                    self.seen.add(" ".join(child.cmdline()))
                except psutil.Error:
                    continue
            self._stop.wait(self.every_s)


def files(*folders: Path) -> Iterator[Path]:
    """Every file in which a secret might have landed: Prefect's, and those below *folders*."""
    url = str(PREFECT_API_DATABASE_CONNECTION_URL.value())
    database = Path(url.split("///", 1)[1])
    yield from database.parent.glob(f"{database.name}*")
    for folder in (PREFECT_HOME.value(), *folders):
        yield from (
            path for path in Path(folder).rglob("*") if path.is_file() and path not in database.parent.glob("*")
        )
