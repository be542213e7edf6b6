"""A command is a value."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from pawpaw_ops.commands.command import Command, Query


def test_its_text_is_the_line_to_type() -> None:
    """Quoted, without environment and input."""
    command = Command(argv=("echo", "a b", "$HOME"), env={"X": "hidden"}, stdin="hidden", cwd=Path("/nowhere"))
    assert str(command) == "echo 'a b' '$HOME'"


def test_secrets_show_in_no_text() -> None:
    """Neither in `str` nor in `repr`."""
    command = Command(argv=("psql",), env={"PGPASSWORD": SecretStr("canary")}, stdin=SecretStr("canary"))
    assert "canary" not in f"{command} {command!r}"


def test_it_cannot_be_changed() -> None:
    """What was planned is what runs."""
    with pytest.raises(AttributeError):
        Command(argv=("true",)).timeout_s = 1  # type: ignore[misc]


def test_a_query_has_its_parser() -> None:
    """Asking is a command and the reading of its answer."""
    query = Query(command=Command(argv=("id", "-u")), parse=int)
    assert query.parse("0\n") == 0
