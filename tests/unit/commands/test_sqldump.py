"""Plain SQL dumps are read as psql reads them. The golden files are pg_dump 15.18's, of odd names and values."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawpaw_ops.commands.sqldump import MAX_HELD, SqlReader
from pawpaw_ops.commands.sqlrules import SqlDump, knows_restrict
from pawpaw_ops.errors import BackupCorrupt, OpsError, PreconditionError

GOLDEN = Path(__file__).parent / "golden"
PLAIN, INSERTS = (GOLDEN / "odd_names.sql").read_bytes(), (GOLDEN / "odd_names_inserts.sql").read_bytes()
SMALL = PLAIN[: PLAIN.index(b"CREATE SCHEMA")] + PLAIN[PLAIN.index(b"COPY public.nothing") :]
ODD = '"odd; schema"."it\'s (a) ""table"""'
START = b"--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)\n\n"
END = b"\n--\n-- PostgreSQL database dump complete\n--\n\n"


def read(*chunks: bytes, server_major: int = 15) -> tuple[bytes, SqlDump]:
    reader = SqlReader(server_major=server_major)
    out = b"".join(reader.feed(chunk) for chunk in chunks) + reader.end()
    return out, reader.report()


def report(body: bytes, **more: int) -> SqlDump:
    return read(START + body + END, **more)[1]


def test_a_real_dump_passes_unchanged_with_its_rows_counted() -> None:
    out, found = read(PLAIN)
    assert out == PLAIN
    assert found.problem == ""
    assert found.complete
    assert found.tables == {ODD: 3, "public.empty": 0, "public.nothing": 2, "public.orders": 30}
    assert (found.source_version, found.restricted, found.lines) == ("15.18", True, PLAIN.count(b"\n"))


def test_rows_of_inserts_are_counted() -> None:
    out, found = read(INSERTS)
    assert out == INSERTS
    assert found.complete
    assert found.tables == {ODD: 3, "public.nothing": 2, "public.orders": 30}


def test_C15_every_truncation_of_a_dump_is_detected() -> None:
    """Whatever the byte at which it ends: no prefix of a dump is taken for a dump."""
    assert read(SMALL)[1].complete
    for length in range(len(SMALL)):
        try:
            found = read(SMALL[:length])[1]
        except BackupCorrupt as seen:
            assert "psql command" not in seen.message  # noqa: PT017 - a cut is told as a cut
            continue
        assert found.problem, SMALL[:length][-60:]


@given(st.sampled_from([PLAIN, INSERTS]), st.floats(0, 1, exclude_max=True))
def test_C15_a_truncation_anywhere_is_detected(dump: bytes, share: float) -> None:
    try:
        assert not read(dump[: int(share * len(dump))])[1].complete
    except BackupCorrupt as seen:
        assert "psql command" not in seen.message  # noqa: PT017


VALUES = [
    "1",
    "-1.5",
    "NULL",
    "'it''s'",
    "E'a\\'b'",
    "'(;'",
    "(2)",
    "'\\'",
    "'--'",
    "$$;$$",
    "now()",
    "1/2",
    "/* ) */3",
]


@given(st.lists(st.lists(st.sampled_from(VALUES), min_size=1, max_size=4), max_size=20))
def test_simple_and_odd_inserts_count_alike(rows: list[list[str]]) -> None:
    """What is read at once counts as what is read token by token."""
    inserts = [f"INSERT INTO public.a VALUES ({', '.join(row)});\n" for row in rows]
    fast, slow = report("".join(inserts).encode()), report("".join(f"/**/{line}" for line in inserts).encode())
    assert fast == slow
    assert fast.complete
    assert sum(fast.tables.values()) == len(rows)


@given(st.sampled_from([PLAIN, INSERTS]), st.lists(st.integers(1, 700), min_size=1, max_size=40))
def test_the_size_of_chunks_changes_nothing(dump: bytes, sizes: list[int]) -> None:
    chunks, at = list[bytes](), 0
    while at < len(dump):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(dump[at : at + size])
        at += size
    assert read(*chunks) == read(dump)


@settings(max_examples=300)
@given(st.data())
def test_damage_is_never_a_surprise(data: st.DataObject) -> None:
    """Bytes put in, taken out or changed anywhere end in a report or in an error of ours."""
    at = data.draw(st.integers(0, len(PLAIN)))
    gone = data.draw(st.integers(0, 300))
    junk = data.draw(st.binary(max_size=5) | st.sampled_from([b"\\.\n", b"'", b"$$", b"/*", b";", b"\\", b'"', b"--"]))
    try:
        found = read(PLAIN[:at] + junk + PLAIN[at + gone :])[1]
    except OpsError as seen:
        assert isinstance(seen, PreconditionError)  # noqa: PT017
        return
    assert isinstance(found.problem, str)


@given(st.lists(st.lists(st.text(alphabet="a\\.\t\n'$;ñ-", max_size=8), min_size=2, max_size=2), max_size=30))
def test_rows_of_any_text_are_counted(rows: list[list[str]]) -> None:
    """COPY escapes what could be taken for its end."""
    escape = {"\\": "\\\\", "\t": "\\t", "\n": "\\n"}
    lines = ["\t".join("".join(escape.get(char, char) for char in value) for value in row) + "\n" for row in rows]
    body = b"COPY public.a (b, c) FROM stdin;\n" + "".join(lines).encode() + b"\\.\n"
    found = report(body)
    assert found.complete
    assert found.tables == {"public.a": len(rows)}


@pytest.mark.parametrize(
    "body",
    [
        b"SELECT 'a\\';",
        b"SELECT E'a\\'; \\. it''s \\\\';",
        b"SET standard_conforming_strings = off;\nSELECT 'a\\'; \\connect x';",
        b'SELECT "a""; \\x";',
        b"SELECT $$ \\. ; ' $$, $a_1$ $$ \\x $a$ $a_1$;",
        b"SELECT a$b, c$1$d FROM e;",
        b"/* a /* nested */ \\x ' */ SELECT 1;",
        b"SELECT 1 -- \\x ' \n;",
        b"CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT CASE 1 WHEN 2 THEN 3 END; SELECT 4; END;",
        b"CREATE VIEW v AS SELECT CASE WHEN true THEN 1 END;",
        b"BEGIN;\nSELECT pg_catalog.lo_open('1', 131072);\nCOMMIT;",
        b"ALTER USER MAPPING FOR a SERVER b OPTIONS (c 'd');",
        b"ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO b;",
        b"CREATE TABLE copyright (a int);",
        b"INSERT INTO public.a SELECT * FROM (VALUES (1), (2)) b;",
    ],
)
def test_what_psql_takes_for_text_is_text(body: bytes) -> None:
    found = report(body)
    assert found.problem == ""
    assert all(rows == 0 for rows in found.tables.values())


@pytest.mark.parametrize(
    "body",
    [
        b"\\connect other",
        b"\\! rm x",
        b"SELECT 1 \\g",
        b"\\.",
        b"\\unrestrict abc",
        b"SELECT 'a\\' \\connect x;'",
        b"COPY a FROM '/etc/passwd';",
        b"COPY a FROM PROGRAM 'x';",
        b"COPY a (b) FROM stdin; SELECT 1;\n\\.",
        b"COPY a FROM stdin;\n\\.x\n\\.",
        b"SELECT '\0';",
    ],
)
def test_C15_what_no_dump_of_one_database_has_is_corrupt(body: bytes) -> None:
    with pytest.raises(BackupCorrupt, match=r"\(line \d+\)"):
        report(body)


@pytest.mark.parametrize(
    "words",
    [
        "CREATE DATABASE",
        "DROP DATABASE",
        "ALTER DATABASE",
        "ALTER ROLE",
        "CREATE USER",
        "COMMENT ON DATABASE",
        "DROP TABLESPACE",
        "ALTER SYSTEM",
        "CREATE SUBSCRIPTION",
        "GRANT ALL ON DATABASE",
    ],
)
def test_C15_what_reaches_beyond_the_database_is_refused(words: str) -> None:
    with pytest.raises(PreconditionError, match=f"'{words}' .line 7.: it would reach beyond"):
        report(f"{words} a;".encode())


def test_C15_a_dump_of_a_cluster_is_refused() -> None:
    with pytest.raises(PreconditionError, match="pg_dumpall"):
        read(b"--\n-- PostgreSQL database cluster dump\n--\n\nSET x = 1;\n")


def test_C15_settings_that_the_server_does_not_know_are_taken_out() -> None:
    body = b"SET lock_timeout = 0;\nSET transaction_timeout = 0;\nSET event_triggers TO 'on';\n"
    out, found = read(START + body + END)
    assert found.dropped_settings == ("transaction_timeout", "event_triggers")
    assert out == START + b"SET lock_timeout = 0;\n\n\n" + END
    assert report(body, server_major=17).dropped_settings == ()


def test_an_encoding_that_hides_quotes_is_refused() -> None:
    with pytest.raises(PreconditionError, match="SJIS"):
        report(b"SET client_encoding = 'SJIS';")


@pytest.mark.parametrize(
    ("dump", "problem"),
    [
        (START + b"COPY a FROM stdin;\n1\n2\n3", "ends inside the rows of a, at line 10, after 2 whole rows"),
        (START + b"COPY a FROM stdin;\n1\n2\n", "ends inside the rows of a, at line 10, after 2 whole rows"),
        (START + b"SELECT 'a;\n\n", "ends inside the statement that begins at line 7"),
        (
            START + b"COPY a FROM stdin;\n1\n\\.\n",
            "without the line '-- PostgreSQL database dump complete', after a with 1",
        ),
        (START + END[:-1], "the lines that pg_dump writes last are not whole"),
        (b"", "does not begin"),
    ],
)
def test_C15_the_report_says_where_a_dump_ends(dump: bytes, problem: str) -> None:
    assert problem in read(dump)[1].problem


@pytest.mark.parametrize(
    ("dump", "said"),
    [
        (START + END + START + END, "two dumps were put together"),
        (START + END + b"SELECT 1;", "goes on behind its end"),
        (b"<html><body>404</body></html>", "does not begin as pg_dump's SQL does"),
        (b"SELECT 1;\n" + START + END, "does not begin as pg_dump's SQL does"),
    ],
)
def test_C15_what_is_no_dump_is_corrupt(dump: bytes, said: str) -> None:
    with pytest.raises(BackupCorrupt, match=said):
        read(dump)


def test_statements_longer_than_memory_are_passed_on_in_pieces() -> None:
    """A huge literal is never held whole, and the rows beside it still count."""
    literal = b"x" * (1 << 16)
    reader = SqlReader(server_major=15)
    reader.feed(START + b"INSERT INTO a VALUES ('")
    sizes = [len(reader.feed(literal)) for _ in range(64)]
    assert max(sizes) <= MAX_HELD + 2 * len(literal)
    assert sum(sizes) > 60 * len(literal)
    reader.feed(b"'), ('b;');" + END)
    reader.end()
    assert reader.report().tables == {"a": 2}
    assert reader.report().complete


@pytest.mark.parametrize(
    ("version", "knows"),
    [
        ("15.13", False),
        ("15.14", True),
        ("14.18", False),
        ("13.22", True),
        ("12.22", False),
        ("17.5", False),
        ("18.0", True),
    ],
)
def test_C15_psql_knows_restrict_from_a_minor_version_on(version: str, knows: bool) -> None:  # noqa: FBT001
    assert knows_restrict(version) is knows
