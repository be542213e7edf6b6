"""Opening a backup with nothing but its file and the key: the recovery kit's one program."""

import re
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops import sealing
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.errors import BackupMissing, CommandNotFound, ConfigError
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.plans.backup import check_dump
from pawpaw_ops.runner import LocalRunner

KEY = re.compile(r"^AGE-SECRET-KEY-1\S+$", re.MULTILINE)


def open_backup(artefact: Path, *, key_file: Path, to: Path) -> tuple[sealing.Opened, bool]:
    """Open a sealed artefact into a new folder, check every file, count every table's rows, decode the dump.

    Returns:
        What was inside, and whether the dump was decoded; it is not where there is no pg_restore.

    Raises:
        BackupMissing: There is no such file.
        ConfigError: The key file has no key, or the folder exists.
        WrongKey: The key does not fit.
        BackupCorrupt: The artefact is not whole.
        CommandError: pg_restore could not decode it.

    Touches:
        Makes the folder *to*.
    """
    if not artefact.is_file():
        raise BackupMissing(f"there is no file {artefact}.")
    if to.exists():
        raise ConfigError(f"{to} exists.", hint="Name a folder that does not.")
    with artefact.open("rb") as stream:
        opened = sealing.unseal(stream, identities=_keys(key_file), to=to)
    contents = opened.contents
    check_dump(contents.table_files, opened.rows, contents.fingerprint.tables, prefix=sealing.DUMP)
    try:
        LocalRunner().run(command.decode(ClientTools(), source=to / sealing.DUMP))
    except CommandNotFound:
        return opened, False
    return opened, True


def _keys(path: Path) -> list[SecretStr]:
    try:
        found = KEY.findall(path.read_text())
    except (OSError, UnicodeDecodeError) as seen:
        raise ConfigError(f"could not read the key file {path}.") from seen
    if not found:
        raise ConfigError(f"{path} holds no age secret key.", hint="It is a line that begins with AGE-SECRET-KEY-1.")
    return [SecretStr(key) for key in found]
