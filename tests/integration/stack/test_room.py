"""A deploy that the engine's disk has no room for: what nobody needs goes first, and nothing else ever does."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.deploy import deploy
from pawpaw_ops.errors import CommandError, PreconditionError
from tests.integration.stack.support_prune import COMPOSE, Shelf

pytestmark = pytest.mark.usefixtures("docker_engine", "prefect_api")
SEVEN = [f"v{number}" for number in range(1, 8)]
STAY = {"v4", "v5", "v6", "v7"}
UNNEEDED = {"v2", "v3"}
"""What goes when v1 is to be deployed again."""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    made.release(*SEVEN)
    yield made
    made.remove()


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], int]], None]:
    """Say how many of the disk's 1000 bytes are free; an image has 32."""

    def say(count: Callable[[], int]) -> None:
        def statvfs(_: object) -> os.statvfs_result:
            return os.statvfs_result((1, 1, 1000, count(), count(), 0, 0, 0, 0, 255))

        monkeypatch.setattr("pawpaw_ops.clients.inventory.os.statvfs", statvfs)

    return say


def test_deploy_H4_what_nobody_needs_goes_and_the_deploy_goes_on(
    shelf: Shelf, free: Callable[[Callable[[], int]], None]
) -> None:
    """The build that it wants is older than all that is kept. This stack has no migrations: there it ends."""
    free(lambda: 20 if shelf.there() & UNNEEDED else 84)
    with pytest.raises(CommandError, match="no such service: migrate"):
        deploy(stack=shelf.name, version="v1", accept_untested=True)
    assert shelf.there() == STAY | {"v1"}
    assert shelf.containers() == []


def test_deploy_H4_what_is_too_little_still_is_said_with_what_went_and_what_holds_most(
    shelf: Shelf, free: Callable[[Callable[[], int]], None]
) -> None:
    with (shelf.store / "big").open("wb") as backup:
        backup.truncate(1 << 43)
    free(lambda: 10 if shelf.there() & UNNEEDED else 42)
    says = r"may not begin: disk: .*5% of each.*; 2 images were removed, which freed 32 B; what holds most is respaldos"
    with pytest.raises(PreconditionError, match=says) as seen:
        deploy(stack=shelf.name, version="v1", accept_untested=True)
    assert "backup-db expires backups" in seen.value.hint
    assert shelf.there() == STAY | {"v1"}
    record = json.loads((shelf.state_dir / "audit.jsonl").read_text().splitlines()[-1])
    assert (record["verb"], record["result"]) == ("deploy", "precondition")
    assert sum(name.startswith("remove image") for name in record["steps"]) == len(UNNEEDED)
    assert not list((shelf.state_dir / "journal").glob("*.jsonl"))


def test_deploy_H4_PRN_10_where_it_would_not_help_nothing_goes(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    result = os.statvfs_result((1 << 30, 1 << 30, 100, 1, 1, 0, 0, 0, 0, 255))
    monkeypatch.setattr("pawpaw_ops.clients.inventory.os.statvfs", lambda _: result)
    with pytest.raises(PreconditionError, match=r"disk: 1024 MiB .*nothing was removed"):
        deploy(stack=shelf.name, version="v1", accept_untested=True)
    assert shelf.there() == {*SEVEN}


def test_deploy_H4_without_a_ledger_nobody_knows_what_is_needed(
    shelf: Shelf, free: Callable[[Callable[[], int]], None]
) -> None:
    (shelf.state_dir / "releases.jsonl").unlink()
    free(lambda: 20)
    with pytest.raises(PreconditionError, match=r"disk: .*no release is on record.*nothing was removed"):
        deploy(stack=shelf.name, version="v1", accept_untested=True)
    assert shelf.there() == {*SEVEN}


def test_deploy_H4_a_deploy_that_may_not_begin_anyway_removes_nothing(
    shelf: Shelf, free: Callable[[Callable[[], int]], None]
) -> None:
    (shelf.folder / "docker-compose.prod.yml").write_text(f"{COMPOSE.rstrip()}\n    healthcheck: {{disable: true}}\n")
    free(lambda: 20)
    with pytest.raises(PreconditionError, match=r"health checks: api have none.*disk: 0 MiB.*`prune` shows"):
        deploy(stack=shelf.name, version="v1", accept_untested=True)
    assert shelf.there() == {*SEVEN}
