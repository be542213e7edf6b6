"""What only a folder can do wrong."""

import os
from pathlib import Path

import pytest

from pawpaw_ops.clients.locations import FolderLocation, file_sha256
from pawpaw_ops.errors import ConfigError, StoreError, Unreachable
from pawpaw_ops.models.store import FolderSettings


@pytest.fixture
def folder(tmp_path: Path) -> FolderLocation:
    made = FolderLocation(FolderSettings(path=tmp_path / "store"))
    made.check()
    return made


def test_A5_a_copy_that_does_not_fit_leaves_nothing(folder: FolderLocation) -> None:
    """The file system of /dev/full has no room, as its reader finds out only while writing."""
    (folder.root / ".a.partial").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="No space left"):
        folder.put_bytes("a", b"x" * 100_000)

    assert list(folder.list("")) == []


def test_A3_an_unfinished_copy_is_listed_under_another_name_and_can_be_removed(folder: FolderLocation) -> None:
    (folder.root / "app").mkdir()
    (folder.root / "app" / ".data.partial").write_bytes(b"half")

    assert [found.key for found in folder.list("app/")] == ["app/.data.partial"]

    folder.delete("app/.data.partial")
    assert not (folder.root / "app").exists()


def test_A3_an_unfinished_copy_of_a_dead_run_does_not_disturb_the_next(folder: FolderLocation, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"whole")
    (folder.root / ".a.partial").write_bytes(b"half of something else")

    folder.put_file("a", source, sha256=file_sha256(source))

    assert folder.get_bytes("a") == b"whole"
    assert [found.key for found in folder.list("")] == ["a"]


def test_what_was_stored_does_not_hang_on_the_source(folder: FolderLocation, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"whole")
    folder.put_file("a", source, sha256=file_sha256(source))

    source.unlink()

    assert folder.get_bytes("a") == b"whole"


def test_a_folder_that_is_not_mounted_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        list(FolderLocation(FolderSettings(path=tmp_path / "gone")).list(""))


def test_a_file_where_the_folder_should_be_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")

    with pytest.raises(ConfigError, match="BackupStore"):
        FolderLocation(FolderSettings(path=tmp_path / "store")).check()


def test_B8_foreign_files_with_names_that_are_no_text_are_passed_over(folder: FolderLocation) -> None:
    (folder.root / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"theirs")
    os.mkfifo(folder.root / "a pipe")
    (folder.root / "gone").symlink_to("nowhere")
    folder.put_bytes("ours", b"x")

    assert [found.key for found in folder.list("")] == ["ours"]


@pytest.mark.parametrize("key", ["a", "a/b"])
def test_a_folder_in_the_place_of_an_object_is_a_store_error(folder: FolderLocation, key: str) -> None:
    (folder.root / key / "in").mkdir(parents=True)

    for attempt in (lambda: folder.get_bytes(key), lambda: folder.put_bytes(key, b""), lambda: folder.delete(key)):
        with pytest.raises(StoreError):
            attempt()


def test_the_room_that_is_left_is_told(folder: FolderLocation) -> None:
    assert (folder.free_bytes() or 0) > 0
