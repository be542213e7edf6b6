"""What a user would run instead: the command lines of the manual, and of postgres-backup-local."""

import shlex
import time
from pathlib import Path

from pawpaw_ops.commands import postgres as command
from pawpaw_ops.commands.command import Command
from pawpaw_ops.models.database import Database
from pawpaw_ops.runner import LocalRunner


def _tool(database: Database, name: str) -> str:
    return shlex.quote(command.program(database.tools, name))


def _shell(database: Database, line: str) -> float:
    """Run a shell line against a database and return its seconds; a pipe is part of what is measured here."""
    began = time.monotonic()
    argv = ("bash", "-o", "pipefail", "-c", line)
    LocalRunner().run(Command(argv=argv, env=command.login(database, app="bench"), timeout_s=None))
    return time.monotonic() - began


def dump_gzip(database: Database, to: Path) -> float:
    """`pg_dump | gzip > file`, as the manual has it."""
    return _shell(database, f"{_tool(database, 'pg_dump')} | gzip > {shlex.quote(str(to))}")


def gunzip_psql(database: Database, source: Path) -> float:
    """`gunzip -c file | psql`, as the manual has it; what psql prints goes nowhere."""
    return _shell(database, f"gunzip -c {shlex.quote(str(source))} | {_tool(database, 'psql')} -X -q > /dev/null")


def local_backup(database: Database, folder: Path) -> float:
    """What postgres-backup-local's `backup.sh` runs for one database with its defaults.

    `pg_dump -Z6` into `last/`, then hard links for day, week and month, and a link to the newest.
    """
    pg_dump = f"{_tool(database, 'pg_dump')} -Z6"
    line = f"""
    cd {shlex.quote(str(folder))} && mkdir -p last daily weekly monthly
    {pg_dump} -f last/db.sql.gz
    for kind in daily weekly monthly; do ln -vf last/db.sql.gz $kind/db.sql.gz; done
    ln -svf db.sql.gz last/db-latest.sql.gz
    """
    return _shell(database, "set -e\n" + line)
