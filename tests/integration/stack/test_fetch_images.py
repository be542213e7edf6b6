"""Images that the engine has no more and a real registry still has: fetched whole, or not at all."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from prefect import flow

from blocks import Stack
from blocks.registry import login_to_fetch
from flows.deploy import deploy
from flows.rollback import rollback
from pawpaw_ops.clients.images import find_image
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.session import open_session
from pawpaw_ops.tasks.deploy_back import choose_release
from pawpaw_ops.tasks.deploy_look import compare
from tests.integration.stack.support_docker import docker
from tests.integration.stack.support_prune import Shelf
from tests.integration.stack.support_registry import PASSWORD, cut_and_refuse, registry, way_to

pytestmark = pytest.mark.usefixtures("docker_engine", "prefect_api")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    made.release("v1", "v2", "v3")
    yield made
    made.remove()


@pytest.fixture
def hub(shelf: Shelf, tmp_path: Path) -> Iterator[str]:
    """A registry, and its login in the stack's block."""
    folder = tmp_path / "hub"
    folder.mkdir()
    with registry(folder) as address:
        shelf.log_in(address)
        yield address


@flow(name="look-back")
def look_back(name: str, to: str) -> str:
    """What a rollback does before it changes anything: choose, fetch, compare."""
    with open_session(Stack.named(name).settings(), verb="test", purpose="test", run_id=f"look-{to}") as do:
        aim = choose_release(do, to, accept_schema=False)
        found: str = compare(do, aim, login=partial(login_to_fetch, name)).images["api"].id
    return found


def everything(shelf: Shelf) -> tuple[str, ...]:
    """Return what a fetch may not change: images, containers, the `.env` and the records."""
    files = (shelf.folder / ".env", shelf.state_dir / "releases.jsonl")
    mine = docker("images", "--all", "--no-trunc", "--quiet", "--filter", f"label=pawpaw.test={shelf.name}")
    return (*sorted(mine.split()), *shelf.containers(), *(path.read_text() for path in files))


def test_deploy_G2_an_image_that_is_gone_is_fetched_by_its_digest(shelf: Shelf, hub: str) -> None:
    digest = shelf.publish("v1", hub)
    assert find_image("", digest) is None
    assert look_back(shelf.name, "v1") == shelf.ids["v1"]
    assert shelf.there() == {"v1", "v2", "v3"}
    audit = (shelf.state_dir / "audit.jsonl").read_text()
    assert f"fetch {digest}" in audit
    assert PASSWORD not in audit


def test_deploy_G2_an_image_that_its_registry_has_not_is_a_clear_error(shelf: Shelf, hub: str) -> None:
    digest = shelf.publish("v1", hub)
    gone = digest[:-8] + "0" * 8
    ledger = shelf.state_dir / "releases.jsonl"
    ledger.write_text(ledger.read_text().replace(digest, gone))
    before = everything(shelf)
    with pytest.raises(PreconditionError, match=rf"{gone} .*could not be fetched: .*manifest unknown.*not touched"):
        rollback(stack=shelf.name, to="v1")
    assert everything(shelf) == before


def test_deploy_G2_a_registry_that_wants_a_login_is_no_registry_without_it(shelf: Shelf, hub: str) -> None:
    """Another registry's login is not tried."""
    digest = shelf.publish("v1", hub)
    shelf.log_in("127.0.0.1:1")
    before = everything(shelf)
    with pytest.raises(PreconditionError, match=rf"{digest} .*no basic auth credentials.*login"):
        rollback(stack=shelf.name, to="v1")
    assert everything(shelf) == before


def test_deploy_G2_where_neither_engine_nor_registry_has_it_nothing_changes(shelf: Shelf, tmp_path: Path) -> None:
    with registry(tmp_path) as address:
        digest = shelf.publish("v1", address)
    docker("rmi", shelf.ids["v2"])
    before = everything(shelf)
    with pytest.raises(PreconditionError, match=rf"{digest} .*connection refused"):
        rollback(stack=shelf.name, to="v1")
    with pytest.raises(PreconditionError, match=r"of api is not on this engine.*Build the version again"):
        rollback(stack=shelf.name, to="v2")
    assert everything(shelf) == before


def test_deploy_H3_a_fetch_that_ends_halfway_leaves_nothing_and_the_next_one_works(shelf: Shelf, hub: str) -> None:
    with way_to(hub) as way:
        address = way.url.removeprefix("http://")
        digest = shelf.publish("v1", hub, known_at=address)
        shelf.log_in(address)
        before = everything(shelf)
        way.fail("*", cut_and_refuse(), times=1000)
        with pytest.raises(PreconditionError, match=rf"the image {digest} .*could not be fetched: .*made up"):
            deploy(stack=shelf.name, version="v1", accept_untested=True)
        assert everything(shelf) == before
        way.faults.clear()
        assert look_back(shelf.name, "v1") == shelf.ids["v1"]


def test_deploy_H4_what_there_is_no_room_for_is_not_begun(shelf: Shelf, hub: str) -> None:
    with way_to(hub) as way:
        digest = shelf.publish("v1", hub, known_at=way.url.removeprefix("http://"), size_bytes=1 << 60)
        with pytest.raises(PreconditionError, match=rf"{digest} cannot be fetched: .*1099511627776\.0 MiB for images"):
            deploy(stack=shelf.name, version="v1", accept_untested=True)
        assert way.seen.total() == 0
    assert shelf.there() == {"v2", "v3"}
