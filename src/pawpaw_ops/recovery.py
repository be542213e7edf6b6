"""Opening a backup with nothing but its file and the key: the recovery kit's one program."""

import re
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops import sealing
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.commands import redis
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import BackupMissing, CommandNotFound, ConfigError
from pawpaw_ops.models.backup import AnyContents, Contents
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.models.redis import RedisContents
from pawpaw_ops.plans.backup import check_dump
from pawpaw_ops.runner import LocalRunner

KEY = re.compile(r"^AGE-SECRET-KEY-1\S+$", re.MULTILINE)


def open_backup(artefact: Path, *, key_file: Path, to: Path) -> tuple[sealing.Opened[AnyContents], bool]:
    """Open a sealed artefact into a new folder, check every file, and read what is in it with its own programs.

    Returns:
        What was inside, and whether the dump was read; it is not where there is no pg_restore or redis-check-*.

    Raises:
        BackupMissing: There is no such file.
        ConfigError: The key file has no key, or the folder exists.
        WrongKey: The key does not fit.
        BackupCorrupt: The artefact is not whole.
        CommandError: The program could not read it.

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
    if isinstance(contents, Contents):
        check_dump(contents.table_files, opened.rows, contents.fingerprint.tables, prefix=sealing.DUMP)
    try:
        LocalRunner().run(_reading(contents, to / sealing.DUMP))
    except CommandNotFound:
        return opened, False
    return opened, True


def _reading(contents: AnyContents, dump: Path) -> Command:
    """Return the command that reads a dump to its end."""
    if not isinstance(contents, RedisContents):
        return command.decode(ClientTools(), source=dump)
    if contents.form == "rdb":
        return redis.check_rdb(ClientTools(), file=dump / "dump.rdb")
    return redis.check_aof(ClientTools(), manifest=dump / contents.server.layout.manifest)


def told(contents: AnyContents, *, decoded: bool, to: Path) -> tuple[str, ...]:
    """Say in three lines what was opened, what was checked, and how it is loaded."""
    head = f"{contents.backup_id}: {contents.subject}, taken {contents.taken_at:%Y-%m-%dT%H:%M:%SZ} on"
    if isinstance(contents, RedisContents):
        head += f" Redis {contents.server.version}, {contents.count:,} keys."
        program, load = "redis-check-rdb", f"docs/recovery-kit.md says how a Redis loads {to / sealing.DUMP}."
    else:
        assert isinstance(contents, Contents)
        head += (
            f" PostgreSQL {contents.server.major}, {len(contents.fingerprint.tables)} tables, {contents.count:,} rows."
        )
        program, load = "pg_restore", f"Load it: pg_restore --exit-on-error --dbname=NAME {to / sealing.DUMP}"
    said = "The whole dump decodes." if decoded else f"Not verified: whether it decodes; there is no {program} here."
    return f"{head} Every file is as listed.", said, load


def _keys(path: Path) -> list[SecretStr]:
    try:
        found = KEY.findall(path.read_text())
    except (OSError, UnicodeDecodeError) as seen:
        raise ConfigError(f"could not read the key file {path}.") from seen
    if not found:
        raise ConfigError(f"{path} holds no age secret key.", hint="It is a line that begins with AGE-SECRET-KEY-1.")
    return [SecretStr(key) for key in found]
