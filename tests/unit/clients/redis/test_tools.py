"""Where a server's tools and its data are, by what its container says."""

from pathlib import Path

import pytest

from pawpaw_ops.clients.redis import tools
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.models.redis import Redis


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "find_image", lambda *_: ("4fa6", "sha256:1f"))
    monkeypatch.setattr(tools, "find_mount", lambda _, name, target: Path("/volumes", name, target.strip("/")))


def test_a_container_brings_its_tools_and_its_folder() -> None:
    found = tools.with_tools(Redis(container="cache"), run_id="r1")
    assert found.data_folder == Path("/volumes/cache/data")
    image = found.tools.image
    assert image is not None
    assert (image.id, image.container, image.name, image.run_id) == ("sha256:1f", "4fa6", "cache", "r1")


def test_what_the_block_says_goes_before_the_container() -> None:
    said = Redis(container="cache", data_folder=Path("/here"), tools=ClientTools(folder=Path("/opt/redis")))
    assert tools.with_tools(said, run_id="r1") == said


def test_a_server_on_this_host_has_them_on_the_path() -> None:
    assert tools.with_tools(Redis(), run_id="r1") == Redis()


def test_where_a_folder_is_on_this_host(tmp_path: Path) -> None:
    assert tools.folder_of(Redis(container="cache"), "/data") == Path("/volumes/cache/data")
    assert tools.folder_of(Redis(), str(tmp_path)) == tmp_path
    assert tools.folder_of(Redis(), "/nowhere/at/all") is None
