"""The database flows on the running stack: its replica, its API replicas, customers who order all the while."""

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Self

import pytest
from pydantic import SecretStr
from pyrage import x25519

from blocks import BackupIdentity, BackupStore, PostgresDatabase, Stack
from flows.backup import backup_db
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from tests.e2e.support_shop import RunningStack, Shop
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")
ORDER_IDS = "SELECT id FROM orders"


@pytest.fixture
def blocks_of(stack: RunningStack, tmp_path: Path, prefect_api: None) -> str:
    """The blocks of the running stack; returns their name."""
    login = {"name": stack.values["DB_NAME"], "user": "postgres"}
    password = SecretStr(stack.values["POSTGRES_BOOTSTRAP_PASSWORD"])
    database = PostgresDatabase(container=stack.values["DB_CONTAINER"], password=password, **login)
    replica = PostgresDatabase(container=stack.values["REPLICA_CONTAINER"], password=password, **login)
    identity = x25519.Identity.generate()
    store = BackupStore(folder=tmp_path / "store", recipients=[str(identity.to_public())])
    for block in (database, store):
        block.save(stack.name, overwrite=True)
    replica.save(f"{stack.name}-replica", overwrite=True)
    BackupIdentity(identities=[str(identity)]).save(stack.name, overwrite=True)
    Stack(state_dir=tmp_path / "state", database=database, store=store, replica=replica).save(
        stack.name, overwrite=True
    )
    return stack.name


class Customers:
    """Customers who order one after another and never repeat a request; what was acknowledged is written down."""

    def __init__(self, stack: RunningStack, count: int = 4) -> None:
        self.stack = stack
        self.acknowledged: list[tuple[float, str]] = []
        self.refused: list[int] = []
        self._stop = threading.Event()
        shops = [stack.shop() for _ in range(count)]
        for shop in shops:
            shop.register()
        self._threads = [threading.Thread(target=self._buy, args=(shop,), daemon=True) for shop in shops]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_home()

    def go_home(self) -> None:
        """End; nobody orders any more."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def _buy(self, shop: Shop) -> None:
        product = shop.products()[-1]["id"]
        while not self._stop.wait(0.02):
            filled = shop.http.put(f"/api/cart/items/{product}", json={"quantity": 1})
            made = shop.order() if filled.is_success else filled
            if made.status_code == 201:
                self.acknowledged.append((time.monotonic(), made.json()["id"]))
            else:
                self.refused.append(made.status_code)

    def wait_for_more(self, count: int = 5) -> None:
        """Wait until so many more orders were acknowledged."""
        wanted = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= wanted, f"{count} more orders")

    @property
    def longest_gap_s(self) -> float:
        """The longest time in which no order was acknowledged, in seconds."""
        times = sorted(at for at, _ in self.acknowledged)
        return max(later - earlier for earlier, later in pairwise(times))


@pytest.fixture
def customers(stack: RunningStack, blocks_of: str) -> Iterator[Customers]:
    with Customers(stack) as made:
        made.wait_for_more()
        yield made


def ids(stack: RunningStack, service: str = "postgres") -> set[str]:
    return set(stack.sql(ORDER_IDS, service=service).split())


def test_C1_F4_a_restore_under_orders_loses_none_that_came_after_it_and_the_replica_follows(
    stack: RunningStack,
    blocks_of: str,
    customers: Customers,
) -> None:
    """Every acknowledged order is in the restored database or in the one it replaced; the way back shows which."""
    backup_db(stack=blocks_of)
    customers.wait_for_more()
    stack.sql("DELETE FROM order_items")
    restore_db(stack=blocks_of, approve=True)
    after = time.monotonic()
    customers.wait_for_more()
    assert stack.sql("SELECT count(*) > 0 FROM order_items") == "t"
    assert stack.sql("SELECT state FROM pg_stat_replication") == "streaming"
    customers.go_home()
    live = ids(stack)
    wait_until(lambda: ids(stack, "postgres_replica") == live, "the replica serves the restored database")
    assert {order for at, order in customers.acknowledged if at > after} <= live
    print(f"longest time without an acknowledged order: {customers.longest_gap_s:.2f} s")  # noqa: T201 - `pytest -rP` shows it
    assert set(customers.refused) <= {502, 503}
    undo_restore(stack=blocks_of, approve=True, accept_lost_writes=True)
    replaced = ids(stack)
    assert {order for _, order in customers.acknowledged} <= live | replaced
    wait_until(lambda: ids(stack, "postgres_replica") == replaced, "the replica went back as well")
    stack.wait_healthy("backend")
