r"""A plain SQL dump of pg_dump, read as psql would read it and checked before psql sees it.

psql loads a dump that was cut inside a COPY block without a word and exits with 0, whatever its flags. So all of it
is read first: quotes, comments, dollar quotes, COPY blocks, meta-commands, and the lines that pg_dump writes last.
"""

import re

from pawpaw_ops.commands import sqlrules
from pawpaw_ops.commands.sqlrules import CLUSTER, COMPLETE, HEADER, SqlDump, Statement
from pawpaw_ops.errors import BackupCorrupt, PreconditionError

HOLD = 512
"""Bytes kept back so that no token is cut by the end of a chunk."""
MAX_HELD = 1 << 20
"""Longest statement that is kept whole until it is judged, in bytes; of a longer one the beginning is judged."""
KEYWORDS = frozenset({b"VALUES", b"BEGIN", b"CASE", b"END"})

_TOKEN = re.compile(
    rb"""[eE]'|'|"|[A-Za-z_\x80-\xff][\w$\x80-\xff]*|\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$|--|/\*|[;()\\]"""
)
_PLAIN, _ESCAPED, _IDENTIFIER = re.compile(rb"'"), re.compile(rb"\\.|''|'", re.DOTALL), re.compile(rb'"')
_LINE, _BLOCK = re.compile(rb"\n"), re.compile(rb"/\*|\*/")
_ROWS_END, _LINE_END = re.compile(rb"\\\.\r?\n"), re.compile(rb"[ \t]*\r?\n")
_META = re.compile(rb"\\(restrict|unrestrict)[ \t]+([A-Za-z0-9]+)[ \t]*\r?\n")
_ENDING = rb"\n--\r?\n" + COMPLETE + rb"\r?\n--\r?\n\r?\n"


class SqlReader:
    """Reads a dump chunk by chunk in constant memory and hands back what psql may have.

    Args:
        server_major: Major version that it will be loaded into; settings newer than it are taken out.
    """

    def __init__(self, *, server_major: int) -> None:
        self.server_major = server_major
        self.tables: dict[str, int] = {}
        self._dropped: list[str] = []
        self._source_version = self._key = self._table = ""
        self._out: list[bytes] = []
        self._buffer, self._tail, self._at, self._lines = b"", b"", 0, 0
        self._header = self._complete = self._backslashes = self._inside_line = self._commented = False
        self._closing, self._nesting = _PLAIN, 0
        self._now: Statement | None = None
        self._mode = self._sql

    def feed(self, chunk: bytes) -> bytes:
        """Read one chunk and return what psql may have of what was read so far.

        Raises:
            BackupCorrupt: It is no dump of one database, or damaged.
            PreconditionError: It would reach beyond the database that it is loaded into.
        """
        if b"\0" in chunk:
            raise self._corrupt("holds a zero byte; it is no SQL")
        self._buffer = self._buffer[self._at :] + chunk
        self._at, self._tail = 0, (self._tail + chunk)[-HOLD:]
        return self._run(len(self._buffer) - HOLD)

    def end(self) -> bytes:
        """Read what is left and return it; `report` tells then whether the dump is complete."""
        return self._run(len(self._buffer))

    def report(self) -> SqlDump:
        """Return what was found."""
        return SqlDump(
            tables=self.tables,
            dropped_settings=tuple(self._dropped),
            source_version=self._source_version,
            restricted=bool(self._key),
            lines=self._lines,
            problem=self._problem(),
        )

    def _run(self, limit: int) -> bytes:
        while self._at < limit and self._mode(limit):
            pass
        made, self._out = b"".join(self._out), []
        return made

    def _sql(self, limit: int) -> bool:
        """Read one simple INSERT or one token; whether there may be another."""
        if self._now is None and (simple := sqlrules.SIMPLE_INSERT.match(self._buffer, self._at)):
            self._insert(simple)
            return True
        found = _TOKEN.search(self._buffer, self._at)
        if found is None or found.start() >= limit:
            self._take(limit)
            return False
        self._take(found.start())
        token = found[0]
        if token == b"--":
            self._comment()
            self._quote(found.end(), _LINE, comment=True)
        elif token == b"/*":
            self._quote(found.end(), _BLOCK, comment=True)
        elif token == b"\\":
            self._meta()
        else:
            self._word(self._statement(), token, found.end())
        return True

    def _insert(self, found: re.Match[bytes]) -> None:
        self._statement()  # refuses one where none may be
        table, self._now = found[1].decode(errors="replace"), None
        self.tables[table] = self.tables.get(table, 0) + 1
        self._pass(found.end())

    def _word(self, now: Statement, token: bytes, end: int) -> None:
        if token[-1:] == b"'":
            self._quote(end, _ESCAPED if len(token) > 1 or self._backslashes else _PLAIN)
        elif token == b'"':
            self._quote(end, _IDENTIFIER)
        elif token[:1] == b"$":
            self._quote(end, re.compile(re.escape(token)))
        else:
            self._take(end)
            if token == b";" and now.depth == 0 and now.blocks == 0:
                self._judge(now)
            else:
                self._count(now, token)

    def _count(self, now: Statement, token: bytes) -> None:
        """Keep account of parentheses, of the rows of INSERTs, and of routines' bodies."""
        if token == b"(":
            if now.depth == 0 and now.inserting:
                self.tables[now.inserting] += 1
            now.depth += 1
        elif token == b")":
            now.depth = max(0, now.depth - 1)
        elif now.depth == 0 and (word := token.upper()) in KEYWORDS:
            self._keyword(now, word)

    def _keyword(self, now: Statement, word: bytes) -> None:
        """Count as psql does, which must know that a `;` inside `BEGIN ATOMIC … END` ends nothing."""
        if word == b"VALUES" and not now.inserting and (table := sqlrules.inserted_table(now.text)):
            now.inserting = table
            self.tables.setdefault(table, 0)
            self.tables[table] += now.text.upper().split()[-2:-1] == [b"DEFAULT"]
        elif word == b"END":
            now.blocks = max(0, now.blocks - 1)
        elif (word == b"BEGIN" or now.blocks) and sqlrules.is_routine(now.text):
            now.blocks += word in {b"BEGIN", b"CASE"}

    def _quote(self, end: int, closing: re.Pattern[bytes], *, comment: bool = False) -> None:
        self._take(end, comment=comment)
        self._closing, self._nesting, self._commented = closing, 1, comment
        self._mode = self._quoted

    def _quoted(self, limit: int) -> bool:
        """Read on to what may end a quote or comment; whether it was found."""
        found = self._closing.search(self._buffer, self._at)
        if found is None or found.start() >= limit:
            self._take(limit, comment=self._commented)
            return False
        self._take(found.end(), comment=self._commented)
        opens, skipped = found[0] == b"/*", self._closing is _ESCAPED and len(found[0]) > 1
        self._nesting += 1 if opens else 0 if skipped else -1
        if self._nesting == 0:
            self._mode = self._sql
        return True

    def _rows(self, limit: int) -> bool:
        """Read rows of a COPY block up to what may be its end; whether there may be more."""
        if not self._inside_line and self._buffer.startswith(b"\\.", self._at):
            return self._rows_end()
        found = self._buffer.find(b"\n\\.", self._at, limit + 2)
        upto = limit if found < 0 else found + 1
        self.tables[self._table] += self._buffer.count(b"\n", self._at, upto)
        self._inside_line = self._buffer[upto - 1] != ord("\n")
        self._pass(upto)
        return found >= 0

    def _rows_end(self) -> bool:
        found = _ROWS_END.match(self._buffer, self._at)
        if found is not None:
            self._pass(found.end())
            self._mode = self._sql
        elif len(self._buffer) - self._at > len(b"\\.\r"):
            raise self._corrupt(f"has a damaged row in {self._table}, after {self.tables[self._table]} rows")
        else:
            self._pass(len(self._buffer))
        return found is not None

    def _judge(self, now: Statement) -> None:
        """Look at a whole statement and hand it on, or not."""
        text, self._now = now.text, None
        if words := sqlrules.beyond(text):
            raise PreconditionError(
                f"the dump says {words!r} (line {now.line}): it would reach beyond the database it is loaded into.",
                hint="Dumps of one database, made without --create, can be restored beside the live one.",
            )
        if self._known(*sqlrules.setting(text)) and not now.head:
            self._out.append(text)
        if table := sqlrules.copied_table(text):
            self._start_rows(table)
        elif sqlrules.is_copy(text):
            raise self._corrupt("has a COPY that does not read from the dump itself; pg_dump writes none")

    def _known(self, name: str, value: str) -> bool:
        """Take note of a setting; whether the server knows it."""
        if name == "standard_conforming_strings":
            self._backslashes = value.lower() == "off"
        if name == "client_encoding" and value.upper() in sqlrules.NEEDS_LEXER:
            raise PreconditionError(
                f"the dump is in {value}, which cannot be checked.", hint="Dump with --encoding=UTF8."
            )
        too_new = sqlrules.FIRST_MAJOR.get(name, 0) > self.server_major
        self._dropped += [name] if too_new else []
        return not too_new

    def _start_rows(self, table: str) -> None:
        line_end = _LINE_END.match(self._buffer, self._at)
        if line_end is None and self._at < len(self._buffer):
            raise self._corrupt(f"goes on behind the COPY of {table} in the same line")
        self._pass(line_end.end() if line_end else self._at)
        self._table, self._inside_line, self._mode = table, False, self._rows
        self.tables.setdefault(table, 0)

    def _meta(self) -> None:
        r"""Let `\restrict` and `\unrestrict` pass where pg_dump writes them, and nothing else."""
        rest = self._buffer[self._at : self._at + HOLD]
        found = _META.match(rest) if self._now is None else None
        key = found[2].decode() if found else ""
        opens = found is not None and found[1] == b"restrict" and not self._key and not self._complete
        closes = found is not None and found[1] == b"unrestrict" and key == self._key and self._complete
        if found is not None and (opens or closes):
            self._key = key
            self._pass(self._at + found.end())
        elif len(rest) < HOLD and b"\n" not in rest:
            self._pass(len(self._buffer))  # cut here; the missing ending will tell
        else:
            line = rest[:40].split(b"\n")[0].decode(errors="replace")
            raise self._corrupt(f"has the psql command {line!r}, which no dump of one database has there")

    def _comment(self) -> None:
        """Take note of the lines that pg_dump writes about the dump itself."""
        line, newline, _ = self._buffer[self._at : self._at + HOLD].partition(b"\n")
        line = line.rstrip()
        if self._now is not None or not newline:
            return
        if line == CLUSTER:
            raise PreconditionError(
                "the file is a dump of a whole cluster (pg_dumpall): it makes roles and databases of its own.",
                hint="Only dumps of one database can be restored beside the live one.",
            )
        if line == HEADER and self._header:
            raise self._corrupt("begins a second time; two dumps were put together")
        self._header = self._header or line == HEADER
        self._complete = self._complete or line == COMPLETE
        self._source_version = self._source_version or sqlrules.source_version(line)

    def _statement(self) -> Statement:
        """Return the statement being read; one that begins here must be where statements may be."""
        if self._now is None:
            if not self._header:
                raise self._corrupt("does not begin as pg_dump's SQL does")
            if self._complete:
                raise self._corrupt("goes on behind its end")
            self._now = Statement(line=self._lines + 1)
        return self._now

    def _take(self, upto: int, *, comment: bool = False) -> None:
        """Move text of a statement, or of what lies between statements, out of the buffer."""
        piece = self._buffer[self._at : upto]
        now = self._statement() if self._now is None and not comment and piece.strip() else self._now
        if now is None or now.head:
            self._pass(upto)
            return
        now.held += piece
        self._lines, self._at = self._lines + piece.count(b"\n"), upto
        if len(now.held) > MAX_HELD:
            now.head = bytes(now.held[:HOLD])
            self._out.append(bytes(now.held))
            now.held.clear()

    def _pass(self, upto: int) -> None:
        piece = self._buffer[self._at : upto]
        self._out.append(piece)
        self._lines, self._at = self._lines + piece.count(b"\n"), upto

    def _problem(self) -> str:
        if self._mode == self._rows:
            rows = self.tables[self._table]
            return f"it ends inside the rows of {self._table}, at line {self._lines + 1}, after {rows} whole rows"
        if not self._header:
            return "it does not begin as pg_dump's SQL does"
        if self._now is not None:
            return f"it ends inside the statement that begins at line {self._now.line}"
        if not self._complete:
            last = next(reversed(self.tables), "")
            after = f", after {last} with {self.tables[last]} rows" if last else ""
            return f"it ends at line {self._lines + 1} without the line {COMPLETE.decode()!r}{after}"
        ending = _ENDING + (rb"\\unrestrict %s\r?\n\r?\n" % self._key.encode() if self._key else b"")
        return "" if re.search(ending + rb"\Z", self._tail) else "the lines that pg_dump writes last are not whole"

    def _corrupt(self, seen: str) -> BackupCorrupt:
        hint = "Use another backup; `list-backups` shows them."
        return BackupCorrupt(f"the dump {seen} (line {self._lines + 1}).", hint=hint)
