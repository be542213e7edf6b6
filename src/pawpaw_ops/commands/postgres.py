"""PostgreSQL's own programs: one builder each."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.errors import VersionMismatch
from pawpaw_ops.models.database import ClientTools, Database

NO_PASSFILE = "/nonexistent/pgpass"
"""A path that never exists, so that no password file of the user's is read."""
RESTORE_SETTINGS: Mapping[str, str] = {
    "synchronous_commit": "off",
    "maintenance_work_mem": "256MB",
    "max_parallel_maintenance_workers": "0",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "jit": "off",
    "enable_hashjoin": "off",
}
"""Session settings of a load. Source: measured; parallel index builds lose where pg_restore is parallel already, and
a foreign key is checked in a quarter of the time by merging two fresh indexes instead of hashing two tables."""


def program(tools: ClientTools, name: str) -> str:
    """Return the path of a program, or its bare name where the `PATH` has it."""
    return str(tools.folder / name) if tools.folder else name


def login(
    database: Database, *, app: str, dbname: str = "", options: Mapping[str, str] | None = None
) -> dict[str, str | SecretStr]:
    """Return libpq's variables for one login; the password never becomes an argument.

    Args:
        database: Where to.
        app: `application_name`, by which our sessions are found again.
        dbname: Another database of that server; empty means `database.name`.
        options: Settings of the session.

    Source: postgresql.org/docs/15/libpq-envars.html.
    """
    env: dict[str, str | SecretStr] = {
        "PGHOST": database.host,
        "PGPORT": str(database.port),
        "PGUSER": database.user,
        "PGDATABASE": dbname or database.name,
        "PGAPPNAME": app,
        "PGCONNECT_TIMEOUT": "10",
        "PGPASSWORD": database.password,
        "PGPASSFILE": NO_PASSFILE,
    }
    if options:
        env["PGOPTIONS"] = " ".join(f"-c {name}={_escaped(value)}" for name, value in options.items())
    return env


def dump(
    database: Database, *, to: Path, snapshot: str, jobs: int, app: str, timeout_s: float | None = None
) -> Command:
    """Dump one database in directory format, uncompressed: the seal compresses better and in one pass.

    Touches: writes the folder *to*; holds share locks on every table while it runs.
    Source: postgresql.org/docs/15/app-pgdump.html (`--snapshot`, `--lock-wait-timeout`).
    """
    return Command(
        argv=(
            program(database.tools, "pg_dump"),
            "--format=directory",
            "--compress=0",
            f"--jobs={jobs}",
            f"--file={to}",
            f"--snapshot={snapshot}",
            "--lock-wait-timeout=10s",
            "--no-sync",
            "--no-password",
        ),
        env=login(database, app=app),
        timeout_s=timeout_s,
    )


def dump_sql(database: Database, *, to: Path, snapshot: str, app: str) -> Command:
    """Dump one database as gzipped plain SQL, for the manual's `backup_YYYY-MM-DD.sql.gz`.

    Touches:
        Writes *to*; holds share locks on every table while it runs.
    """
    argv = (
        program(database.tools, "pg_dump"),
        "--format=plain",
        "--compress=6",
        f"--file={to}",
        f"--snapshot={snapshot}",
        "--lock-wait-timeout=10s",
        "--no-password",
    )
    return Command(argv=argv, env=login(database, app=app), timeout_s=None)


def dump_globals(database: Database, *, app: str) -> Command:
    """Write roles and tablespaces as SQL to standard output, without passwords.

    Touches: nothing.
    """
    argv = (program(database.tools, "pg_dumpall"), "--globals-only", "--no-role-passwords", "--no-password")
    return Command(argv=argv, env=login(database, app=app), timeout_s=300)


def restore(database: Database, *, dbname: str, source: Path, jobs: int, app: str) -> Command:
    """Load a dump folder into *dbname*, stopping at the first error.

    Touches: fills *dbname*.
    Source: postgresql.org/docs/15/app-pgrestore.html (`--exit-on-error`, `--jobs`).
    """
    argv = (
        program(database.tools, "pg_restore"),
        "--exit-on-error",
        f"--jobs={jobs}",
        "--no-password",
        f"--dbname={_conninfo(dbname)}",
        str(source),
    )
    return Command(argv=argv, env=login(database, app=app, options=RESTORE_SETTINGS), timeout_s=None)


def load_sql(database: Database, *, dbname: str, source: Path, app: str) -> Command:
    """Load a checked plain SQL file into *dbname*, stopping at the first error.

    Touches: fills *dbname*.
    """
    argv = (
        program(database.tools, "psql"),
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--no-password",
        f"--file={source}",
        "--output=/dev/null",
        f"--dbname={_conninfo(dbname)}",
    )
    return Command(argv=argv, env=login(database, app=app, options=RESTORE_SETTINGS), timeout_s=None)


def decode(tools: ClientTools, *, source: Path) -> Command:
    """Read every byte of a dump folder and write the SQL to nowhere: what `--list` does not prove.

    Touches: nothing.
    """
    return Command(argv=(program(tools, "pg_restore"), "--file=/dev/null", str(source)), timeout_s=None)


def table_files(tools: ClientTools, *, source: Path) -> Query[dict[str, int]]:
    """Ask which file of a dump folder holds the rows of which table.

    Returns:
        File name -> object id of the table in the dumped database.
    """
    command = Command(argv=(program(tools, "pg_restore"), "--list", str(source)), timeout_s=120)
    return Query(command=command, parse=parse_table_files)


_TABLE_DATA = re.compile(r"^(\d+); \d+ (\d+) TABLE DATA ")


def parse_table_files(listing: str) -> dict[str, int]:
    """Parse `pg_restore --list`: `dumpId; tableoid oid TABLE DATA schema name owner`, names of any kind."""
    found = (_TABLE_DATA.match(line) for line in listing.split("\n"))  # pg_restore lets other line breaks in names be
    return {f"{match[1]}.dat": int(match[2]) for match in found if match}


def version(tools: ClientTools, name: str) -> Query[str]:
    """Ask a program for its version: `15.18`."""
    return Query(command=Command(argv=(program(tools, name), "--version")), parse=parse_version)


def parse_version(text: str) -> str:
    """Parse `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` to `15.18`."""
    found = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)*)", text)
    if found is None:
        raise VersionMismatch(f"asked for a PostgreSQL program's version and read {text.strip()!r}.")
    return found[1]


def unexpected(stderr_lines: Iterable[str]) -> tuple[str, ...]:
    """Return the lines of standard error that a clean pg_dump does not write."""
    return tuple(line for line in stderr_lines if line.strip())


def initdb(tools: ClientTools, *, data: Path, user: str, password_file: Path, run_as: str | None) -> Command:
    """Make a cluster with checksums and SCRAM logins.

    Touches: writes *data*.
    """
    argv = (
        program(tools, "initdb"),
        f"--pgdata={data}",
        f"--username={user}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
        "--no-sync",
        "--no-instructions",
    )
    return Command(argv=argv, user=run_as, cwd=data.parent, timeout_s=120)


def server(
    tools: ClientTools, *, data: Path, socket_folder: Path, port: int, settings: Mapping[str, str], run_as: str | None
) -> Command:
    """Run a server in the foreground on a Unix socket alone, unless *settings* say otherwise.

    Touches: runs until it is ended.
    """
    fixed = {"unix_socket_directories": str(socket_folder), "listen_addresses": "", "port": str(port)}
    words = tuple(f"--{name.replace('_', '-')}={value}" for name, value in (fixed | dict(settings)).items())
    return Command(argv=(program(tools, "postgres"), "-D", str(data), *words), user=run_as, cwd=data, timeout_s=None)


def _escaped(value: str) -> str:
    """Keep the spaces of a value in `PGOPTIONS`, which is split at spaces."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _conninfo(dbname: str) -> str:
    """Quote a database name so that libpq takes it for a name and not for a connection string."""
    escaped = dbname.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{escaped}'"
