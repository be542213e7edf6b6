"""Reading the end of a log: the same lines as by reading all of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.clients import container_log
from pawpaw_ops.clients.container_log import Line, Reader, parse, stamp_of

AT = datetime(2026, 8, 1, 12, tzinfo=UTC)


class Container:
    """A log of both streams, as the engine hands it out; a line is its second, its text, and whether it is an error."""

    def __init__(self, lines: list[tuple[int, str, bool]]) -> None:
        self.lines = lines
        self.asked: list[int | str] = []

    def logs(self, *, stderr: bool, timestamps: bool, tail: int | str) -> bytes:
        assert (stderr, timestamps) == (False, True)
        self.asked.append(tail)
        last = self.lines if tail == "all" else self.lines[-int(tail) :]
        return "".join(f"{self.stamp(at)} {text}\n" for at, text, error in last if not error).encode()

    @staticmethod
    def stamp(at: int) -> str:
        return stamp_of(AT + timedelta(seconds=at))

    def out(self, since: int) -> list[str]:
        return [text for at, text, error in self.lines if at >= since and not error]


def reader(container: Container, since: int) -> Reader:
    return Reader("", container, AT + timedelta(seconds=since))  # type: ignore[arg-type]


@pytest.fixture(autouse=True, scope="module")
def no_engine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(container_log, "speak", lambda _address, container, ask: ask(container))
        yield


@given(
    lines=st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60),
    since=st.integers(0, 10),
    parts=st.lists(st.integers(0, 60), max_size=4),
)
def test_however_often_it_is_read_each_line_comes_once_and_none_is_missing(
    lines: list[tuple[int, bool]], since: int, parts: list[int]
) -> None:
    """Also where several lines have one stamp, and where errors stand between them."""
    written = [(at, f"{number}", error) for number, (at, error) in enumerate(sorted(lines))]
    container = Container([])
    log = reader(container, since)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(container_log, "FIRST", 1)
        patch.setattr(container_log, "MORE", 2)
        patch.setattr(container_log, "MOST", 32)
        read: list[str] = []
        for end in [*sorted(parts), len(written)]:
            container.lines = written[:end]
            read += log.read()
    assert read == container.out(since)


def test_what_is_older_is_hardly_read() -> None:
    container = Container([(number, f"{number}", False) for number in range(100_000)])
    log = reader(container, 99_990)
    assert len(log.read()) == 10
    assert container.asked == [container_log.FIRST]


def test_of_very_many_the_newest_are_enough() -> None:
    container = Container([(number, f"{number}", False) for number in range(100_000)])
    log = Reader("", container, AT, enough=3000)  # type: ignore[arg-type]
    assert log.read() == tuple(map(str, range(100_000 - container_log.FIRST * container_log.MORE, 100_000)))
    container.lines.append((100_000, "new", False))
    assert log.read() == ("new",)


def test_a_log_of_errors_alone_is_read_to_its_beginning() -> None:
    container = Container([(0, "the only one", False), *((1, "error", True) for _ in range(5000))])
    assert reader(container, 0).read() == ("the only one",)
    assert container.asked[-1] == "all"


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"", ()),
        (b"2026-08-01T12:00:00.000000000Z a b\n", (Line("2026-08-01T12:00:00.000000000Z", "a b"),)),
        (b"2026-08-01T12:00:00.000000000Z \n", (Line("2026-08-01T12:00:00.000000000Z", ""),)),
    ],
)
def test_a_line_has_its_stamp_before_it(raw: bytes, lines: tuple[Line, ...]) -> None:
    assert parse(raw) == lines


def test_a_line_that_the_engine_cut_is_whole_again() -> None:
    stamp, part = "2026-08-01T12:00:00.000000001Z", "x" * 16_384
    assert parse(f"{stamp} {part}{stamp} y\n".encode()) == (Line(stamp, f"{part}y"),)


def test_stamps_compare_as_texts() -> None:
    moments = [AT, AT + timedelta(microseconds=1), AT + timedelta(seconds=1), AT + timedelta(days=400)]
    stamps = [stamp_of(one) for one in moments]
    assert stamps == sorted(stamps)
    assert stamps[1] == "2026-08-01T12:00:00.000001000Z"
