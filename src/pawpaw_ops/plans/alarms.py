"""What is odd about a backup although its proof held: it shrank, rows are gone, its newest row is old."""

from datetime import UTC, timedelta

from pawpaw_ops.models.backup import Contents
from pawpaw_ops.models.database import TablePrint

LEAST_SIZE = 0.5
"""A dump smaller than this share of the previous one is odd."""
MOST_LOST = 0.2
"""A table that lost more than this share of its rows is odd."""
LEAST_ROWS = 100
"""Tables that had no more rows than this come and go."""


def alarms(new: Contents, *, previous: Contents | None, freshness_h: float | None) -> tuple[str, ...]:
    """Return one sentence for each oddity.

    Args:
        new: What was just backed up.
        previous: The newest verified backup before it, if there is one.
        freshness_h: How old the newest row may be when the snapshot is taken, in hours; None where nobody asks.
    """
    lost = _lost(new, previous) if previous is not None else []
    return (*(_shrank(new, previous) if previous is not None else ()), *lost, *_stale(new, freshness_h))


def _shrank(new: Contents, previous: Contents) -> tuple[str, ...]:
    was, now = _size(previous), _size(new)
    if now >= was * LEAST_SIZE:
        return ()
    return (f"the dump has {now} bytes; {previous.backup_id} had {was}.",)


def _lost(new: Contents, previous: Contents) -> list[str]:
    made = []
    for name, was in previous.fingerprint.tables.items():
        now = new.fingerprint.tables.get(name)
        if now is None:
            made.append(f"table {name} is gone; {previous.backup_id} had it with {was.rows} rows.")
        elif _much(was, now):
            made.append(f"table {name} has {now.rows} rows; {previous.backup_id} had {was.rows}.")
    return made


def _much(was: TablePrint, now: TablePrint) -> bool:
    return was.rows > LEAST_ROWS and was.rows - now.rows > was.rows * MOST_LOST


def _stale(new: Contents, freshness_h: float | None) -> tuple[str, ...]:
    if freshness_h is None:
        return ()
    if new.newest_at is None:
        return ("the freshness query found no row.",)
    newest_at = new.newest_at if new.newest_at.tzinfo else new.newest_at.replace(tzinfo=UTC)
    age = new.taken_at - newest_at
    if age <= timedelta(hours=freshness_h):
        return ()
    return (f"the newest row is {age.total_seconds() / 3600:.1f} h old, the limit is {freshness_h:g} h.",)


def _size(contents: Contents) -> int:
    return sum(file.size_bytes for file in contents.files.values())
