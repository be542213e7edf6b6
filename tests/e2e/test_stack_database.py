"""The database flows on the running stack: its replica, its API replicas, customers who order all the while."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Self

import pytest
from pydantic import SecretStr
from pyrage import x25519

from blocks import BackupIdentity, BackupStore, ComposeProject, PostgresDatabase, Stack
from flows.backup import backup_db
from flows.restore import restore_db
from flows.undo_restore import undo_restore
from pawpaw_ops.clients.gateway import live_files
from pawpaw_ops.errors import Undone
from pawpaw_ops.plans.upstreams import parse_members
from pawpaw_ops.testing import at_entry
from tests.e2e.support_shop import RunningStack, Shop
from tests.integration.support_child import Child
from tests.integration.support_limits import make_limit
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api")
ORDER_IDS = "SELECT id FROM orders"
STOPPED = "stop what holds sessions of the database"


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
    project = ComposeProject(folder=stack.project.file.parent, env_file=stack.project.env_file)
    project.save(stack.name, overwrite=True)
    Stack(state_dir=tmp_path / "state", database=database, store=store, replica=replica, project=project).save(
        stack.name, overwrite=True
    )
    make_limit(stack.name)
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
    assert set(customers.refused) <= {503}, "customers see the maintenance page and no failure"
    undo_restore(stack=blocks_of, approve=True, accept_lost_writes=True)
    replaced = ids(stack)
    assert {order for _, order in customers.acknowledged} <= live | replaced
    wait_until(lambda: ids(stack, "postgres_replica") == replaced, "the replica went back as well")
    stack.wait_healthy("backend")


@pytest.mark.usefixtures("shop")
def test_a_restore_that_stops_the_backends_starts_them_one_by_one_and_tells_the_gateway_where(
    stack: RunningStack, blocks_of: str, customers: Customers
) -> None:
    """Others have taken their addresses meanwhile; customers are let in to nobody else."""
    started = {one["Id"]: one["State"]["StartedAt"] for one in stack.containers("backend")}
    were = stack.addresses("backend")
    backup_db(stack=blocks_of)
    with ExitStack() as until:
        with at_entry("done", STOPPED, lambda: until.enter_context(stack.taken(were))):
            restore_db(stack=blocks_of, approve=True, quiesce="stop")
        again = {one["Id"]: one["State"]["StartedAt"] for one in stack.containers("backend")}
        assert again.keys() == started.keys(), "the same containers"
        assert all(again[one] != started[one] for one in started), "each was stopped"
        first, second = sorted(again.values())
        assert first < second
        now = stack.addresses("backend")
        assert not now & were
        assert now == {one.address for one in parse_members(live_files(stack.project)["backend.conf"])}
        customers.wait_for_more()
        assert set(customers.refused) <= {503}


def test_a_page_that_a_person_put_up_is_not_taken_away(stack: RunningStack, blocks_of: str) -> None:
    page = stack.project.upstreams / "maintenance.on"
    page.write_text("Ana, cambio de disco\n")
    backup_db(stack=blocks_of)
    orders = ids(stack)
    with pytest.raises(Undone, match="Ana, cambio de disco"):
        restore_db(stack=blocks_of, approve=True)
    assert page.read_text() == "Ana, cambio de disco\n"
    assert ids(stack) == orders
    restore_db(stack=blocks_of, approve=True, quiesce="none")
    assert page.exists()
    page.unlink()


@pytest.mark.parametrize("at", ["show the maintenance page", STOPPED, "swap names"])
def test_customers_are_let_in_by_the_run_after_one_that_died_while_they_were_kept_away(
    stack: RunningStack, blocks_of: str, tmp_path: Path, at: str
) -> None:
    """`kill -9` right after each step was begun and done; any verb that follows heals the shop."""
    backup_db(stack=blocks_of)
    shop = stack.shop()
    log = str(tmp_path / "child.log")
    child = Child("restore-db", log, kill=("done", at), stack=blocks_of, approve=True, quiesce="stop")
    assert child.wait() == -signal.SIGKILL
    assert (stack.project.upstreams / "maintenance.on").exists()
    backup_db(stack=blocks_of)
    assert not (stack.project.upstreams / "maintenance.on").exists()
    assert stack.healthy("backend")
    wait_until(lambda: shop.http.get("/api/products").status_code == 200, "the shop answers again")
