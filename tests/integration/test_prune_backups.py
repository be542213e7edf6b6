"""A disk full of backups that a bucket has too: a real S3 server, a real disk, and who must not lose anything."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.backup import backup_db
from flows.prune_backups import prune_backups
from flows.restore import restore_db
from pawpaw_ops.clients.files import folder_bytes
from pawpaw_ops.clients.inventory import disk_of
from pawpaw_ops.clients.store import DATA
from pawpaw_ops.errors import OpsError, PreconditionError, Unreachable
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.store import S3Settings
from pawpaw_ops.plans import growth
from tests.integration.support_mounts import small_disk
from tests.integration.support_s3 import bucket, client
from tests.integration.support_stack import Kit
from tests.integration.test_retention import aged


def fill(kit: Kit, store: S3Settings) -> list[str]:
    """Make six backups, newest first: the last two are of before the bucket had room, the others are there as well."""
    kit.save_blocks(keep_verified=1)
    newest = backup_db(stack=kit.name)
    old = [aged(kit, days, of=newest) for days in (1, 2, 5, 6)]
    kit.save_blocks(keep_verified=1, **bucket(store))
    made = [backup_db(stack=kit.name), newest, *old]
    assert here(kit) == made
    assert there(kit) == made[:4]
    return made


def here(kit: Kit) -> list[str]:
    return [entry.backup_id for entry in kit.catalog(0).entries()][::-1]


def there(kit: Kit) -> list[str]:
    return [entry.backup_id for entry in kit.catalog(1).entries()][::-1]


def test_D8_an_emergency_removes_here_what_is_verified_elsewhere_and_can_be_restored_from_there(
    tiny: Kit, rclone: S3Settings
) -> None:
    made = fill(tiny, rclone)
    gist = prune_backups(stack=tiny.name, until_percent=0)
    assert gist.startswith("3 de 6 respaldos")
    assert here(tiny) == made
    assert prune_backups(stack=tiny.name, approve=True, until_percent=0).startswith("3 respaldos menos")
    assert here(tiny) == [made[0], *made[4:]], "the newest stays in any case, and what is nowhere else"
    assert there(tiny) == made[:4]
    tiny.sql("TRUNCATE dos")
    restore_db(stack=tiny.name, backup=made[1], approve=True)
    assert tiny.sql("SELECT count(*) FROM dos") == [(300,)]
    tiny.assert_clean()


def test_D8_a_copy_that_is_not_what_was_copied_keeps_the_one_here(tiny: Kit, rclone: S3Settings) -> None:
    made = fill(tiny, rclone)
    key = tiny.catalog(1).key(made[3], DATA)
    with client(rclone) as s3:
        s3.put_object(Bucket=rclone.bucket, Key=f"{rclone.prefix.strip('/')}/{key}".lstrip("/"), Body=b"x" * 1000)
    prune_backups(stack=tiny.name, approve=True, until_percent=0)
    assert here(tiny) == [made[0], *made[3:]]
    assert {one.backup_id: one.verdict for one in tiny.catalog(1).entries()}[made[3]] is Verdict.FAILED
    assert {one.verdict for one in tiny.catalog(0).entries()} == {Verdict.VERIFIED}


def test_D8_it_ends_when_there_is_room(tiny: Kit, rclone: S3Settings) -> None:
    """The oldest goes first; a disk that is not full loses nothing."""
    with small_disk(tiny.store_folder, 8 << 20):
        made = fill(tiny, rclone)
        size = folder_bytes(Path(tiny.catalog(0).location.link(tiny.catalog(0).key(made[3], DATA))[7:]).parent)
        disk = disk_of(tiny.store_folder)
        assert prune_backups(stack=tiny.name, approve=True, until_percent=100).startswith("0 respaldos menos")
        assert here(tiny) == made
        enough = 100 * (growth.used(disk) - size / 2 / disk.bytes_total)
        prune_backups(stack=tiny.name, approve=True, until_percent=enough)
        assert here(tiny) == [*made[:3], *made[4:]]


def nowhere_else(kit: Kit, store: S3Settings) -> None:
    del store
    kit.save_blocks(keep_verified=1)


def not_here(kit: Kit, store: S3Settings) -> None:
    kit.save_blocks(keep_verified=1, folder=None, **bucket(store))


def away(kit: Kit, store: S3Settings) -> None:
    kit.save_blocks(keep_verified=1, **bucket(store.model_copy(update={"endpoint_url": "http://127.0.0.1:9"})))


@pytest.mark.parametrize(
    ("case", "error", "says"),
    [
        (nowhere_else, PreconditionError, "nowhere else"),
        (not_here, PreconditionError, "no folder here"),
        (away, Unreachable, "127.0.0.1:9"),
    ],
)
def test_D8_nothing_goes_where_it_is_not_known_to_be_elsewhere(
    tiny: Kit, rclone: S3Settings, case: Callable[[Kit, S3Settings], None], error: type[OpsError], says: str
) -> None:
    tiny.save_blocks(keep_verified=1, **bucket(rclone))
    newest = backup_db(stack=tiny.name)
    old = aged(tiny, 1, of=newest)
    case(tiny, rclone)
    with pytest.raises(error, match=says):
        prune_backups(stack=tiny.name, approve=True, until_percent=0)
    tiny.save_blocks(keep_verified=1, **bucket(rclone))
    assert here(tiny) == [newest, old]
