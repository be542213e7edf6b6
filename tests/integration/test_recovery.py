"""C14: a host with the file and the key alone, with and without this product."""

import os
import shutil
from pathlib import Path

import pytest
from psycopg import sql

from flows.backup import backup_db
from pawpaw_ops import sealing
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import BackupCorrupt, ConfigError, WrongKey
from pawpaw_ops.models.backup import Contents
from pawpaw_ops.recovery import open_backup
from pawpaw_ops.runner import LocalRunner
from tests.integration.support_stack import Kit


@pytest.fixture
def kit_files(tiny: Kit) -> tuple[Path, Path]:
    """What a person has after the loss of the host: the artefact and the key."""
    backup_db(stack=tiny.name)
    artefact = next(tiny.store_folder.rglob("data.tar.zst.age"))
    key = tiny.folder / "recovery.key"
    key.write_text(f"# created: long ago\n{tiny.identity}\n")
    return artefact, key


def load(kit: Kit, folder: Path) -> None:
    """Load an opened dump into a fresh database of another server process, by pg_restore alone."""
    name = f"rescued_{kit.name}"
    with kit.server.postgres().admin() as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    LocalRunner().run(command.restore(kit.server.database(), dbname=name, source=folder, jobs=1, app="rescue"))
    assert kit.prints(name).tables == kit.prints().tables


def test_C14_with_the_product(tiny: Kit, kit_files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """`pawpaw open-backup` needs no Prefect, no blocks and no database."""
    artefact, key = kit_files
    assert tiny.server.tools.folder is not None
    monkeypatch.setenv("PATH", f"{tiny.server.tools.folder}:{os.environ['PATH']}")

    opened, decoded = open_backup(artefact, key_file=key, to=tiny.folder / "opened")

    assert decoded
    assert isinstance(opened.contents, Contents)
    assert opened.contents.fingerprint.tables == tiny.prints().tables
    load(tiny, tiny.folder / "opened" / sealing.DUMP)


def test_C14_without_the_product(tiny: Kit, kit_files: tuple[Path, Path]) -> None:
    """age, zstd and tar open what we sealed."""
    artefact, key = kit_files
    to = tiny.folder / "by hand"
    to.mkdir()
    for argv in (
        ("age", "-d", "-i", str(key), "-o", str(to / "x.zst"), str(artefact)),
        ("zstd", "-q", "-d", str(to / "x.zst"), "-o", str(to / "x.tar")),
        ("tar", "-x", "-f", str(to / "x.tar"), "-C", str(to)),
    ):
        assert shutil.which(argv[0]), f"{argv[0]} is not installed"
        LocalRunner().run(Command(argv=argv))
    load(tiny, to / sealing.DUMP)


def test_C14_wrong_things(tiny: Kit, kit_files: tuple[Path, Path]) -> None:
    """A wrong key, no key, a cut file and a folder that exists are told apart."""
    from pyrage import x25519

    artefact, key = kit_files
    to = tiny.folder / "to"
    other = tiny.folder / "other.key"
    other.write_text(str(x25519.Identity.generate()))
    with pytest.raises(WrongKey):
        open_backup(artefact, key_file=other, to=to / "1")
    other.write_text("nothing")
    with pytest.raises(ConfigError, match="no age secret key"):
        open_backup(artefact, key_file=other, to=to / "2")
    with pytest.raises(ConfigError, match="exists"):
        open_backup(artefact, key_file=key, to=tiny.folder)
    cut = tiny.folder / "cut.age"
    cut.write_bytes(artefact.read_bytes()[:-1])
    with pytest.raises(BackupCorrupt):
        open_backup(cut, key_file=key, to=to / "3")
