"""The data of a Redis as names: built beside, exchanged, and put back from wherever it stopped."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pawpaw_ops.clients.redis import folders
from pawpaw_ops.clients.redis.folders import Exchange
from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.redis import Layout

AT = datetime(2026, 11, 24, 3, tzinfo=UTC)
ON, OFF = Layout(append_only=True), Layout(append_only=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.mkdir()
    (made / "dump.rdb").write_bytes(b"REDIS")
    return made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


def content(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {"": path.read_bytes()}
    return {each.name: each.read_bytes() for each in path.iterdir()}


def test_a_snapshot_becomes_the_base_of_append_only_files(source: Path, data: Path) -> None:
    made = folders.build(source, "rdb", ON, to=data / ".pawpaw-r1", like=data)
    assert made == data / ".pawpaw-r1" / "appendonlydir"
    assert content(made) == {
        "appendonly.aof.1.base.rdb": b"REDIS",
        "appendonly.aof.manifest": b"file appendonly.aof.1.base.rdb seq 1 type b\n",
    }


def test_a_snapshot_stays_one_where_append_only_files_are_off(source: Path, data: Path) -> None:
    made = folders.build(source, "rdb", OFF, to=data / ".pawpaw-r1")
    assert (made.name, made.read_bytes()) == ("dump.rdb", b"REDIS")


def test_append_only_files_get_the_list_under_the_servers_own_name(tmp_path: Path, data: Path) -> None:
    source = tmp_path / "aof"
    source.mkdir()
    (source / "old.aof.1.base.rdb").write_bytes(b"REDIS")
    (source / "old.aof.manifest").write_bytes(b"file old.aof.1.base.rdb seq 1 type b\n")
    layout = Layout(append_only=True, folder="aofdir", file="new.aof")
    made = folders.build(source, "aof", layout, to=data / ".pawpaw-r1")
    assert made.name == "aofdir"
    assert sorted(content(made)) == ["new.aof.manifest", "old.aof.1.base.rdb"]
    with pytest.raises(PreconditionError, match="appendonly off"):
        folders.build(source, "aof", OFF, to=data / ".pawpaw-r2")


def test_a_folder_that_cannot_be_written_to_is_no_traceback(source: Path, tmp_path: Path) -> None:
    with pytest.raises(PreconditionError, match="data_folder"):
        folders.build(source, "rdb", ON, to=tmp_path / "nowhere" / ".pawpaw-r1")
    with pytest.raises(ConfigError, match="not here"):
        folders.check_folder(tmp_path / "nowhere")


def exchange_of(data: Path, *, with_live: bool = True) -> Exchange:
    """Lay out live and incoming data and name their exchange."""
    if with_live:
        (data / "appendonlydir").mkdir()
        (data / "appendonlydir" / "live").touch()
    incoming = data / ".pawpaw-r1" / "appendonlydir"
    incoming.mkdir(parents=True)
    (incoming / "incoming").touch()
    incoming_id = folders.number(incoming)
    assert incoming_id is not None
    return Exchange(
        folder=data,
        live="appendonlydir",
        incoming=".pawpaw-r1/appendonlydir",
        retired=folders.retired_name("appendonlydir", at=AT, run_id="0123456789"),
        live_id=folders.number(data / "appendonlydir"),
        incoming_id=incoming_id,
    )


def names(data: Path) -> list[str]:
    return sorted(path.name for path in data.iterdir())


def test_an_exchange_keeps_what_was_live(data: Path) -> None:
    made = exchange_of(data)
    folders.exchange(made)
    assert not folders.is_as_before(made)
    assert content(data / "appendonlydir") == {"incoming": b""}
    assert content(data / "appendonlydir.old-20261124T030000Z-0123") == {"live": b""}
    assert folders.retired(data, "appendonlydir") == {"appendonlydir.old-20261124T030000Z-0123": AT}


def never(made: Exchange) -> None:
    del made


def between(made: Exchange) -> None:
    (made.folder / made.live).rename(made.folder / made.retired)


def started_alone(made: Exchange) -> None:
    """A server that came up in between has made a set of nothing."""
    between(made)
    (made.folder / made.live).mkdir()
    (made.folder / made.live / "empty").touch()


@pytest.mark.parametrize("stopped", [never, between, started_alone, folders.exchange])
def test_it_is_taken_back_from_wherever_it_stopped(data: Path, stopped: Callable[[Exchange], None]) -> None:
    """Twice is as good as once."""
    made = exchange_of(data)
    stopped(made)
    for _ in range(2):
        folders.take_back(made, at=AT)
        assert folders.is_as_before(made)
        assert content(data / "appendonlydir") == {"live": b""}
        assert content(data / ".pawpaw-r1" / "appendonlydir") == {"incoming": b""}
    strays = ["appendonlydir.stray-20261124T030000Z"] if stopped is started_alone else []
    assert names(data) == [".pawpaw-r1", "appendonlydir", *strays]


def test_it_is_taken_back_where_nothing_was_live(data: Path) -> None:
    made = exchange_of(data, with_live=False)
    folders.exchange(made)
    assert names(data) == [".pawpaw-r1", "appendonlydir"]
    folders.take_back(made, at=AT)
    assert names(data) == [".pawpaw-r1"]
    assert folders.is_as_before(made)


def test_an_undo_that_is_taken_back_leaves_what_it_would_have_brought(data: Path) -> None:
    """Its incoming data lies in the server's folder itself."""
    first = exchange_of(data)
    folders.exchange(first)
    again = first.model_copy(
        update={
            "incoming": first.retired,
            "retired": folders.retired_name("appendonlydir", at=AT, run_id="fedcba"),
            "live_id": first.incoming_id,
            "incoming_id": first.live_id,
        }
    )
    folders.exchange(again)
    assert content(data / "appendonlydir") == {"live": b""}
    folders.take_back(again, at=AT)
    assert content(data / "appendonlydir") == {"incoming": b""}
    assert content(data / first.retired) == {"live": b""}


def test_only_names_that_a_restore_gives_are_its_own(data: Path) -> None:
    for name in (
        *(
            "appendonlydir",
            "appendonlydir.old",
            "appendonlydir.old-yesterday",
            "appendonlydir.old-20261124T030000Z-0123",
        ),
        *("dump.rdb.old-20261125T030000Z-0123", "appendonlydir.stray-20261126T030000Z"),
    ):
        (data / name).mkdir()
    assert list(folders.retired(data, "appendonlydir")) == ["appendonlydir.old-20261124T030000Z-0123"]
    assert list(folders.retired(data, None)) == [
        "appendonlydir.old-20261124T030000Z-0123",
        "dump.rdb.old-20261125T030000Z-0123",
    ]
    assert list(folders.retired(data, "appendonlydir", strays=True)) == [
        "appendonlydir.old-20261124T030000Z-0123",
        "appendonlydir.stray-20261126T030000Z",
    ]


def test_a_layout_is_read_off_what_was_replaced(data: Path) -> None:
    kept = data / "aofdir.old-20261124T030000Z-0123"
    kept.mkdir()
    (kept / "carts.aof.manifest").touch()
    assert folders.layout_of(kept) == Layout(append_only=True, folder="aofdir", file="carts.aof")
    assert folders.layout_of(data / "x.rdb.old-20261124T030000Z-0123") == Layout(append_only=False, snapshot="x.rdb")


def test_what_was_replaced_is_copied_as_a_backup_lies(data: Path, tmp_path: Path) -> None:
    (data / "x.rdb.old-20261124T030000Z-0123").write_bytes(b"REDIS")
    folders.copy(data / "x.rdb.old-20261124T030000Z-0123", tmp_path / "copy")
    assert content(tmp_path / "copy") == {"dump.rdb": b"REDIS"}
    with pytest.raises(PreconditionError):
        folders.copy(data / "nothing", tmp_path / "other")
