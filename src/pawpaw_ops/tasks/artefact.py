"""A sealed artefact on its way out of the store: fetched, opened, held against its manifest, decoded."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar, cast

from pydantic import SecretStr

from pawpaw_ops import sealing
from pawpaw_ops.clients.store import Catalog
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.commands.sqlrules import SqlDump
from pawpaw_ops.errors import BackupCorrupt
from pawpaw_ops.models.backup import AnyContents, AnyManifest, Contents, M
from pawpaw_ops.plans import backup as backup_plan
from pawpaw_ops.plans import restore as plan
from pawpaw_ops.session import Session
from pawpaw_ops.session.in_use import reading
from pawpaw_ops.tasks import report

K = TypeVar("K", bound=AnyContents)


@dataclass(frozen=True)
class Chosen(Generic[M]):
    """A backup to restore: one of the store's, or a file."""

    source: str
    manifest: M | None = None
    target: Catalog[M] | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Ready:
    """A backup opened and verified, in the scratch folder: a dump folder, or a checked SQL file."""

    source: str
    path: Path
    contents: Contents | None = None
    sql: SqlDump | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes that the database took, or the file has."""
        return self.contents.database.size_bytes if self.contents else self.path.stat().st_size * 2


def open_artefact(
    do: Session, chosen: Chosen[M], keys: Sequence[SecretStr], kind: type[K], *, name: str, to: str = "opened"
) -> sealing.Opened[K]:
    """Fetch, hash and decrypt an artefact into the scratch folder, and hold it against its manifest.

    Args:
        do: The session.
        chosen: The backup.
        keys: age secret keys.
        kind: What it must hold.
        name: Name of what it must be a backup of.
        to: Folder below the scratch folder.

    Raises:
        WrongKey, BackupCorrupt, DiskTooSmall: As `fetch_and_verify`.

    Touches:
        The scratch folder.
    """
    manifest, folder = chosen.manifest, do.scratch_folder() / to
    with ExitStack() as held:
        if manifest is not None:
            held.enter_context(reading(do.stack.state_dir, manifest.backup_id))
            _check_openable(do, manifest, keys)
        if chosen.target is not None and manifest is not None:
            stream = held.enter_context(chosen.target.location.open(manifest.object_key))
        else:
            assert chosen.file is not None
            stream = held.enter_context(chosen.file.open("rb"))
        total = manifest.size_bytes if manifest else 0
        progress = report.Progress(f"fetch-{do.stack.name}", f"opening {chosen.source}")
        made = sealing.unseal(stream, identities=keys, to=folder, on_bytes=lambda done: progress.show(done, total))
        progress.finish()
    if manifest is not None and (made.size_bytes, made.sha256) != (manifest.size_bytes, manifest.sha256):
        raise BackupCorrupt(f"the stored bytes of {chosen.source} are not what its manifest says.", hint=plan.LIST)
    if manifest is not None and made.contents != manifest.contents:
        raise BackupCorrupt(f"what {chosen.source} holds is not what its manifest says.", hint=plan.LIST)
    opened = of_kind(made, kind)
    check_belongs(do, chosen.source, opened.contents, name=name)
    return opened


def of_kind(opened: sealing.Opened[AnyContents], kind: type[K]) -> sealing.Opened[K]:
    """Return an opened artefact as one of that kind.

    Raises:
        BackupCorrupt: It is a backup of something else.
    """
    if not isinstance(opened.contents, kind):
        raise BackupCorrupt(
            f"the artefact is a backup of {opened.contents.subject}, which is something else than was asked for.",
            hint=plan.LIST,
        )
    return cast("sealing.Opened[K]", replace(opened))


def _check_openable(do: Session, manifest: AnyManifest, keys: Sequence[SecretStr]) -> None:
    sealing.check_recipient(keys, manifest.recipients, backup_id=manifest.backup_id)
    backup_plan.check_room(
        sum(entry.size_bytes for entry in manifest.contents.files.values()),
        report.free_bytes(do.stack.state_dir),
        where=f"the scratch folder in {do.stack.state_dir}",
    )


def check_belongs(do: Session, source: str, contents: AnyContents, *, name: str) -> None:
    """Refuse a backup of another stack, database or server.

    Raises:
        BackupCorrupt: Names both.
    """
    if contents.name != name or contents.stack != do.stack.name:
        raise BackupCorrupt(
            f"{source} is a backup of {contents.subject}, not of {do.stack.name}/{contents.below}{name}.",
            hint=plan.LIST,
        )


def check_decodes(do: Session, opened: sealing.Opened) -> None:
    """Decode the whole dump, and count the rows of every table in it; errors as in the two."""
    decode_dump(do, opened)
    count_rows(opened)


def decode_dump(do: Session, opened: sealing.Opened) -> None:
    """Read the whole dump with pg_restore and write it nowhere.

    Raises:
        CommandError: pg_restore could not read it.

    Touches:
        Nothing.
    """
    do.runner.run(command.decode(do.stack.database.tools, source=opened.folder / sealing.DUMP))


def count_rows(opened: sealing.Opened) -> None:
    """Hold the rows that lie in the dump against the rows that the snapshot had.

    Raises:
        BackupCorrupt: A table is missing, cut or short.
    """
    contents = opened.contents
    backup_plan.check_dump(contents.table_files, opened.rows, contents.fingerprint.tables, prefix=sealing.DUMP)


def ready(chosen: Chosen, opened: sealing.Opened) -> Ready:
    """Return an opened artefact as something to load."""
    return Ready(chosen.source, opened.folder / sealing.DUMP, contents=opened.contents)
