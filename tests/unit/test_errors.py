"""Errors read as what was seen, what to do, and a code; they can be caught as what they are."""

import pytest

from pawpaw_ops import errors


def test_the_text_is_message_hint_and_code() -> None:
    """In that order; without a hint there is no gap."""
    assert str(errors.LockHeld("Ana restores.", hint="Wait.")) == "Ana restores. Wait. [lock-held]"
    assert str(errors.LockHeld("Ana restores.")) == "Ana restores. [lock-held]"


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.ConfigError, ValueError),
        (errors.Unreachable, ConnectionError),
        (errors.BackupMissing, LookupError),
        (errors.LockHeld, BlockingIOError),
        (errors.CommandNotFound, FileNotFoundError),
        (errors.CommandTimedOut, TimeoutError),
    ],
)
def test_some_are_what_python_calls_them_too(kind: type[errors.OpsError], builtin: type[Exception]) -> None:
    """Callers that know nothing of us can catch them."""
    error = kind("seen", hint="do")
    assert isinstance(error, builtin)
    assert str(error) == f"seen do [{kind.code}]"


@pytest.mark.parametrize(
    "kind", [errors.ConfigError, errors.DiskTooSmall, errors.WrongKey, errors.NotApproved, errors.LockHeld]
)
def test_untouched_means_untouched(kind: type[errors.OpsError]) -> None:
    """The class says the state of the stack."""
    assert issubclass(kind, errors.Untouched)
    assert not issubclass(kind, errors.Undone | errors.HalfDone)


def test_parts_that_failed_say_nothing_of_the_stack() -> None:
    """A process or store that failed is not yet a state; the session makes it one."""
    for kind in (errors.CommandError, errors.StoreError, errors.VerificationError):
        assert not issubclass(kind, errors.Untouched | errors.Undone | errors.HalfDone)
