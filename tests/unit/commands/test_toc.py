"""Rows that arrive frozen."""

from pawpaw_ops.commands.toc import freeze


def _string(text: str) -> bytes:
    raw = text.encode()
    return b"\0" + len(raw).to_bytes(4, "little") + raw


def _copy(table: str, options: str = "") -> bytes:
    return _string(f'COPY {table} (id, "qué") FROM stdin{options};\n')


def test_wanted_tables_are_frozen_and_nothing_else_changes() -> None:
    before, between = b"PGDMP\x01\x0e" + _string("orders"), _string('"odd "" name"') + b"\0\x01"
    toc = before + _copy("public.orders") + between + _copy('public."o (""1"") x"') + _copy("ext.config")

    made = freeze(toc, {"public.orders", 'public."o (""1"") x"'})

    frozen = " WITH (FREEZE)"
    assert made == before + _copy("public.orders", frozen) + between + _copy('public."o (""1"") x"', frozen) + _copy(
        "ext.config"
    )
    assert freeze(made, {"public.orders"}) == made


def test_a_text_that_only_looks_like_a_statement_stays() -> None:
    """The body of a function may quote one; its length is not the statement's."""
    toc = _string("CREATE FUNCTION f() AS 'x\0" + "abcd" + "COPY public.orders (id) FROM stdin;\n'")

    assert freeze(toc, {"public.orders"}) == toc
