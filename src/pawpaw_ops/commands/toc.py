"""The table of contents of a dump folder, `toc.dat`: which COPY statements it holds, and how they are to load."""

import re
from collections.abc import Collection

_NAME = rb'(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")'
_COPY = re.compile(rb"\0(.{4})(COPY (" + _NAME + rb"\." + _NAME + rb") \([^\0]*?\) FROM stdin;\n)", re.DOTALL)
"""A string as pg_dump writes it, sign byte and length before it, that is one COPY statement."""


def freeze(toc: bytes, tables: Collection[str]) -> bytes:
    """Let rows arrive frozen: `COPY … WITH (FREEZE)`, so that indexes and foreign keys are made without the heap.

    PostgreSQL takes it for tables emptied in the same transaction; pg_restore does that to every table that it made
    itself, when it has two jobs or more.

    Args:
        toc: A `toc.dat`.
        tables: Quoted names of ordinary tables that belong to no extension; the others load as they are.

    Returns:
        The `toc.dat` to restore from; the same bytes where nothing is to be done.
    """
    wanted = {name.encode() for name in tables}

    def change(found: re.Match[bytes]) -> bytes:
        size, statement, table = found.groups()
        if table not in wanted or int.from_bytes(size, "little") != len(statement):
            return found[0]
        frozen = statement.removesuffix(b";\n") + b" WITH (FREEZE);\n"
        return b"\0" + len(frozen).to_bytes(4, "little") + frozen

    return _COPY.sub(change, toc)
