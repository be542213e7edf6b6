"""The backup on a real S3 server, alone and beside a folder, whole and faulty."""

import re

import pytest

from flows.backup import backup_db
from flows.list_backups import list_backups
from flows.restore import restore_db
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.errors import BackupCorrupt, ConfigError, OpsError, Undone
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.store import S3Settings
from pawpaw_ops.tasks.report import key
from tests.integration import support_proxy
from tests.integration.support_s3 import bucket
from tests.integration.support_stack import Kit


@pytest.fixture
def on_s3(tiny: Kit, rclone: S3Settings) -> Kit:
    tiny.save_blocks(folder=None, **bucket(rclone))
    return tiny


def test_bucket_alone(on_s3: Kit) -> None:
    """A bucket is as good a store as a folder."""
    backup_db(stack=on_s3.name)
    on_s3.sql("TRUNCATE dos")

    restore_db(stack=on_s3.name, approve=True)

    assert on_s3.sql("SELECT count(*) FROM dos") == [(300,)]
    assert list_backups(stack=on_s3.name) == 1
    on_s3.assert_clean()


def test_B3_what_the_store_mangles_is_not_published(tiny: Kit, proxy: support_proxy.Proxy) -> None:
    """A store that says yes and keeps other bytes fails the read-back; no backup exists."""
    tiny.save_blocks(folder=None, **bucket(proxy.settings))

    def append_checksum(body: bytes) -> bytes:
        return body + b"\r\nx-amz-checksum-crc32:AAAAAA==\r\n" if len(body) > 1000 else body

    proxy.fail("PutObject", support_proxy.store_instead(append_checksum), times=100)
    with pytest.raises((Undone, OpsError)) as caught:
        backup_db(stack=tiny.name)
    assert "bytes" in str(caught.value)
    catalog = Catalog(locations(tiny.settings().store)[0], tiny.name, tiny.database)
    assert catalog.entries() == []
    assert catalog.unpublished() == []
    tiny.assert_clean()


def test_A6_second_place_is_away(tiny: Kit, rclone: S3Settings) -> None:
    """With the bucket away the folder's backup is verified and the bucket's pending; the next run catches up."""
    gone = rclone.model_copy(update={"endpoint_url": "http://127.0.0.1:9"})
    tiny.save_blocks(**bucket(gone))
    first = backup_db(stack=tiny.name)
    assert [entry.verdict for entry in tiny.catalog(0).entries()] == [Verdict.VERIFIED]
    said = key(f"backup-{tiny.name}-{tiny.database}")
    assert re.search("⚠ .*127.0.0.1:9", tiny.shown(said))

    tiny.save_blocks(**bucket(rclone))
    second = backup_db(stack=tiny.name)

    assert "⚠" not in tiny.shown(said)
    assert [entry.backup_id for entry in tiny.catalog(1).entries()] == [first, second]
    assert {entry.verdict for entry in tiny.catalog(1).entries()} == {Verdict.VERIFIED}
    tiny.assert_clean()


def test_D9_the_catalogue_is_what_lies_in_the_store(tiny: Kit) -> None:
    """Everything known of a backup lies beside it: a host that lost its state folder lists and restores as before."""
    backup_db(stack=tiny.name)
    before = tiny.catalog().entries()
    tiny.state_dir = tiny.folder / "another host"
    tiny.save_blocks()
    assert tiny.catalog().entries() == before
    tiny.sql("TRUNCATE dos")
    restore_db(stack=tiny.name, approve=True)
    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]


def test_missing_bucket(tiny: Kit, rclone: S3Settings) -> None:
    """A bucket that is not there is named before anything begins."""
    tiny.save_blocks(folder=None, **bucket(rclone, bucket="no-such-bucket"))
    with pytest.raises(ConfigError, match="no-such-bucket"):
        backup_db(stack=tiny.name)
    tiny.assert_clean()


@pytest.mark.parametrize("keep", [1, 100, 5000])
def test_A8_dump_files_that_are_cut_or_gone(tiny: Kit, keep: int) -> None:
    """A dump folder with a file that is cut, empty or gone is no backup, though pg_restore lists it happily."""
    from pawpaw_ops.testing import at_entry

    def damage() -> None:
        [dump] = tiny.state_dir.glob("staging/*/plain/dump")
        largest = max(dump.glob("*.dat"), key=lambda path: path.stat().st_size)
        data = largest.read_bytes()
        if keep == 1:
            largest.write_bytes(b"")
        else:
            largest.write_bytes(data[:-keep])

    with at_entry("done", "dump", damage), pytest.raises(OpsError, match=r"does not end|exit code|rows"):
        backup_db(stack=tiny.name)
    assert tiny.catalog().entries() == []
    tiny.assert_clean()


def test_A8_files_of_equal_size_swapped(tiny: Kit) -> None:
    """Two data files that changed places are noticed though each of them is whole."""
    from pawpaw_ops.testing import at_entry

    tiny.sql(
        "CREATE TABLE a1 AS SELECT 1 AS n; CREATE TABLE a2 AS SELECT 2 AS n, 'x' AS t; INSERT INTO a2 VALUES (3, 'y')"
    )

    def exchange() -> None:
        [dump] = tiny.state_dir.glob("staging/*/plain/dump")
        one, two = sorted(dump.glob("*.dat"))[:2]
        first, second = one.read_bytes(), two.read_bytes()
        one.write_bytes(second)
        two.write_bytes(first)

    with at_entry("done", "dump", exchange), pytest.raises((BackupCorrupt, Undone), match="rows"):
        backup_db(stack=tiny.name)
    assert tiny.catalog().entries() == []
