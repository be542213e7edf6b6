"""PostgreSQL's own programs: one builder each."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.commands.contained import contained, disposable_options
from pawpaw_ops.commands.docker import inside
from pawpaw_ops.errors import VersionMismatch
from pawpaw_ops.models.database import ClientTools, Database, ToolImage

NO_PASSFILE = "/nonexistent/pgpass"
"""A path that never exists, so that no password file of the user's is read."""
SESSION_SETTINGS: Mapping[str, str] = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "default_transaction_read_only": "off",
}
"""What every session of ours asks for: limits of the login's role or of the database are for those who use it."""
RESTORE_SETTINGS: Mapping[str, str] = {
    "synchronous_commit": "off",
    "maintenance_work_mem": "256MB",
    "max_parallel_maintenance_workers": "0",
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
        options: Settings of the session over those that all of ours have.

    Source: postgresql.org/docs/15/libpq-envars.html.
    """
    return {
        "PGHOST": database.host,
        "PGPORT": str(database.port),
        "PGUSER": database.user,
        "PGDATABASE": dbname or database.name,
        "PGAPPNAME": app,
        "PGCONNECT_TIMEOUT": "10",
        "PGPASSWORD": database.password,
        "PGPASSFILE": NO_PASSFILE,
        "PGOPTIONS": as_options({**SESSION_SETTINGS, **(options or {})}),
    }


def dump(
    database: Database, *, to: Path, snapshot: str, jobs: int, app: str, timeout_s: float | None = None
) -> Command:
    """Dump one database in directory format, uncompressed: the seal compresses better and in one pass.

    Touches: writes the folder *to*; holds share locks on every table while it runs.
    Source: postgresql.org/docs/15/app-pgdump.html (`--snapshot`, `--lock-wait-timeout`).
    """
    words = (
        "--format=directory",
        "--compress=0",
        f"--jobs={jobs}",
        f"--file={to}",
        f"--snapshot={snapshot}",
        "--lock-wait-timeout=10s",
        "--no-subscriptions",
        "--no-sync",
        _asking(database),
    )
    env = login(database, app=app)
    return _client(database.tools, "pg_dump", words, env=env, writes=(to.parent,), timeout_s=timeout_s)


def dump_sql(database: Database, *, to: Path, snapshot: str, app: str) -> Command:
    """Dump one database as gzipped plain SQL, for the manual's `backup_YYYY-MM-DD.sql.gz`.

    Touches:
        Writes *to*; holds share locks on every table while it runs.
    """
    words = (
        "--format=plain",
        "--compress=6",
        f"--file={to}",
        f"--snapshot={snapshot}",
        "--lock-wait-timeout=10s",
        "--no-subscriptions",
        _asking(database),
    )
    env = login(database, app=app)
    return _client(database.tools, "pg_dump", words, env=env, writes=(to.parent,), timeout_s=None)


def dump_globals(database: Database, *, app: str) -> Command:
    """Write roles and tablespaces as SQL to standard output, without passwords.

    Touches: nothing.
    """
    words = ("--globals-only", "--no-role-passwords", _asking(database))
    return _client(database.tools, "pg_dumpall", words, env=login(database, app=app), timeout_s=300)


def restore(database: Database, *, dbname: str, source: Path, jobs: int, app: str) -> Command:
    """Load a dump folder into *dbname*, stopping at the first error; a copy that subscribes would take live's slot.

    Touches: fills *dbname*.
    Source: postgresql.org/docs/15/app-pgrestore.html (`--exit-on-error`, `--jobs`).
    """
    how = ("--exit-on-error", f"--jobs={jobs}", "--no-subscriptions", _asking(database))
    words = (*how, f"--dbname={_conninfo(dbname)}", str(source))
    env = login(database, app=app, options=RESTORE_SETTINGS)
    return _client(database.tools, "pg_restore", words, env=env, reads=(source,), timeout_s=None)


def load_sql(database: Database, *, dbname: str, source: Path, app: str) -> Command:
    """Load a checked plain SQL file into *dbname*, stopping at the first error.

    Touches: fills *dbname*.
    """
    words = (
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        _asking(database),
        f"--file={source}",
        "--output=/dev/null",
        f"--dbname={_conninfo(dbname)}",
    )
    env = login(database, app=app, options=RESTORE_SETTINGS)
    return _client(database.tools, "psql", words, env=env, reads=(source,), timeout_s=None)


def decode(tools: ClientTools, *, source: Path) -> Command:
    """Read every byte of a dump folder and write the SQL to nowhere: what `--list` does not prove.

    Touches: nothing.
    """
    return _client(tools, "pg_restore", ("--file=/dev/null", str(source)), reads=(source,), timeout_s=None)


def table_files(tools: ClientTools, *, source: Path) -> Query[dict[str, int]]:
    """Ask which file of a dump folder holds the rows of which table.

    Returns:
        File name -> object id of the table in the dumped database.
    """
    command = _client(tools, "pg_restore", ("--list", str(source)), reads=(source,), timeout_s=120)
    return Query(command=command, parse=parse_table_files)


_TABLE_DATA = re.compile(r"^(\d+); \d+ (\d+) TABLE DATA ")


def parse_table_files(listing: str) -> dict[str, int]:
    """Parse `pg_restore --list`: `dumpId; tableoid oid TABLE DATA schema name owner`, names of any kind."""
    found = (_TABLE_DATA.match(line) for line in listing.split("\n"))  # pg_restore lets other line breaks in names be
    return {f"{match[1]}.dat": int(match[2]) for match in found if match}


def version(tools: ClientTools, name: str) -> Query[str]:
    """Ask a program for its version: `15.18`."""
    return Query(command=_client(tools, name, ("--version",)), parse=parse_version)


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
    words = (
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
    return _server_program(tools, "initdb", words, root=data.parent, cwd=data.parent, run_as=run_as, timeout_s=120)


def server(
    tools: ClientTools, *, data: Path, socket_folder: Path, port: int, settings: Mapping[str, str], run_as: str | None
) -> Command:
    """Run a server in the foreground on a Unix socket alone, unless *settings* say otherwise.

    Args:
        tools: Where it is; in a container it sees the folder above *data* alone.
        data: The data folder.
        socket_folder: Folder of the socket, beside *data*.
        port: Number in the socket's name.
        settings: Settings over the fixed ones.
        run_as: System user; `uid:gid` for a container.

    Touches: runs until it is ended.
    """
    fixed = {"unix_socket_directories": str(socket_folder), "listen_addresses": "", "port": str(port)}
    words = tuple(f"--{name.replace('_', '-')}={value}" for name, value in (fixed | dict(settings)).items())
    words = ("-D", str(data), *words)
    return _server_program(tools, "postgres", words, root=data.parent, cwd=data, run_as=run_as, timeout_s=None)


def _client(
    tools: ClientTools,
    name: str,
    words: tuple[str, ...],
    *,
    env: Mapping[str, str | SecretStr] | None = None,
    reads: tuple[Path, ...] = (),
    writes: tuple[Path, ...] = (),
    timeout_s: float | None = 60.0,
) -> Command:
    """Run a client program here, or in a container that sees no more than *reads* and *writes*.

    Touches: what the program does.
    """
    if tools.image is None:
        return Command(argv=(program(tools, name), *words), env=env or {}, timeout_s=timeout_s)
    return contained(tools.image, name, words, env=env, reads=reads, writes=writes, timeout_s=timeout_s)


def archive_cleanup(server: ToolImage, *, folder: str, oldest_kept: str) -> Command:
    """Remove from an archive of write-ahead log what is older than a segment, whatever its timeline; run by its server.

    Touches:
        Segments in *folder* of the server's container; not that one, no newer one, and no history of timelines.

    Source: postgresql.org/docs/15/pgarchivecleanup.html.
    """
    return inside(server.engine, server.container, "pg_archivecleanup", folder, oldest_kept, timeout_s=300)


def _server_program(
    tools: ClientTools,
    name: str,
    words: tuple[str, ...],
    *,
    root: Path,
    cwd: Path,
    run_as: str | None,
    timeout_s: float | None,
) -> Command:
    """Run a program of a disposable server here, or in a container without any network.

    Touches: what is below *root*.
    """
    if tools.image is None:
        return Command(argv=(program(tools, name), *words), user=run_as, cwd=cwd, timeout_s=timeout_s)
    more, owner = disposable_options(root), run_as or ""
    return contained(tools.image, name, words, writes=(root,), more=more, owner=owner, timeout_s=timeout_s)


def _asking(database: Database) -> str:
    """Return whether a program asks for the password: in a container its standard input answers."""
    contained_with_password = database.tools.image is not None and database.password.get_secret_value()
    return "--password" if contained_with_password else "--no-password"


def as_options(settings: Mapping[str, str]) -> str:
    """Spell settings, spaces kept, so that a session begins with them over its role's and its database's own."""
    kept = {name: value.replace("\\", "\\\\").replace(" ", "\\ ") for name, value in settings.items()}
    return " ".join(f"-c {name}={value}" for name, value in kept.items())


def _conninfo(dbname: str) -> str:
    """Quote a database name so that libpq takes it for a name and not for a connection string."""
    escaped = dbname.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{escaped}'"
