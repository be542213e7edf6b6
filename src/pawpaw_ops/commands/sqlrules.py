r"""What may stand in a plain SQL dump of one database: pure rules over single statements of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pawpaw_ops.models.base import Noun

FIRST_MAJOR: Mapping[str, int] = {
    "idle_session_timeout": 14,
    "default_toast_compression": 14,
    "createrole_self_grant": 16,
    "transaction_timeout": 17,
    "event_triggers": 17,
}
"""Setting -> first major version that knows it; an older server stops at it. Source: the release notes."""
RESTRICT_SINCE: Mapping[int, int] = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
r"""Major version -> first minor version whose psql knows `\restrict`; newer majors know it from the start."""
NEEDS_LEXER = frozenset({"SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004"})
"""Encodings whose characters may hold the byte of a quote or a backslash."""

HEADER, COMPLETE = b"-- PostgreSQL database dump", b"-- PostgreSQL database dump complete"
CLUSTER = b"-- PostgreSQL database cluster dump"

_VERSION = re.compile(rb"-- Dumped from database version (\S+)")
_NAME = rb"""((?:"(?:[^"]|"")+"|[\w$\x80-\xff]+)(?:\.(?:"(?:[^"]|"")+"|[\w$\x80-\xff]+))?)"""
SIMPLE_INSERT = re.compile(
    rb"\s*INSERT INTO "
    + _NAME
    + rb"""(?: \([\w, ]*\))? VALUES \((?:[^'"()$;/\\-]++|-(?!-)|/(?!\*)|'[^'\\]*+')*+\);\n"""
)
"""One row, one statement, nothing nested: what `pg_dump --inserts` mostly writes, read at once where it can be."""
_COPY = re.compile(rb"COPY\s+" + _NAME + rb"\s*(?:\(.*\)\s*)?\bFROM\s+stdin\s*;\Z", re.IGNORECASE | re.DOTALL)
_INSERT = re.compile(rb"INSERT\s+INTO\s+" + _NAME, re.IGNORECASE)
_SETTING = re.compile(rb"SET\s+(?:SESSION\s+|LOCAL\s+)?(\w+)\s*(?:=|\sTO\s)\s*(.*?)\s*;\Z", re.IGNORECASE | re.DOTALL)
_ROUTINE = re.compile(rb"CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\b", re.IGNORECASE)
_BEYOND = re.compile(
    rb"(?:CREATE|DROP|ALTER)\s+(?:DATABASE|ROLE|GROUP|SUBSCRIPTION|TABLESPACE|SYSTEM|USER(?!\s+MAPPING))\b"
    rb"|COMMENT\s+ON\s+(?:DATABASE|ROLE|TABLESPACE)\b|(?:GRANT|REVOKE)\b[^;]*?\sON\s+(?:DATABASE|TABLESPACE)\b",
    re.IGNORECASE,
)


class SqlDump(Noun):
    r"""What a plain SQL dump holds.

    Attributes:
        tables: Table as the dump writes it, quoted where needed -> rows.
        dropped_settings: Settings that were taken out because the server does not know them.
        source_version: Version of the server it was taken from, as its header says.
        restricted: Whether it begins with `\restrict`, which psql must know.
        lines: How many lines were read.
        problem: Why it is not complete; empty when it is.
    """

    tables: Mapping[str, int]
    dropped_settings: tuple[str, ...] = ()
    source_version: str = ""
    restricted: bool = False
    lines: int = 0
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.problem


@dataclass
class Statement:
    """A statement while it is being read.

    Attributes:
        line: Where it begins.
        held: Its text so far, until it is judged.
        head: Its beginning, once it was too long to be held.
        depth: Open parentheses.
        blocks: Open BEGIN and CASE of a routine's body.
        inserting: Table that it inserts into.
    """

    line: int
    held: bytearray = field(default_factory=bytearray)
    head: bytes = b""
    depth: int = 0
    blocks: int = 0
    inserting: str = ""

    @property
    def text(self) -> bytes:
        """What is known of it."""
        return self.head or bytes(self.held)


def knows_restrict(client_version: str) -> bool:
    r"""Whether a psql of this version (`15.14`) knows `\restrict`. Source: the release notes of August 2025."""
    major, minor = (int(part) for part in f"{client_version}.0".split(".")[:2])
    return major >= min(RESTRICT_SINCE) and minor >= RESTRICT_SINCE.get(major, 0)


def source_version(line: bytes) -> str:
    """Return the server's version in the line of the header that tells it; empty for every other line."""
    found = _VERSION.match(line)
    return found[1].decode(errors="replace") if found else ""


def copied_table(statement: bytes) -> str:
    """Return the table that a COPY fills with rows of the dump itself; empty for every other statement."""
    found = _COPY.match(statement)
    return found[1].decode(errors="replace") if found else ""


def inserted_table(head: bytes) -> str:
    """Return the table that an INSERT fills; empty for every other statement."""
    found = _INSERT.match(head)
    return found[1].decode(errors="replace") if found else ""


def is_routine(head: bytes) -> bool:
    """Whether a statement makes a function or procedure, whose body may hold `;` between BEGIN and END."""
    return _ROUTINE.match(head) is not None


def is_copy(head: bytes) -> bool:
    """Whether a statement is a COPY of any kind."""
    return head[:4].upper() == b"COPY" and not head[4:5].isalnum()


def setting(statement: bytes) -> tuple[str, str]:
    """Return name and value of a SET; two empty texts for every other statement."""
    found = _SETTING.match(statement)
    return (found[1].decode().lower(), found[2].strip(b"'").decode(errors="replace")) if found else ("", "")


def beyond(head: bytes) -> str:
    """Return the words of a statement that would reach beyond the database it is loaded into; empty for all others."""
    found = _BEYOND.match(head)
    return found[0].decode(errors="replace") if found else ""
