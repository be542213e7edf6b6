"""Secrets that this process knows, kept out of whatever it says: errors, logs, records, reports.

A secret becomes known where it comes into the process: with a block, the `.env`, a rotation. From the first one on
every log record passes through here, also those of libraries, and so does every error that leaves a task or a session.
"""

import base64
import contextlib
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import quote, quote_plus

from pydantic import BaseModel

T = TypeVar("T")
HIDDEN = "***"
SHORTEST = 12
"""Characters of what is hidden wherever it stands; a shorter one may be an ordinary word, and is hidden in logins."""
LOGIN = re.compile(
    r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)[^\s/'\"]+(?=@)"
    r"|(?P<word>(?<![a-z_])(?:ssl)?password\s*=\s*)(?:'(?:[^'\\\n]|\\.)*'|[^\s&'\"]+)",
    re.IGNORECASE,
)
"""A password in an address, or in libpq's keywords, whether anybody knows it or not."""

_known: set[str] = set()
_pattern: list[re.Pattern[str]] = []


class Hidden(Exception):
    """Stands for an error whose text cannot be changed and has a secret in it."""


def learn(what: object) -> None:
    """Get to know every secret in a value: a `SecretStr`, or a model, mapping or sequence with some in it.

    Touches:
        The log records of this process: from now on none has it.
    """
    new = {form for value in _secrets(what) for form in _forms(value)} - _known
    if not new:
        return
    _known.update(new)
    longest_first = sorted(_known, key=len, reverse=True)
    _pattern[:] = [re.compile("|".join(map(re.escape, longest_first)))]
    _guard_logs()


def redact(text: str, also: Iterable[str] = ()) -> str:
    """Return a text without the secrets that are known, in any of their forms, and without passwords of logins.

    Args:
        text: The text.
        also: What is hidden too, however short; the longest first where one begins another.
    """
    for word in also:
        text = text.replace(word, HIDDEN)
    for pattern in _pattern:
        text = pattern.sub(HIDDEN, text)
    return LOGIN.sub(lambda match: f"{match['before'] or match['word']}{HIDDEN}", text)


def redact_all(value: T) -> T:
    """Return a value of JSON's kinds whose texts are redacted."""
    return cast("T", _redact_all(value))


def _redact_all(value: object) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {name: _redact_all(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_all(held) for held in value]
    return value


def clean(error: BaseException) -> BaseException:
    """Take the secrets out of an error, and out of those that it came from.

    Returns:
        The same error; another in its place where its text cannot be changed.
    """
    return _clean(error, seen={})


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Let no error leave the block, or the function that this decorates, with a secret in it."""
    try:
        yield
    except Exception as seen:
        told = clean(seen)
        if told is seen:
            raise
        raise told from told.__cause__


def _secrets(what: object) -> Iterator[str]:
    if hasattr(what, "get_secret_value"):
        held = what.get_secret_value()
        yield from [held] if isinstance(held, str) else _all_text(held)
    elif isinstance(what, BaseModel):
        for name in type(what).model_fields:
            yield from _secrets(getattr(what, name))
    elif isinstance(what, Mapping):
        yield from (found for value in what.values() for found in _secrets(value))
    elif isinstance(what, list | tuple | set | frozenset):
        yield from (found for value in what for found in _secrets(value))


def _all_text(held: object) -> Iterator[str]:
    """Go through the texts of a value that is secret as a whole."""
    if isinstance(held, str):
        yield held
    elif isinstance(held, Mapping):
        yield from (found for value in held.values() for found in _all_text(value))
    elif isinstance(held, list | tuple):
        yield from (found for value in held for found in _all_text(value))


def _forms(value: str) -> Iterator[str]:
    """A secret as it is, and as addresses, JSON, Python and base64 write it; what is too short has none."""
    for line in value.splitlines():
        if len(line) >= SHORTEST:
            yield from (line, quote(line, safe=""), quote(line), quote_plus(line))
            yield from (json.dumps(line)[1:-1], json.dumps(line, ensure_ascii=False)[1:-1], repr(line)[1:-1])
            raw = line.encode()
            yield from (base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("="))


def _clean(error: BaseException, *, seen: dict[int, BaseException]) -> BaseException:
    if id(error) in seen:
        return seen[id(error)]
    error.args = tuple(redact(one) if isinstance(one, str) else one for one in error.args)
    for name, held in list(vars(error).items()):
        if isinstance(held, str):
            setattr(error, name, redact(held))
    if hasattr(error, "__notes__"):
        error.__notes__ = [redact(note) for note in error.__notes__]
    told = seen[id(error)] = _with_plain_text(error, seen)
    cause, context, hides = error.__cause__, error.__context__, error.__suppress_context__
    told.__cause__ = _clean(cause, seen=seen) if cause else None
    told.__context__ = _clean(context, seen=seen) if context else None
    told.__suppress_context__ = hides
    return told


def _with_plain_text(error: BaseException, seen: dict[int, BaseException]) -> BaseException:
    """Return the error, or one in its place where its text, or a part of it, is not made of what can be changed."""
    if redact(str(error)) != str(error):
        return Hidden(f"{type(error).__name__}: {redact(str(error))}").with_traceback(error.__traceback__)
    if isinstance(error, BaseExceptionGroup):
        return error.derive([_clean(one, seen=seen) for one in error.exceptions]).with_traceback(error.__traceback__)
    return error


def _guard_logs() -> None:
    make = logging.getLogRecordFactory()
    if not isinstance(make, _Guarded):
        logging.setLogRecordFactory(_Guarded(make))


class _Guarded:
    """Makes log records without secrets."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **more: Any) -> logging.LogRecord:
        record = self._make(*args, **more)
        with contextlib.suppress(TypeError, ValueError):  # words that do not fit their values: logging says so itself
            said = record.getMessage()
            if redact(said) != said:
                record.msg, record.args = redact(said), ()
        if record.exc_info and record.exc_info[1]:
            told = clean(record.exc_info[1])
            record.exc_info = (type(told), told, record.exc_info[2])
        return record
