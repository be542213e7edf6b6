"""The catalog, on a folder and on real S3 servers."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from pawpaw_ops.clients.locations import BACKUP_ID, FolderLocation, Location, file_sha256
from pawpaw_ops.clients.s3 import S3Location
from pawpaw_ops.clients.store import DATA, MANIFEST, Catalog, locations
from pawpaw_ops.errors import BackupCorrupt, ConfigError, StoreError
from pawpaw_ops.models.backup import Manifest, Proof, new_backup_id
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.store import FolderSettings, StoreSettings
from tests.integration.support_proxy import Proxy, hide, refuse, store_instead
from tests.integration.support_s3 import rclone_server
from tests.unit import support_backups

AT = datetime(2026, 8, 1, 3, tzinfo=UTC)
BODY = b"sealed bytes"


@pytest.fixture(params=["folder", "rclone", "moto"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "folder":
        made = FolderLocation(FolderSettings(path=tmp_path / "store"))
        made.check()
        return made
    return S3Location(request.getfixturevalue(request.param))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "sealed"
    path.write_bytes(BODY)
    return path


def manifest_for(catalog: Catalog, at: datetime) -> Manifest:
    made = support_backups.manifest(at)
    key = catalog.key(made.backup_id, DATA)
    return made.model_copy(update={"object_key": key, "size_bytes": len(BODY)})


def publish(catalog: Catalog, source: Path, *, at: datetime = AT) -> Manifest:
    manifest = manifest_for(catalog, at)
    catalog.location.put_file(manifest.object_key, source, sha256=file_sha256(source))
    catalog.publish(manifest)
    return manifest


def proof(backup_id: str, at: datetime, verdict: Verdict, *, level: int = 1) -> Proof:
    return Proof(backup_id=backup_id, at=at, verdict=verdict, level=level, run_id="run", findings=(f"{verdict}",))


def keys(location: Location) -> list[str]:
    return [found.key for found in location.list("")]


def test_A3_without_a_manifest_there_is_no_backup(location: Location, source: Path) -> None:
    catalog = Catalog(location, "shop", "app")
    manifest = manifest_for(catalog, AT)
    location.put_file(manifest.object_key, source, sha256=file_sha256(source))

    assert catalog.entries() == []
    assert catalog.unpublished() == [manifest.backup_id]

    catalog.publish(manifest)

    (entry,) = catalog.entries()
    assert (entry.manifest, entry.verdict, entry.location) == (manifest, Verdict.NOT_VERIFIED, location.name)
    assert catalog.unpublished() == []
    assert catalog.manifest(manifest.backup_id) == manifest


@pytest.mark.parametrize("hidden", [DATA, MANIFEST, ""])
def test_B8_a_list_that_is_older_than_its_objects_makes_no_backup_bad_and_no_leftover(
    proxy: Proxy, source: Path, hidden: str
) -> None:
    """The object itself is asked before it is called gone, and the manifest before what lies without one may go."""
    catalog = Catalog(S3Location(proxy.settings), "shop", "app")
    old = publish(catalog, source)
    new = publish(catalog, source, at=AT + timedelta(days=1))
    late = catalog.key(new.backup_id, hidden)
    proxy.fail(
        "ListObjectsV2",
        hide(lambda key: not key.removeprefix(proxy.settings.prefix).strip("/").startswith(late)),
        times=9,
    )

    seen = {entry.backup_id: entry.problem for entry in catalog.entries()}

    assert seen == {one.backup_id: "" for one in ((old, new) if hidden == DATA else (old,))}
    assert catalog.unpublished() == []
    proxy.faults.clear()
    assert [entry.backup_id for entry in catalog.entries()] == [old.backup_id, new.backup_id]


def test_the_newest_proof_is_what_is_known(location: Location, source: Path) -> None:
    """Newest by time, whatever time zone a proof was written in."""
    catalog = Catalog(location, "shop", "app")
    backup_id = publish(catalog, source).backup_id
    monterrey = timezone(timedelta(hours=-6))
    catalog.add_proof(proof(backup_id, AT, Verdict.VERIFIED, level=1))
    catalog.add_proof(proof(backup_id, (AT + timedelta(hours=2)).astimezone(monterrey), Verdict.VERIFIED, level=8))
    catalog.add_proof(proof(backup_id, AT + timedelta(hours=1), Verdict.FAILED))

    (entry,) = catalog.entries()
    assert (entry.verdict, entry.level, entry.problem) == (Verdict.VERIFIED, 8, "")
    assert entry.proven_at == AT + timedelta(hours=2)

    catalog.add_proof(proof(backup_id, AT + timedelta(hours=3), Verdict.FAILED))

    assert [(entry.verdict, entry.problem) for entry in catalog.entries()] == [(Verdict.FAILED, "failed")]


def test_an_unreadable_or_foreign_proof_proves_nothing(location: Location, source: Path) -> None:
    catalog = Catalog(location, "shop", "app")
    backup_id = publish(catalog, source).backup_id
    other = proof(f"{backup_id[:-1]}f", AT, Verdict.VERIFIED)
    location.put_bytes(catalog.key(backup_id, "proof-1.json"), other.model_dump_json().encode())
    location.put_bytes(catalog.key(backup_id, "proof-2.json"), b'{"verdict": "verified"')

    assert [entry.verdict for entry in catalog.entries()] == [Verdict.NOT_VERIFIED]


def test_marks_and_pins_come_and_go(location: Location, source: Path) -> None:
    catalog = Catalog(location, "shop", "app")
    backup_id = publish(catalog, source).backup_id
    catalog.pin(backup_id)
    catalog.mark_expired(backup_id, AT)

    assert [(entry.pinned, entry.marked_at) for entry in catalog.entries()] == [(True, AT)]

    catalog.unpin(backup_id)
    catalog.unmark(backup_id)

    assert [(entry.pinned, entry.marked_at) for entry in catalog.entries()] == [(False, None)]


class Watched:
    """A location that writes down what is removed, in order."""

    def __init__(self, inner: Location) -> None:
        self.inner = inner
        self.removed: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def delete(self, key: str) -> None:
        self.inner.delete(key)
        self.removed.append(key)


def test_D5_removing_begins_with_the_manifest(location: Location, source: Path) -> None:
    watched = Watched(location)
    catalog = Catalog(watched, "shop", "app")  # type: ignore[arg-type]
    backup_id = publish(catalog, source).backup_id
    catalog.pin(backup_id)
    catalog.add_proof(proof(backup_id, AT, Verdict.VERIFIED))

    removed_bytes = catalog.remove(backup_id)

    assert watched.removed[0] == catalog.key(backup_id, MANIFEST)
    assert len(watched.removed) == len(set(watched.removed)) == 4
    assert removed_bytes > len(BODY)
    assert keys(location) == []


def test_D5_a_removal_that_fails_half_way_leaves_nothing_visible_and_goes_on_later(proxy: Proxy, source: Path) -> None:
    catalog = Catalog(S3Location(proxy.settings), "shop", "app")
    backup_id = publish(catalog, source).backup_id
    proxy.fail("DeleteObject", refuse(403, "AccessDenied"), after=1)

    with pytest.raises(StoreError, match="s3:DeleteObject"):
        catalog.remove(backup_id)

    assert catalog.entries() == []
    assert catalog.unpublished() == [backup_id]
    catalog.remove(backup_id)
    assert keys(catalog.location) == []


FOREIGN = (
    "README.txt",
    "shop/notes.txt",
    "shop/app/photo.jpg",
    "shop/app/holiday/20260801/x.jpg",
    "shop/app/20260801T030000Z/mine.txt",
    "shop/app/20260801T030000Z-holiday/mine.txt",
    "shop/app/20260801T030000Z-0badcafe",
    "shop/app/backup_2026-08-01.sql.gz",
)


def test_D4_only_our_own_entries_are_listed_and_removed(location: Location, source: Path) -> None:
    """Two databases, one's name the beginning of the other's, two stacks, and a user's own files in one place."""
    for key in FOREIGN:
        location.put_bytes(key, b"theirs")
    catalogs = [
        Catalog(location, stack, database) for stack in ("shop", "shop-b") for database in ("app", "app-prod", "a p/p")
    ]
    for catalog in catalogs:
        publish(catalog, source)
    for catalog in catalogs:
        (entry,) = catalog.entries()
        assert entry.manifest is not None
        assert entry.manifest.object_key.startswith(catalog.prefix)
        assert catalog.unpublished() == []
    before = set(keys(location))

    ours, *others = catalogs
    ours.remove(ours.entries()[0].backup_id)

    assert before - set(keys(location)) == {key for key in before if key.startswith("shop/app/") and key not in FOREIGN}
    assert not ours.entries()
    assert not ours.unpublished()
    assert all(len(catalog.entries()) == 1 for catalog in others)
    assert set(FOREIGN) <= set(keys(location))


@pytest.mark.parametrize("database", [".", "..", "...", ".app", "a/b", "../app", "app;'\"%", "tienda ñandú", "%2E"])
def test_names_of_any_kind_have_a_catalog_of_their_own(location: Location, source: Path, database: str) -> None:
    catalog = Catalog(location, "shop", database)
    manifest = publish(catalog, source)

    assert [entry.manifest for entry in catalog.entries()] == [manifest]
    assert len(keys(location)) == 2
    catalog.remove(manifest.backup_id)
    assert keys(location) == []


@pytest.mark.parametrize("backup_id", ["", ".", "..", "20260801T030000Z", "20260801T030000Z-../../x", "x/../y"])
def test_what_is_no_id_is_never_made_a_key(location: Location, backup_id: str) -> None:
    with pytest.raises(ConfigError, match="not a backup id"):
        Catalog(location, "shop", "app").remove(backup_id)


def test_new_ids_are_ids() -> None:
    assert BACKUP_ID.fullmatch(new_backup_id(AT))


def test_A9_a_flipped_bit_in_a_manifest_is_a_failed_entry(tmp_path: Path, source: Path) -> None:
    """300 bits at random, one at a time; none may pass as a manifest that says something else."""
    location = FolderLocation(FolderSettings(path=tmp_path / "store"))
    catalog = Catalog(location, "shop", "app")
    manifest = publish(catalog, source)
    key, whole, rng = catalog.key(manifest.backup_id, MANIFEST), manifest.to_json(), random.Random(1)
    for _ in range(300):
        at, bit = rng.randrange(len(whole)), 1 << rng.randrange(8)
        location.put_bytes(key, whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])

        (entry,) = catalog.entries()

        assert (entry.verdict, entry.manifest) == (Verdict.FAILED, None), (at, bit)
        assert entry.problem


@pytest.mark.parametrize("damage", ["empty", "cut", "not json", "of another backup"])
def test_A9_a_damaged_manifest_is_a_failed_entry_among_good_ones(location: Location, source: Path, damage: str) -> None:
    catalog = Catalog(location, "shop", "app")
    good, bad = publish(catalog, source), publish(catalog, source, at=AT + timedelta(days=1))
    data = {"empty": b"", "cut": bad.to_json()[:-9], "not json": b"\xff\xfe", "of another backup": good.to_json()}
    location.put_bytes(catalog.key(bad.backup_id, MANIFEST), data[damage])

    assert [(entry.backup_id, entry.verdict) for entry in catalog.entries()] == [
        (good.backup_id, Verdict.NOT_VERIFIED),
        (bad.backup_id, Verdict.FAILED),
    ]
    with pytest.raises(BackupCorrupt):
        catalog.manifest(bad.backup_id)


@pytest.mark.parametrize(("stored", "text"), [(None, "is gone"), (b"sealed", "has 6 of 12 bytes")])
def test_B3_data_that_is_gone_or_short_is_a_failed_entry(
    location: Location, source: Path, stored: bytes | None, text: str
) -> None:
    catalog = Catalog(location, "shop", "app")
    manifest = publish(catalog, source)
    catalog.add_proof(proof(manifest.backup_id, AT, Verdict.VERIFIED))
    location.delete(manifest.object_key)
    if stored is not None:
        location.put_bytes(manifest.object_key, stored)

    assert [(entry.verdict, text in entry.problem) for entry in catalog.entries()] == [(Verdict.FAILED, True)]


@pytest.mark.parametrize("change", [lambda body: body[:-1], lambda _: b"", lambda body: body.replace(b"run", b"nur")])
def test_B3_a_manifest_that_is_stored_wrong_is_not_published(proxy: Proxy, source: Path, change: object) -> None:
    catalog = Catalog(S3Location(proxy.settings), "shop", "app")
    manifest = manifest_for(catalog, AT)
    catalog.location.put_file(manifest.object_key, source, sha256=file_sha256(source))
    proxy.fail("PutObject", store_instead(change))  # type: ignore[arg-type]

    with pytest.raises(StoreError, match="nothing is published"):
        catalog.publish(manifest)

    assert catalog.entries() == []
    assert catalog.unpublished() == [manifest.backup_id]


def test_a_backup_that_goes_while_the_catalog_is_read_is_left_out(location: Location, source: Path) -> None:
    class Racing(Watched):
        def list(self, prefix: str) -> Iterator[object]:
            found = list(self.inner.list(prefix))
            self.inner.delete(catalog.key(first.backup_id, MANIFEST))
            return iter(found)

    catalog = Catalog(location, "shop", "app")
    first, second = publish(catalog, source), publish(catalog, source, at=AT + timedelta(days=1))

    seen = Catalog(Racing(location), "shop", "app").entries()  # type: ignore[arg-type]

    assert [entry.backup_id for entry in seen] == [second.backup_id]


@pytest.mark.parametrize("kind", ["folder", "rclone"])
def test_H4_two_thousand_backups_are_listed_in_order(tmp_path: Path, kind: str) -> None:
    """They are put where rclone keeps them."""
    root = tmp_path / "data" / "backups" / "p"
    written = Catalog(FolderLocation(FolderSettings(path=root)), "shop", "app")
    ids = []
    for hours in range(2000):
        manifest = manifest_for(written, AT + timedelta(hours=hours))
        folder = root / written.key(manifest.backup_id, DATA)
        folder.parent.mkdir(parents=True)
        folder.write_bytes(BODY)
        folder.with_name(MANIFEST).write_bytes(manifest.to_json())
        ids.append(manifest.backup_id)
    with rclone_server(tmp_path, prefix="p") as settings:
        read = written if kind == "folder" else Catalog(S3Location(settings), "shop", "app")

        entries = read.entries()

    assert [entry.backup_id for entry in entries] == ids
    assert {entry.verdict for entry in entries} == {Verdict.NOT_VERIFIED}


def test_a_store_has_its_locations_the_folder_first(tmp_path: Path) -> None:
    settings = StoreSettings.model_validate({"folder": {"path": tmp_path}, "s3": {"bucket": "backups"}})

    assert [type(each) for each in locations(settings)] == [FolderLocation, S3Location]
    with pytest.raises(ConfigError, match="neither"):
        locations(StoreSettings())
