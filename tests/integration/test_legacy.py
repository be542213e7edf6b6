"""C15: `backup_*.sql.gz` as the stack kept them before: good ones load, bad ones are refused before anything is."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pawpaw_ops import legacy
from pawpaw_ops.clients.postgres import fingerprint
from pawpaw_ops.commands import postgres as command
from pawpaw_ops.commands.command import Command
from pawpaw_ops.disposable import DisposableServer
from pawpaw_ops.errors import BackupCorrupt, BackupMissing, PreconditionError, VersionMismatch
from pawpaw_ops.runner import LocalRunner

RUN = LocalRunner()


SOURCE, SIDE = "legacy_source", "legacy_side"


@pytest.fixture(scope="module")
def source(pg_server: DisposableServer) -> Iterator[DisposableServer]:
    """A server with a database full of odd names and values."""
    drop(pg_server, SOURCE)
    with pg_server.postgres().admin() as conn:
        conn.execute(f"CREATE DATABASE {SOURCE}".encode())
    with pg_server.postgres(SOURCE).connect() as conn:
        conn.execute((Path(__file__).parent / "odd_names.sql").read_bytes())
    yield pg_server
    drop(pg_server, SOURCE)


def drop(server: DisposableServer, name: str) -> None:
    with server.postgres().admin() as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def dumped(server: DisposableServer, to: Path, *extra: str, program: str = "pg_dump") -> bytes:
    """Dump it as SQL, the way the stack did."""
    database = server.database(SOURCE)
    argv = (command.program(server.tools, program), *extra)
    RUN.run(Command(argv=argv, env=command.login(database, app="test"), stdout=to, timeout_s=None))
    return to.read_bytes()


@pytest.fixture(scope="module")
def sql(source: DisposableServer, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return dumped(source, tmp_path_factory.mktemp("dump") / "source.sql")


def zipped(folder: Path, data: bytes) -> Path:
    path = folder / "backup_2026-08-01.sql.gz"
    path.write_bytes(gzip.compress(data, 1))
    return path


def load(server: DisposableServer, checked: Path) -> dict[str, int]:
    """Load checked SQL into a fresh database, see that its content is the source's, and count."""
    drop(server, SIDE)
    with server.postgres().admin() as conn:
        conn.execute(f"CREATE DATABASE {SIDE}".encode())
    try:
        RUN.run(command.load_sql(server.database(), dbname=SIDE, source=checked, app="test"))
        made = fingerprint.take_now(server.postgres(SIDE), jobs=2)
        assert made.tables == fingerprint.take_now(server.postgres(SOURCE), jobs=2).tables
        return {name: table.rows for name, table in made.tables.items()}
    finally:
        drop(server, SIDE)


@pytest.mark.parametrize(
    "options",
    [(), ("--inserts",), ("--rows-per-insert=100", "--clean", "--if-exists")],
    ids=["copy", "inserts", "rows"],
)
def test_C15_a_good_one_is_loaded_with_the_rows_it_reports(
    source: DisposableServer, tmp_path: Path, options: tuple[str, ...]
) -> None:
    data = dumped(source, tmp_path / "plain.sql", *options)
    found = legacy.prepare(zipped(tmp_path, data), to=tmp_path / "checked.sql", server_major=15)
    assert (tmp_path / "checked.sql").read_bytes() == data
    loaded = load(source, tmp_path / "checked.sql")
    assert {name: rows for name, rows in loaded.items() if rows} == {name: r for name, r in found.tables.items() if r}
    assert (loaded["public.orders"], loaded["public.nothing"]) == (5000, 2)


def test_C15_settings_of_a_newer_pg_dump_do_not_stop_the_load(
    source: DisposableServer, sql: bytes, tmp_path: Path
) -> None:
    newer = sql.replace(b"SET client_encoding", b"SET transaction_timeout = 0;\nSET client_encoding", 1)
    found = legacy.prepare(zipped(tmp_path, newer), to=tmp_path / "checked.sql", server_major=15)
    assert found.dropped_settings == ("transaction_timeout",)
    assert sum(load(source, tmp_path / "checked.sql").values()) == sum(found.tables.values())


def test_C15_a_plain_file_needs_no_gzip(sql: bytes, tmp_path: Path) -> None:
    path = tmp_path / "backup.sql"
    path.write_bytes(sql)
    assert legacy.check(path).complete


def inside_rows(sql: bytes) -> int:
    """Where a row in the middle of a table begins."""
    return sql.index(b"\n", sql.rindex(b"COPY public.orders") + 2000) + 1


BAD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut at the end of a line inside COPY": (
        lambda sql: gzip.compress(sql[: inside_rows(sql)]),
        r"ends inside the rows of public.orders, at line \d+, after \d+ whole rows",
    ),
    "cut inside a line of COPY": (
        lambda sql: gzip.compress(sql[: inside_rows(sql) + 3]),
        r"ends inside the rows of public.orders, at line \d+, after \d+ whole rows",
    ),
    "cut between statements": (
        lambda sql: gzip.compress(sql[: sql.index(b"--\n-- Name:", inside_rows(sql))]),
        "without the line '-- PostgreSQL database dump complete'",
    ),
    "without its last lines": (
        lambda sql: gzip.compress(sql[: sql.rindex(b"--\n-- PostgreSQL database dump complete")]),
        "without the line '-- PostgreSQL database dump complete'",
    ),
    "without unrestrict": (lambda sql: gzip.compress(sql[: sql.rindex(b"\\unrestrict")]), "are not whole"),
    "compressed twice": (lambda sql: gzip.compress(gzip.compress(sql)), "compressed twice"),
    "twenty bytes": (lambda _: gzip.compress(b"", mtime=0), "holds nothing"),
    "no bytes": (lambda _: b"", "holds nothing"),
    "gzip cut": (lambda sql: gzip.compress(sql)[:-1000], "gzip data is damaged: it ends early; it ends "),
    "gzip without its checksum": (lambda sql: gzip.compress(sql)[:-8], "gzip data is damaged: it ends early"),
    "gzip with a wrong checksum": (lambda sql: gzip.compress(sql)[:-8] + b"12345678", "gzip data is damaged: Error -3"),
    "something behind the gzip": (lambda sql: gzip.compress(sql) + b"junk", "follows the end of its gzip data"),
    "a page of HTML": (lambda _: gzip.compress(b"<html>404</html>"), "does not begin as pg_dump's SQL does"),
}


def test_C15_twenty_bytes_are_an_empty_gzip() -> None:
    assert len(gzip.compress(b"", mtime=0)) == 20


@pytest.mark.parametrize("name", BAD)
def test_C15_a_bad_one_is_refused_and_nothing_is_written(sql: bytes, tmp_path: Path, name: str) -> None:
    """Whatever is wrong is told with line, table and rows, and no SQL is left for anybody to load."""
    make, said = BAD[name]
    path = tmp_path / "backup_2026-08-01.sql.gz"
    path.write_bytes(make(sql))
    with pytest.raises(BackupCorrupt, match=said) as seen:
        legacy.prepare(path, to=tmp_path / "checked.sql", server_major=15)
    assert str(path) in seen.value.message
    assert not (tmp_path / "checked.sql").exists()


def same(packed: bytes, sql: bytes) -> bool:
    """Whether a flipped bit is one that nothing reads: the padding of a block, a code that is not used."""
    try:
        return gzip.decompress(packed) == sql
    except (OSError, EOFError, zlib.error):
        return False


def test_C15_bit_flips_in_the_gzip_are_found(sql: bytes, tmp_path: Path) -> None:
    """Every bit whose loss changes a byte of the SQL, or its checksum, is found."""
    whole = bytearray(gzip.compress(sql, 1))
    harmless = 0
    for at in range(10, len(whole), len(whole) // 25):
        whole[at] ^= 4
        if same(bytes(whole), sql):
            harmless += 1
        else:
            (tmp_path / "flipped.sql.gz").write_bytes(whole)
            with pytest.raises(PreconditionError):
                legacy.check(tmp_path / "flipped.sql.gz")
        whole[at] ^= 4
    assert harmless <= 2


def test_C15_a_psql_without_restrict_is_refused(sql: bytes, tmp_path: Path) -> None:
    """pg_dump writes `\\restrict` since 15.14; an older psql would stop at it."""
    path, to = zipped(tmp_path, sql), tmp_path / "checked.sql"
    assert legacy.check(path).restricted
    with pytest.raises(VersionMismatch, match=r"psql 15\.13"):
        legacy.prepare(path, to=to, server_major=15, client_version="15.13")
    assert not to.exists()
    assert legacy.prepare(path, to=to, server_major=15, client_version="15.14").complete


@pytest.mark.parametrize(
    ("program", "options", "said"),
    [
        ("pg_dump", ("--create",), "'CREATE DATABASE'"),
        ("pg_dumpall", (), "pg_dumpall"),
        ("pg_dump", ("--format=custom",), "archive of pg_dump -Fc"),
    ],
)
def test_C15_other_kinds_of_dumps_are_refused_by_name(
    source: DisposableServer, tmp_path: Path, program: str, options: tuple[str, ...], said: str
) -> None:
    data = dumped(source, tmp_path / "other", *options, program=program)
    with pytest.raises(PreconditionError, match=said):
        legacy.check(zipped(tmp_path, data))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupMissing, match=r"no\.sql\.gz: could not open it: No such file"):
        legacy.check(tmp_path / "no.sql.gz")


def test_members_of_one_gzip_file_are_one_dump(sql: bytes, tmp_path: Path) -> None:
    """Parallel compressors write several members."""
    path = tmp_path / "members.sql.gz"
    path.write_bytes(gzip.compress(sql[:10_000]) + gzip.compress(sql[10_000:]))
    assert legacy.check(path).complete
