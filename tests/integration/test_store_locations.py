"""What every location promises: a folder, rclone, moto, and rclone behind a proxy that refuses what only AWS knows."""

import hashlib
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pawpaw_ops.clients.locations import FolderLocation, Location, file_sha256
from pawpaw_ops.clients.s3 import S3Location
from pawpaw_ops.errors import ConfigError, StoreError
from pawpaw_ops.models.store import FolderSettings

KEYS = ("a/plain", "a/with space", "a/ñandú-日本", "a/;rm -rf '\"%2F+&=?#", "a/" + "deep/" * 20 + "end")
KINDS = ("folder", "rclone", "moto", "strict")


@pytest.fixture(params=KINDS)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "folder":
        made: Location = FolderLocation(FolderSettings(path=tmp_path / "store"))
    else:
        server = request.getfixturevalue(request.param)
        made = S3Location(server.settings if request.param == "strict" else server)
    made.check()
    return made


def file_of(folder: Path, size_bytes: int, *, seed: int = 0) -> tuple[Path, str]:
    path = folder / f"{size_bytes}-{seed}.bin"
    path.write_bytes(random.Random(seed).randbytes(size_bytes))
    return path, file_sha256(path)


def read_sha256(location: Location, key: str) -> str:
    digest = hashlib.sha256()
    with location.open(key) as stream:
        while data := stream.read(100_000):
            digest.update(data)
    return digest.hexdigest()


def keys(location: Location, prefix: str = "") -> list[str]:
    return [found.key for found in location.list(prefix)]


@pytest.mark.parametrize("size_bytes", [0, 1, 1 << 20, (8 << 20) + 1, 20 << 20])
def test_B9_a_file_comes_back_as_it_was(location: Location, tmp_path: Path, size_bytes: int) -> None:
    source, sha256 = file_of(tmp_path, size_bytes)

    location.put_file("a/b/data", source, sha256=sha256)

    assert read_sha256(location, "a/b/data") == sha256
    assert [found.size_bytes for found in location.list("a/b/")] == [size_bytes] == [location.size_of("a/b/data")]
    assert location.size_of("a/b/other") is None
    assert source.exists()


def test_B9_names_of_any_kind_are_kept(location: Location) -> None:
    for number, key in enumerate(KEYS):
        location.put_bytes(key, str(number).encode())

    assert keys(location, "a/") == sorted(KEYS)
    assert [location.get_bytes(key) for key in KEYS] == [str(number).encode() for number in range(len(KEYS))]
    for key in KEYS:
        location.delete(key)
    assert keys(location) == []


@pytest.mark.parametrize("size_bytes", [1000, 9 << 20])
def test_B4_the_same_bytes_again_are_no_error(location: Location, tmp_path: Path, size_bytes: int) -> None:
    source, sha256 = file_of(tmp_path, size_bytes)

    location.put_file("a", source, sha256=sha256)
    location.put_file("a", source, sha256=sha256)

    assert read_sha256(location, "a") == sha256
    assert keys(location) == ["a"]


@pytest.mark.parametrize("size_bytes", [1000, 9 << 20])
def test_B4_other_bytes_never_replace_what_is_there(location: Location, tmp_path: Path, size_bytes: int) -> None:
    """Of the same size, so that only their digest tells."""
    source, sha256 = file_of(tmp_path, size_bytes)
    other, other_sha256 = file_of(tmp_path, size_bytes, seed=1)
    location.put_file("a", source, sha256=sha256)

    with pytest.raises(StoreError, match="nothing is overwritten"):
        location.put_file("a", other, sha256=other_sha256)

    assert read_sha256(location, "a") == sha256


def test_small_objects_are_replaced(location: Location) -> None:
    location.put_bytes("a", b"one")
    location.put_bytes("a", b"")

    assert location.get_bytes("a") == b""


def test_what_is_not_there_is_said(location: Location) -> None:
    location.delete("a/b")
    with pytest.raises(FileNotFoundError):
        location.get_bytes("a/b")
    with pytest.raises(StoreError, match=r"no .*object"), location.open("a/b"):
        raise AssertionError


def test_D4_a_listing_is_of_one_prefix_in_order_with_times(location: Location) -> None:
    for key in ("app-prod/1", "app/2", "app/1/x", "apple/1"):
        location.put_bytes(key, b"12345")

    found = list(location.list("app/"))

    assert [(each.key, each.size_bytes) for each in found] == [("app/1/x", 5), ("app/2", 5)]
    assert all(abs(datetime.now(UTC) - each.modified_at) < timedelta(minutes=1) for each in found)


@pytest.mark.parametrize("key", ["../a", "/a", "a//b", "a/./b", "a/../../b", ""])
def test_a_key_cannot_lead_outside(location: Location, key: str) -> None:
    with pytest.raises(ConfigError):
        location.put_bytes(key, b"x")
    with pytest.raises(ConfigError):
        location.delete(key)


def test_check_leaves_nothing(location: Location) -> None:
    location.check()

    assert keys(location) == []


def test_a_source_that_is_gone_is_a_store_error(location: Location, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        location.put_file("a", tmp_path / "gone", sha256="0" * 64)
