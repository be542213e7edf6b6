"""The archive of the stack's own PostgreSQL is bounded by its own tool, and never at the cost of a reader."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from pawpaw_ops.clients.engine import engine_address
from pawpaw_ops.models.database import ClientTools, Database, ToolImage
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.models.store import StoreSettings
from pawpaw_ops.session import Session, open_session
from pawpaw_ops.tasks import wal_archive
from pawpaw_ops.tasks.wal_archive import Archive
from tests.integration.stack.support_docker import Container, World
from tests.integration.stack.test_postgres_image import Cluster, sql
from tests.waiting import wait_until

KEEP_H = 72.0


@pytest.fixture
def primary(world: World, postgres_image: str) -> Container:
    made: Container = Cluster(world, postgres_image, world.network()).primary()
    return made


@pytest.fixture
def do(prefect_api: None, world: World, primary: Container, tmp_path: Path) -> Iterator[Session]:
    """A session of a stack whose database it is."""
    password = SecretStr(dict(line.split("=", 1) for line in primary.inspect()["Config"]["Env"])["POSTGRES_PASSWORD"])
    image = ToolImage(
        id=primary.inspect()["Image"],
        container=primary.inspect()["Id"],
        name=primary.name,
        engine=engine_address(None),
        owner="0:0",
    )
    host = primary.address(f"{world.id}-net")
    database = Database(name="pawpaw_db", host=host, password=password, tools=ClientTools(image=image))
    stack = StackSettings(name="t", state_dir=tmp_path, database=database, store=StoreSettings(), identity_block="t")
    with open_session(stack, verb="backup-db", purpose="test", run_id="wal") as made:
        made.commit("the backup is there")
        yield made


def archived(primary: Container) -> list[str]:
    return sorted(primary.exec("ls", "/wal_archive").split())


def grow(primary: Container, segments: int) -> None:
    """Archive some segments; a recovery would begin in the one that is written to now."""
    made = [
        sql(primary, "CREATE TABLE t (); DROP TABLE t; SELECT pg_walfile_name(pg_switch_wal())")
        for _ in range(segments)
    ]
    wait_until(lambda: made[-1] in archived(primary), f"{made[-1]} is archived")
    sql(primary, "CHECKPOINT")


def age(primary: Container, *names: str) -> None:
    primary.exec("touch", "-d", "5 days ago", *(f"/wal_archive/{name}" for name in names))


def looked(do: Session) -> Archive:
    found = wal_archive.look(do, keep_wal_h=KEEP_H)
    assert found is not None
    return found


def test_what_a_slot_needs_stays_and_the_rest_goes_once_it_is_old(primary: Container, do: Session) -> None:
    grow(primary, 3)
    old = archived(primary)
    sql(primary, "SELECT pg_drop_replication_slot('replica_1')")
    sql(primary, "SELECT pg_create_physical_replication_slot('replica_1', true)")
    needed = sql(primary, "SELECT pg_walfile_name(restart_lsn) FROM pg_replication_slots")
    grow(primary, 3)
    age(primary, *archived(primary))
    plan = looked(do).plan
    assert (plan.anchor, plan.held_by) == (needed, "the slot replica_1")
    assert [one.name for one in plan.going] == [name for name in old if name < needed] != []
    assert wal_archive.bound.fn(do, keep_wal_h=KEEP_H) == ()
    left = archived(primary)
    assert left[0] == needed
    assert len(left) >= 3
    assert wal_archive.bound.fn(do, keep_wal_h=KEEP_H) == ()
    assert archived(primary) == left

    sql(primary, "SELECT pg_replication_slot_advance('replica_1', pg_current_wal_lsn())")
    grow(primary, 2)
    young = [name for name in archived(primary) if name not in left]
    assert wal_archive.bound.fn(do, keep_wal_h=KEEP_H) == ()
    assert archived(primary) == young


def test_what_is_unknown_or_not_ours_is_left_alone(primary: Container, do: Session) -> None:
    """A slot that has no place yet, as while its standby reads the archive; another program; a server that is away."""
    grow(primary, 2)
    before = archived(primary)
    age(primary, *before)
    (said,) = wal_archive.bound.fn(do, keep_wal_h=KEEP_H)
    assert "nobody can say what the slot replica_1 may still ask for" in said
    sql(primary, "SELECT pg_drop_replication_slot('replica_1')")
    assert looked(do).plan.going
    sql(primary, "ALTER SYSTEM SET archive_command = 'ship-it %p'")
    sql(primary, "SELECT pg_reload_conf()")
    wait_until(lambda: sql(primary, "SHOW archive_command") == "ship-it %p", "the setting is in force")
    assert wal_archive.bound.fn(do, keep_wal_h=KEEP_H) == ()
    assert archived(primary) == before
    primary.stop()
    (said,) = wal_archive.bound.fn(do, keep_wal_h=KEEP_H)
    assert "the database does not say" in said
