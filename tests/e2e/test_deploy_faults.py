"""Releases that are no good, under customers who never try again: nobody notices, and it is said why."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from flows.backup import backup_db
from pawpaw_ops.commands import compose
from pawpaw_ops.errors import OpsError, PreconditionError, Undone
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.runner import LocalRunner
from tests.e2e.fault_images import FORGET, Fault, Migration, table_in_use
from tests.e2e.support_deploy import Shop
from tests.waiting import SOAK

pytestmark = pytest.mark.usefixtures("logs_of_failures", "prefect_api", "nobody_notices")


AGAIN = r"(, and was restarted (once|\d+ times))?"
ENDED = rf"backend-\d+ ended with exit code 1{AGAIN}\. Its last words: '.*leaving with exit code 1"
BROKEN = {
    "A1": (Fault.EXITS, ENDED),
    "A2": (Fault.CRASH_LOOPS, ENDED),
    "A3": (
        Fault.UNHEALTHY,
        "is (unhealthy|starting): its last health check ended with exit code 1 and said 'the shop is unwell'",
    ),
    "A4": (Fault.DIES, ENDED),
    "A6-301": (Fault.READY_301, "301 redirects to /entrar"),
    "A6-404": (Fault.READY_404, "/ready: 404"),
    "A6-port": (Fault.WRONG_PORT, "refused"),
    "A7": (
        Fault.ONE_UNHEALTHY,
        "is (unhealthy|starting): its last health check ended with exit code 1 and said '/health answered 503'",
    ),
    "A8": (Fault.OOM, r"ended with exit code 137: it was killed for taking more memory than the \d+ MiB that it may"),
}
"""Each with what the error must say of it: the cause, and not a line that the release itself wrote."""
SEEN = [name for name in BROKEN if SOAK or name not in {"A6-301", "A6-port"}]
"""All of them are for `make soak`: those that are left out here differ from A6-404 by what the probe says alone."""


@pytest.mark.parametrize(("fault", "why"), [BROKEN[name] for name in SEEN], ids=SEEN)
def test_deploy_A1_A2_A3_A4_A6_A7_A8_a_release_that_does_not_work_never_gets_a_request(
    shop: Shop, fault: Fault, why: str
) -> None:
    before = shop.everything()
    version = shop.offer(fault=fault, only="backend")
    with pytest.raises(Undone, match=why):
        shop.deploy(version, deadline_s=15, stable_s=6)
    assert shop.everything() == before


def test_deploy_A1_a_release_that_exits_is_told_at_once_with_its_last_words(shop: Shop) -> None:
    version = shop.offer(fault=Fault.EXITS, only="backend")
    with pytest.raises(Undone, match=ENDED):
        shop.deploy(version, deadline_s=600)


def test_deploy_A5_a_slow_release_gets_no_request_before_it_is_ready(shop: Shop) -> None:
    version = shop.offer(fault=Fault.SLOW_BOOT, seconds=12, only="backend")
    shop.deploy(version, deadline_s=90)
    assert shop.serves(version)


def test_deploy_A9_a_release_that_nobody_can_check_is_refused_first(shop: Shop) -> None:
    before = shop.everything()
    with pytest.raises(PreconditionError, match="backend have none"):
        shop.deploy(shop.offer(fault=Fault.NO_HEALTHCHECK, only="backend"))
    assert shop.everything() == before


@pytest.mark.parametrize("fault", [Fault.DEAF, *((Fault.ABRUPT,) if SOAK else ())])
def test_deploy_B6_a_release_that_ends_badly_is_drained_first(shop: Shop, fault: Fault) -> None:
    shop.deploy(shop.offer(fault=fault, only="backend"))
    shop.deploy(shop.offer())


def test_deploy_F1_a_migration_that_fails_leaves_everything(shop: Shop) -> None:
    before, schema = shop.everything(), shop.stack.sql("SELECT max(version) FROM schema_migrations")
    with pytest.raises(OpsError, match="division by zero"):
        shop.deploy(shop.offer(migration=Migration("breaks", version=9101), only="backend"))
    assert shop.everything() == before
    assert shop.stack.sql("SELECT max(version) FROM schema_migrations") == schema


def test_deploy_F2_a_migration_that_has_to_wait_gives_up_before_anybody_waits_for_it_long(shop: Shop) -> None:
    before = shop.everything()
    version = shop.offer(migration=Migration("blocks", version=9151), only="backend")
    with (
        table_in_use(shop.stack.values["DB_CONTAINER"], shop.stack.values["DB_NAME"]),
        pytest.raises(OpsError, match="lock timeout"),
    ):
        shop.deploy(version)
    assert shop.everything() == before
    assert shop.stack.sql("SELECT count(*) FROM schema_migrations WHERE version = 9151") == "0"


def test_deploy_F5_of_two_who_migrate_at_once_one_does(shop: Shop) -> None:
    tag = shop.images.backend("twice", migration=Migration("expands", version=9251))
    command = compose.run_once(shop.stack.project, "migrate", settings={"BACKEND_IMAGE": tag})
    with ThreadPoolExecutor() as pool:
        said = list(pool.map(LocalRunner().run, [command] * 2))
    assert sorted(re.findall(r'"applied":(\d)', "".join(said))) == ["0", "1"], said
    assert shop.stack.sql("SELECT count(*) FROM schema_migrations WHERE version = 9251") == "1"
    shop.stack.sql(FORGET)


def test_deploy_F3_the_old_release_works_with_the_schema_of_a_new_one_that_did_not(shop: Shop) -> None:
    before = shop.everything()
    version = shop.offer(fault=Fault.EXITS, migration=Migration("expands", version=9201), only="backend")
    with pytest.raises(Undone, match=ENDED):
        shop.deploy(version)
    assert shop.everything() == before
    assert shop.stack.sql("SELECT count(*) FROM schema_migrations WHERE version = 9201") == "1"


def test_deploy_F4_F7_a_migration_that_removes_something_wants_a_young_backup_and_is_a_door(shop: Shop) -> None:
    good = shop.offer()
    shop.deploy(good)
    contracts = shop.offer(migration=Migration("contracts", version=9301))
    before = shop.everything()
    with pytest.raises(PreconditionError, match="there is no way back: backup: "):
        shop.deploy(contracts, backup_within_h=1e-6)
    assert shop.everything() == before
    backup_db(stack=shop.name)
    shop.deploy(contracts)
    assert shop.ledger[-1].contract
    before = shop.everything()
    with pytest.raises(PreconditionError, match="restore-db"):
        shop.back()
    assert shop.everything() == before
    shop.back(accept_schema=True)
    assert shop.serves(good)
    shop.stack.sql(FORGET)
    shop.deploy(shop.offer())


def test_deploy_G6_a_rollback_that_does_not_work_leaves_the_release_that_does(shop: Shop) -> None:
    bad, good = shop.offer(), shop.offer()
    shop.deploy(bad)
    shop.deploy(good)
    shop.record("broken", {"backend": shop.images.backend("broken", Fault.EXITS)})
    ledger = shop.state_dir / "releases.jsonl"
    text = ledger.read_text()
    broken = shop.image_id(f"{shop.stack.name}-backend:broken")
    ledger.write_text(text.replace(shop.ledger[-2].images["BACKEND_IMAGE"], broken))
    with pytest.raises(Undone, match=ENDED):
        shop.back()
    ledger.write_text(text)
    assert shop.serves(good)


@pytest.mark.parametrize("to", ["--help", "no-such-release", "../../etc/passwd"])
def test_deploy_G7_a_release_that_there_is_not_is_refused(shop: Shop, to: str) -> None:
    before = shop.everything()
    with pytest.raises(PreconditionError, match="no earlier release"):
        shop.back(to=to)
    assert shop.everything() == before


def test_deploy_H1_H2_a_build_that_failed_its_tests_or_is_another_than_was_tested_is_refused(shop: Shop) -> None:
    before = shop.everything()
    shop.record("failed", {"backend": shop.images.backend("failed")}, verdict=Verdict.FAILED)
    with pytest.raises(PreconditionError, match="failed"):
        shop.deploy("failed", accept_untested=True)
    shop.record("untested", {"backend": shop.images.backend("untested")}, verdict=Verdict.NOT_VERIFIED)
    with pytest.raises(PreconditionError, match="is not tested"):
        shop.deploy("untested")
    version = shop.offer(only="backend")
    verdict = shop.state_dir / "builds" / f"{version}.tested.json"
    other = shop.image_id(shop.images.backend("other"))
    mine = shop.image_id(f"{shop.stack.name}-backend:{version}")
    verdict.write_text(verdict.read_text().replace(mine, other))
    with pytest.raises(PreconditionError, match="ran other images"):
        shop.deploy(version)
    assert shop.everything() == before


def test_deploy_I1_a_variable_without_a_value_is_named_before_anything_starts(shop: Shop) -> None:
    env = shop.stack.project.env_file
    text = env.read_text()
    before = shop.everything() | {"env": ""}
    env.write_text(text.replace(f"\nJWT_SECRET={shop.stack.values['JWT_SECRET']}\n", "\nJWT_SECRET=\n"))
    try:
        with pytest.raises(OpsError, match="JWT_SECRET"):
            shop.deploy(shop.offer())
    finally:
        env.write_text(text)
    assert shop.everything() | {"env": ""} == before


def test_deploy_I2_a_changed_setting_replaces_those_alone_that_have_it(shop: Shop) -> None:
    frontend = shop.replicas("frontend")
    backend = shop.replicas("backend")
    env = shop.stack.project.env_file
    env.write_text(env.read_text() + "DB_POOL_MAX=9\n")
    shop.deploy("current")
    assert shop.replicas("frontend") == frontend
    assert not shop.replicas("backend").keys() & backend.keys()
    assert set(shop.replicas("backend").values()) == set(backend.values())


def test_deploy_I5_a_service_that_must_stop_to_change_is_left_alone(shop: Shop) -> None:
    redis = shop.replicas("redis")
    with shop.stack.env({"REDIS_MAXMEMORY": "200mb"}):
        shop.deploy(shop.offer())
        assert shop.replicas("redis") == redis
