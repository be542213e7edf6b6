"""Records are read whole or refused."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from pawpaw_ops.clients.records import read_lines, read_record
from pawpaw_ops.errors import ConfigError

NUMBER = TypeAdapter(int)


def test_what_is_not_there_is_none_and_no_lines(tmp_path: Path) -> None:
    assert read_record(tmp_path / "x", NUMBER, hint="") is None
    assert read_lines(tmp_path / "x", NUMBER, hint="") == ()


def test_one_line_that_is_something_else_refuses_all_and_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('1\n"hunter2"\n3\n')
    for read in (read_lines, read_record):
        with pytest.raises(ConfigError, match=r"x\.jsonl") as seen:
            read(path, NUMBER, hint="Mend it.")
        assert "hunter2" not in str(seen.value)
        assert seen.value.hint == "Mend it."
    path.write_text("1\n2\n")
    assert read_lines(path, NUMBER, hint="") == (1, 2)
