"""The whole command line of every PostgreSQL program we call, and what we read of their answers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pawpaw_ops.commands import postgres as command
from pawpaw_ops.commands.command import Command
from pawpaw_ops.errors import VersionMismatch
from pawpaw_ops.models.database import ClientTools, Database, ToolImage

HERE = Path(__file__).parent
TOOLS = ClientTools(folder=Path("/pg/bin"))
APP = Database(name="app", host="db", port=6432, user="admin", password=SecretStr("canary"), tools=TOOLS)
LIMITS = (
    "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0"
    " -c default_transaction_read_only=off"
)
LOGIN: dict[str, str | SecretStr] = {
    "PGHOST": "db",
    "PGPORT": "6432",
    "PGUSER": "admin",
    "PGDATABASE": "app",
    "PGAPPNAME": "pawpaw-ops/r1",
    "PGCONNECT_TIMEOUT": "10",
    "PGPASSWORD": SecretStr("canary"),
    "PGPASSFILE": "/nonexistent/pgpass",
    "PGOPTIONS": LIMITS,
}
LOAD: dict[str, str | SecretStr] = {
    **LOGIN,
    "PGOPTIONS": f"{LIMITS} -c synchronous_commit=off -c maintenance_work_mem=256MB"
    " -c max_parallel_maintenance_workers=0 -c jit=off -c enable_hashjoin=off",
}
RUN = "pawpaw-ops/r1"


def test_dump() -> None:
    """Uncompressed folder, in our snapshot, giving up on a lock after ten seconds."""
    assert command.dump(APP, to=Path("/s/dump"), snapshot="0-1", jobs=2, app=RUN) == Command(
        argv=(
            "/pg/bin/pg_dump",
            "--format=directory",
            "--compress=0",
            "--jobs=2",
            "--file=/s/dump",
            "--snapshot=0-1",
            "--lock-wait-timeout=10s",
            "--no-subscriptions",
            "--no-sync",
            "--no-password",
        ),
        env=LOGIN,
        timeout_s=None,
    )
    assert command.dump(APP, to=Path("/s/dump"), snapshot="0-1", jobs=2, app=RUN, timeout_s=9).timeout_s == 9


def test_dump_sql() -> None:
    """The manual's gzipped file, in the same snapshot."""
    assert command.dump_sql(APP, to=Path("/s/a.sql.gz"), snapshot="0-1", app=RUN) == Command(
        argv=(
            "/pg/bin/pg_dump",
            "--format=plain",
            "--compress=6",
            "--file=/s/a.sql.gz",
            "--snapshot=0-1",
            "--lock-wait-timeout=10s",
            "--no-subscriptions",
            "--no-password",
        ),
        env=LOGIN,
        timeout_s=None,
    )


def test_dump_globals() -> None:
    """Roles without their passwords."""
    assert command.dump_globals(APP, app=RUN) == Command(
        argv=("/pg/bin/pg_dumpall", "--globals-only", "--no-role-passwords", "--no-password"),
        env=LOGIN,
        timeout_s=300,
    )


def test_restore() -> None:
    """Parallel, ending at the first error, with settings for loading."""
    assert command.restore(APP, dbname="app_side", source=Path("/s/dump"), jobs=4, app=RUN) == Command(
        argv=(
            "/pg/bin/pg_restore",
            "--exit-on-error",
            "--jobs=4",
            "--no-subscriptions",
            "--no-password",
            "--dbname=dbname='app_side'",
            "/s/dump",
        ),
        env=LOAD,
        timeout_s=None,
    )


def test_load_sql() -> None:
    """No file of the user's, nothing on standard output, ending at the first error."""
    assert command.load_sql(APP, dbname="app_side", source=Path("/s/a.sql"), app=RUN) == Command(
        argv=(
            "/pg/bin/psql",
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            "--no-password",
            "--file=/s/a.sql",
            "--output=/dev/null",
            "--dbname=dbname='app_side'",
        ),
        env=LOAD,
        timeout_s=None,
    )


def test_decode() -> None:
    """Reads everything, writes nowhere, needs no server."""
    assert command.decode(TOOLS, source=Path("/s/dump")) == Command(
        argv=("/pg/bin/pg_restore", "--file=/dev/null", "/s/dump"), timeout_s=None
    )


def test_table_files() -> None:
    """Asks the dump's own table of contents."""
    query = command.table_files(TOOLS, source=Path("/s/dump"))
    assert query.command == Command(argv=("/pg/bin/pg_restore", "--list", "/s/dump"), timeout_s=120)
    assert query.parse is command.parse_table_files


def test_version() -> None:
    """A program without a folder is looked for on the `PATH`."""
    query = command.version(ClientTools(), "pg_dump")
    assert query.command == Command(argv=("pg_dump", "--version"))
    assert query.parse is command.parse_version


def test_initdb() -> None:
    """Checksums and SCRAM; the password comes from a file."""
    made = command.initdb(TOOLS, data=Path("/d/data"), user="postgres", password_file=Path("/d/pw"), run_as="nobody")
    assert made == Command(
        argv=(
            "/pg/bin/initdb",
            "--pgdata=/d/data",
            "--username=postgres",
            "--pwfile=/d/pw",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            "--no-sync",
            "--no-instructions",
        ),
        user="nobody",
        cwd=Path("/d"),
        timeout_s=120,
    )


def test_server() -> None:
    """On its socket alone; settings go over the fixed ones."""

    def made(settings: dict[str, str]) -> Command:
        return command.server(
            TOOLS, data=Path("/d"), socket_folder=Path("/s"), port=5432, settings=settings, run_as=None
        )

    assert made({"max_wal_size": "2GB"}) == Command(
        argv=(
            "/pg/bin/postgres",
            "-D",
            "/d",
            "--unix-socket-directories=/s",
            "--listen-addresses=",
            "--port=5432",
            "--max-wal-size=2GB",
        ),
        cwd=Path("/d"),
        timeout_s=None,
    )
    assert "--listen-addresses=127.0.0.1" in made({"listen_addresses": "127.0.0.1"}).argv


ALL = [
    command.dump(APP, to=Path("/s"), snapshot="0-1", jobs=1, app=RUN),
    command.dump_sql(APP, to=Path("/s"), snapshot="0-1", app=RUN),
    command.dump_globals(APP, app=RUN),
    command.restore(APP, dbname="a", source=Path("/s"), jobs=1, app=RUN),
    command.load_sql(APP, dbname="a", source=Path("/s"), app=RUN),
]


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.argv[0])
def test_no_password_in_any_text(made: Command) -> None:
    """Neither the line for logs nor the value's own text shows it; nothing asks for one at a terminal."""
    assert "canary" not in f"{made} {made!r} {made.argv}"
    assert "--no-password" in made.argv
    assert made.env["PGPASSWORD"] == SecretStr("canary")


def test_the_line_for_logs_can_be_typed() -> None:
    """Words are quoted where a shell needs it."""
    made = command.restore(APP, dbname="it's", source=Path("/s p"), jobs=1, app=RUN)
    assert str(made).endswith("""'--dbname=dbname='"'"'it\\'"'"'s'"'"'' '/s p'""")


@pytest.mark.parametrize(
    ("name", "conninfo"),
    [
        ("app", "dbname='app'"),
        ("host=evil", "dbname='host=evil'"),
        ("postgresql://evil/x", "dbname='postgresql://evil/x'"),
        ("a b;%ñ", "dbname='a b;%ñ'"),
        ("it's", r"dbname='it\'s'"),
        ("back\\slash", r"dbname='back\\slash'"),
    ],
)
def test_a_name_stays_a_name(name: str, conninfo: str) -> None:
    """A database called like a connection string is not taken for one."""
    assert f"--dbname={conninfo}" in command.restore(APP, dbname=name, source=Path("/s"), jobs=1, app=RUN).argv


def test_a_login_may_name_another_database_and_settings() -> None:
    """Spaces and backslashes in a setting's value survive libpq's splitting, and settings win over those of all."""
    options = {"DateStyle": "ISO, YMD", "x.y": "a\\b", "statement_timeout": "5s"}
    env = command.login(APP, app=RUN, dbname="other", options=options)
    assert env["PGDATABASE"] == "other"
    assert env["PGOPTIONS"] == (
        LIMITS.replace("statement_timeout=0", "statement_timeout=5s") + r" -c DateStyle=ISO,\ YMD -c x.y=a\\b"
    )


GOLDEN = {
    15: "3403:16414 3406:16423 3399:16399 3402:16411 3396:16386 3398:16396 3409:16431 3405:16420 3404:16417 3400:16402"
    " 3401:16405 3397:16393",
    16: "2602:16414 2605:16423 2598:16399 2601:16411 2595:16386 2597:16396 2608:16431 2604:16420 2603:16417 2599:16402"
    " 2600:16405 2596:16393",
}
"""Numbers of the dump's files and object ids, looked up in `pg_class` when the lists were made."""


@pytest.mark.parametrize("major", GOLDEN)
def test_A15_files_are_found_whatever_the_names(major: int) -> None:
    """Names with spaces, quotes, newlines, other line breaks, or our own line as a name do not confuse."""
    listing = (HERE / "golden" / f"restore_list_{major}.txt").read_bytes().decode()
    wanted = {f"{number}.dat": int(oid) for number, oid in (pair.split(":") for pair in GOLDEN[major].split())}
    assert command.parse_table_files(listing) == wanted


def test_an_empty_list_has_no_files() -> None:
    """A database without tables is none of our business here."""
    assert command.parse_table_files(";\n; Archive created at 2026-08-01 09:00:00 UTC\n;\n") == {}


@given(st.text(st.characters(exclude_characters="\n\r", codec="utf-8")))
def test_one_line_is_at_most_one_file(name: str) -> None:
    """pg_restore takes line feeds out of names; whatever else is in one, its line is one entry."""
    line = f"7; 0 16386 TABLE DATA public {name} owner"
    assert command.parse_table_files(f";\n{line}\n") == {"7.dat": 16386}


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", "15.18"),
        ("pg_dump (PostgreSQL) 16.14\n", "16.14"),
        ("psql (PostgreSQL) 18beta2\n", "18"),
        ("pg_dump (PostgreSQL) 9.6.24\n", "9.6.24"),
    ],
)
def test_versions(text: str, version: str) -> None:
    """Packagers add words; development versions have no second number."""
    assert command.parse_version(text) == version


@pytest.mark.parametrize("text", ["", "pg_dump (EnterpriseDB) 15.1", "PostgreSQL 15"])
def test_no_version_is_an_error(text: str) -> None:
    """What was read is quoted."""
    with pytest.raises(VersionMismatch):
        command.parse_version(text)


def test_A7_a_clean_dump_says_nothing() -> None:
    """Every line but an empty one is unexpected."""
    assert command.unexpected(["", "  ", "pg_dump: warning: odd"]) == ("pg_dump: warning: odd",)


def test_archive_cleanup() -> None:
    """By the server's own tool, in its own container, over no network."""
    server = ToolImage(id="sha256:1", container="c0ffee", name="pawpaw_db_prod", engine="unix:///e.sock", owner="0:0")
    made = command.archive_cleanup(server, folder="/wal_archive", oldest_kept="0000000100000000000000A0")
    assert made == Command(
        argv=("docker", "exec", "c0ffee", "pg_archivecleanup", "/wal_archive", "0000000100000000000000A0"),
        env={"DOCKER_HOST": "unix:///e.sock"},
        timeout_s=300,
    )
