"""What a container wrote lately, without reading all that it ever wrote.

Asked for the lines since a moment, the engine decodes its files from their beginning, which may be 50 MB, each time.
From the end it reads only what is asked for.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pawpaw_ops.clients.docker import speak

FIRST, MORE, MOST = 512, 8, 1 << 18
"""Lines asked for at first, how many times more the next time, and from where on all of them are."""
PARTIAL = 16_384 // 4
"""Characters that are 16 KiB at most: after so many the engine cuts a line, and each part has a stamp of its own."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")


class Line(NamedTuple):
    """One line, and when the engine took it: always as long, so that stamps compare as texts."""

    stamp: str
    text: str


class Reader:
    """Reads what a container writes on its standard output; each time only what it has not read yet.

    Args:
        address: The engine's.
        container: Its name or id.
        since: Aware; what the engine took before is left out.
        enough: Of more lines than so many, older ones may be left out, too.
    """

    def __init__(self, address: str, container: str, since: datetime, *, enough: int = MOST) -> None:
        self.address, self.container, self._enough = address, container, enough
        self._from = stamp_of(since)
        self._seen = 0

    def read(self) -> tuple[str, ...]:
        """Return the lines that are new, after an error those since the last ones; errors as in `speak`."""
        found: tuple[Line, ...] = speak(self.address, self.container, lambda one: _since(one, self._from, self._enough))
        new = found[self._seen :]
        if new:
            # Several lines may have the same stamp: how many of the last one's are known is remembered.
            self._from = new[-1].stamp
            self._seen = sum(line.stamp == self._from for line in found)
        return tuple(line.text for line in new)


def stamp_of(at: datetime) -> str:
    """Return a moment as the engine stamps lines.

    Source: github.com/moby/moby, pkg/jsonmessage: RFC3339NanoFixed, in UTC.
    """
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def _since(container: Any, stamp: str, enough: int) -> tuple[Line, ...]:
    """Ask for more and more lines until one is older, or they are enough.

    A line of standard error counts among those that are asked for and is not among those that come, so that few lines
    are no proof that there are no more.
    """
    count = FIRST
    while True:
        tail: int | str = count if count < MOST else "all"
        found = parse(container.logs(stderr=False, timestamps=True, tail=tail))
        if tail == "all" or enough <= count < MOST or (found and found[0].stamp < stamp):
            return tuple(line for line in found if line.stamp >= stamp)
        count *= MORE


def parse(raw: bytes) -> tuple[Line, ...]:
    """Parse lines with their stamps."""
    return tuple(_lines(raw.decode(errors="replace").split("\n")))


def _lines(lines: Iterable[str]) -> Iterable[Line]:
    for line in lines:
        stamp, _, text = line.partition(" ")
        if stamp:
            yield Line(stamp, _STAMP.sub("", text) if len(text) > PARTIAL else text)
