"""The verbs on the running stack as operators and CI start them: deployments, a worker, `pawpaw trigger`."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyrage import x25519

from deployments.apply import apply
from deployments.trigger import Exit, trigger
from tests.e2e.fault_images import Fault
from tests.e2e.support_deploy import QUICK, Shop
from tests.e2e.support_shop import RunningStack
from tests.integration.support_canaries import ArgvSampler, files
from tests.integration.support_worker import running_worker
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logs_of_failures", "worker")
FILE = """
[blocks.postgres-database.prod]
name = "{DB_NAME}"
container = "{DB_CONTAINER}"
password = {{env = "DB_PASSWORD"}}
[blocks.postgres-database.prod-replica]
name = "{DB_NAME}"
container = "{REPLICA_CONTAINER}"
password = {{env = "DB_PASSWORD"}}
[blocks.redis-server.prod]
name = "carts"
container = "{REDIS_CONTAINER}"
user = "pawpaw_backup"
password = {{env = "REDIS_PASSWORD"}}
[blocks.backup-store.prod]
folder = "{folder}/store"
recipients = [{{env = "RECIPIENT"}}]
[blocks.backup-identity.prod]
identities = [{{env = "IDENTITY"}}]
[blocks.compose-project.prod]
folder = "{stack}"
env_file = "{env_file}"
[blocks.stack.prod]
state_dir = "{folder}/state"
database = "postgres-database/prod"
replica = "postgres-database/prod-replica"
store = "backup-store/prod"
redis = "redis-server/prod"
project = "compose-project/prod"
"""


@pytest.fixture(scope="module")
def identity() -> x25519.Identity:
    return x25519.Identity.generate()


@pytest.fixture(scope="module")
def prod(shop: Shop, prefect_api: None, identity: x25519.Identity, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The running stack as the environment `prod`, as `pawpaw apply` makes it from a file and the environment."""
    stack, folder = shop.stack, tmp_path_factory.mktemp("prod")
    path = folder / "blocks.toml"
    project = stack.project
    text = FILE.format(**stack.values, folder=folder, stack=project.file.parent, env_file=project.env_file)
    path.write_text(text)
    env = {
        "DB_PASSWORD": stack.values["POSTGRES_BOOTSTRAP_PASSWORD"],
        "REDIS_PASSWORD": stack.values["REDIS_BACKUP_PASSWORD"],
        "RECIPIENT": str(identity.to_public()),
        "IDENTITY": str(identity),
    }
    apply(path, env=env, say=lambda _: None)
    return Shop(stack=stack, name="prod", state_dir=folder / "state", images=shop.images, built=1000)


@pytest.fixture(scope="module")
def worker(prod: Shop) -> Iterator[ArgvSampler]:
    """A worker, and the command lines of all that it starts."""
    with ArgvSampler(every_s=0.1) as argv, running_worker("prod", prod.state_dir.parent / "worker.log"):
        yield argv


def run(verb: str, **parameters: Any) -> Exit:
    said: list[str] = []
    end = trigger(f"{verb}/prod", parameters, timeout_s=300, say=said.append)
    print("\n".join(said))  # noqa: T201 - pytest shows it with a failure
    return end


def orders(stack: RunningStack) -> str:
    return stack.sql("SELECT count(*) FROM orders")


def test_backed_up_wrecked_restored_and_undone_by_deployments(prod: Shop) -> None:
    """RB-01's five manual steps are one run; the replica follows, Redis is emptied, and the way back is another run."""
    stack = prod.stack
    customer = stack.shop()
    customer.register()
    customer.fill_cart()
    assert customer.order().status_code == 201
    before = orders(stack)
    assert run("backup-db") is Exit.COMPLETED
    told = Path(stack.values["TEXTFILE_DIR"], "wal-archive.prom").read_text()
    assert "pawpaw_wal_archive_unbounded 0.0" in told, "the archive is bounded: what the standby needs is known"
    stack.sql("DELETE FROM order_items; DELETE FROM order_requests; DELETE FROM orders")
    customer.fill_cart()
    assert run("restore-db", approve=True, redis="flush") is Exit.COMPLETED
    assert orders(stack) == before
    assert customer.cart()["items"] == []
    wait_until(
        lambda: stack.sql("SELECT count(*) FROM orders", service="postgres_replica") == before, "the replica follows"
    )
    assert customer.http.get("/api/orders").status_code == 200
    assert run("undo-restore", approve=True, accept_lost_writes=True) is Exit.COMPLETED
    assert orders(stack) == "0"
    assert run("undo-restore", approve=True, accept_lost_writes=True) is Exit.COMPLETED
    assert orders(stack) == before


def test_G6_redis_is_backed_up_restored_and_undone_under_a_customers_cart_and_goes_back_with_the_database(
    prod: Shop,
) -> None:
    """With the shipped user, and backends that are connected all the time and find their way back."""
    customer = prod.stack.shop()
    customer.register()
    customer.fill_cart(1)
    saved = customer.cart()
    assert run("backup-redis", exact=True) is Exit.COMPLETED
    assert run("backup-db") is Exit.COMPLETED
    customer.fill_cart(3)
    newer = customer.cart()
    assert newer != saved
    ways: list[tuple[str, dict[str, Any], Any]] = [
        ("restore-redis", {}, saved),
        ("undo-restore-redis", {}, newer),
        ("restore-db", {"redis": "nearest"}, saved),
    ]
    for verb, more, cart in ways:
        assert run(verb, approve=True, **more) is Exit.COMPLETED
        wait_until(lambda: customer.http.get("/api/cart").status_code == 200, "the shop has its carts again")
        assert customer.cart() == cart
    customer.fill_cart(2)


def test_a_restore_is_drilled_by_deployments(prod: Shop) -> None:
    assert run("drill-restore") is Exit.COMPLETED
    assert run("list-backups") is Exit.COMPLETED


def test_prometheus_knows_how_old_the_backups_and_the_drill_are(prod: Shop) -> None:
    """What the alerts on backups ask for is what these verbs write."""
    url = f"http://127.0.0.1:{prod.stack.values['PROMETHEUS_PORT']}/api/v1/query"

    def values(metric: str) -> dict[str, float]:
        found = httpx.get(url, params={"query": metric}, trust_env=False, timeout=30).json()["data"]["result"]
        return {one["metric"].get("database", ""): float(one["value"][1]) for one in found}

    wanted = {prod.stack.values["DB_NAME"], "carts"}
    age = "time() - pawpaw_backup_last_verified_timestamp_seconds"
    wait_until(lambda: values(age).keys() == wanted, "Prometheus has read it", deadline_s=120)
    assert all(0 < seconds < 3600 for seconds in values(age).values())
    assert all(size > 0 for size in values("pawpaw_backup_size_bytes").values())
    wait_until(lambda: bool(values("pawpaw_drill_last_success_timestamp_seconds")), "the drill too", deadline_s=60)


def test_deploy_L1_a_version_is_deployed_and_gone_back_from_as_ci_does(prod: Shop) -> None:
    first, second = prod.offer(), prod.offer()
    assert run("deploy", version=first, **QUICK) is Exit.COMPLETED
    assert run("deploy", version=second, **QUICK) is Exit.COMPLETED
    assert prod.serves(second)
    assert run("rollback", keep_warm_s=0.0) is Exit.COMPLETED
    assert prod.serves(first)
    broken = prod.offer(fault=Fault.EXITS, only="backend")
    assert run("deploy", version=broken, **QUICK) is Exit.UNDONE
    assert prod.serves(first)


def test_deploy_E2_a_deploy_that_is_cancelled_is_taken_back_by_its_worker_and_ends_cancelled(prod: Shop) -> None:
    """After the switch, as CI does that is cancelled itself."""
    before, version = prod.everything(), prod.offer()

    def cancel() -> None:
        done = '"event": "done", "name": "switch the gateway"'
        journals = prod.state_dir / "journal"
        wait_until(lambda: any(done in path.read_text() for path in journals.glob("*.jsonl")), "the gateway switches")
        os.kill(os.getpid(), signal.SIGTERM)

    cancels = threading.Thread(target=cancel)
    cancels.start()
    assert run("deploy", version=version, **(QUICK | {"soak_s": 60.0})) is Exit.CANCELLED
    cancels.join()
    assert prod.everything() == before
    assert prod.left_over() == []


def test_prune_and_the_checks_are_run_by_deployments(prod: Shop) -> None:
    """The tests' own Prefect server has no login: that alone is what keeps the check from being green."""
    before = prod.everything()
    assert run("prune") is Exit.COMPLETED
    assert run("prune", approve=True) is Exit.COMPLETED
    assert run("renew-certificates") is Exit.COMPLETED
    assert run("check-hardening") is Exit.FAILED
    assert prod.everything() == before


def test_no_secret_of_the_stack_is_where_it_does_not_belong(
    prod: Shop, worker: ArgvSampler, identity: x25519.Identity
) -> None:
    """After all of the above: Prefect's whole database, its logs, the stack's own records, store, and command lines."""
    canaries = {name: value for name, value in prod.stack.values.items() if name.endswith(("PASSWORD", "SECRET"))}
    canaries["age identity"] = str(identity)
    places = {str(path): path.read_bytes() for path in files(prod.state_dir.parent)}
    places["arguments"] = "\n".join(worker.seen).encode()
    found = [
        (name, where) for name, word in canaries.items() for where, held in places.items() if word.encode() in held
    ]
    assert found == []
    for program in ("pg_dump", "pg_restore", "docker"):
        assert any(program in line for line in worker.seen), program
    assert any(b"restore-redis" in held for where, held in places.items() if where.endswith(".db")), "it was read"
