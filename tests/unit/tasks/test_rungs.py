"""What a failed load is called."""

import pytest

from pawpaw_ops.errors import CommandError
from pawpaw_ops.tasks.climb import Climb, FellError
from pawpaw_ops.tasks.rungs import _tell_load

LOGGED = """\
00000|LOG:  3f9a
42883|ERROR:  function clean(text) does not exist at character 8
42883|QUERY:  RETURN clean(t)
57P01|FATAL:  terminating connection due to administrator command
08006|FATAL:  connection to client lost
"""


def failed(exit_code: int | None) -> CommandError:
    error = CommandError("pg_restore ended")
    error.exit_code = exit_code
    return error


def test_the_first_line_that_failed_is_the_cause() -> None:
    """The other sessions of a parallel load fail after it, because their client went away."""
    up = Climb()
    with pytest.raises(FellError):
        _tell_load(up, failed(1), LOGGED)
    [finding] = up.findings
    assert (finding.code, finding.rung) == ("search-path", 2)
    assert finding.text == "SQLSTATE 42883: function clean(text) does not exist."


@pytest.mark.parametrize("exit_code", [None, -9])
def test_a_program_that_was_killed_or_never_ran_is_not_told_by_the_log(exit_code: int | None) -> None:
    up = Climb()
    _tell_load(up, failed(exit_code), LOGGED)
    assert up.findings == []
