"""What an application sees of a swap: how long the database does not answer."""

import contextlib
import threading
import time
from types import TracebackType
from typing import Self

import psycopg

from pawpaw_ops.models.database import Database

PAUSE_S = 0.002


class OutageProbe:
    """A client that asks the database over and over, and comes back at once when its session is ended.

    Args:
        database: Which; its name may belong to another database after a swap.
    """

    def __init__(self, database: Database) -> None:
        self.worst_ms = 0.0
        self.outages = 0
        self._database = database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask_on_and_on, daemon=True)

    def __enter__(self) -> Self:
        """Begin to ask."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, seen: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop asking."""
        self._stop.set()
        self._thread.join()

    def _ask_on_and_on(self) -> None:
        answered = time.monotonic()
        failed = False
        while not self._stop.is_set():
            with contextlib.suppress(psycopg.OperationalError), self._connect() as conn:
                while not self._stop.is_set():
                    conn.execute("SELECT 1")
                    now = time.monotonic()
                    if failed:
                        self.worst_ms = max(self.worst_ms, (now - answered) * 1000)
                        self.outages += 1
                    answered, failed = now, False
                    time.sleep(PAUSE_S)
            failed = True
            time.sleep(PAUSE_S)

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        database = self._database
        return psycopg.connect(
            host=database.host,
            port=database.port,
            dbname=database.name,
            user=database.user,
            password=database.password.get_secret_value() or None,
            application_name="shop",
            connect_timeout=2,
            autocommit=True,
        )
