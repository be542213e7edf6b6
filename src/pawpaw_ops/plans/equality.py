"""Is one database equal to what was recorded of another?"""

from collections.abc import Mapping

from pawpaw_ops.models.base import Noun, Verdict
from pawpaw_ops.models.database import Fingerprint, SequencePrint, TablePrint


class Difference(Noun):
    """One way in which two databases differ.

    Attributes:
        kind: `rows`, `content`, `table`, `structure`, `sequence`, `extension`, `large objects`, `recipe`; a
            `definition` is only a note: the server may word one thing in two ways.
    """

    kind: str
    name: str
    text: str

    @property
    def note(self) -> bool:
        """Whether it is worth telling and no more."""
        return self.kind == "definition"


class TableLoss(Noun):
    """One table: what the backup holds, what lives now.

    Attributes:
        live_rows: None where the live table cannot be read or is gone.
        backup_rows: None where the backup has no such table.
        same: Whether the contents are equal; None is unknown.
    """

    table: str
    live_rows: int | None
    backup_rows: int | None
    same: bool | None

    @property
    def net_lost(self) -> int:
        """Rows fewer after the restore than live now, at least."""
        return max(0, (self.live_rows or 0) - (self.backup_rows or 0))


def compare(recorded: Fingerprint, found: Fingerprint) -> tuple[Difference, ...]:
    """Return every way in which *found* is not what was *recorded*; equal makes ()."""
    if recorded.algorithm != found.algorithm:
        text = f"recorded with {recorded.algorithm}, looked at with {found.algorithm}: not comparable"
        return (Difference(kind="recipe", name=recorded.algorithm, text=text),)
    parts = (
        _tables(recorded.tables, found.tables),
        _large_objects(recorded.large_objects, found.large_objects),
        _structure(recorded.structure, found.structure),
        _sequences(recorded.sequences, found.sequences),
        _extensions(recorded.extensions, found.extensions),
    )
    return tuple(difference for part in parts for difference in part)


def verdict(differences: tuple[Difference, ...]) -> Verdict:
    """Judge: a recipe that does not compare is *not verified*, notes do not count, all else failed."""
    kinds = {difference.kind for difference in differences if not difference.note}
    if kinds == {"recipe"}:
        return Verdict.NOT_VERIFIED
    return Verdict.FAILED if kinds else Verdict.VERIFIED


def losses(backup: Fingerprint, live: Fingerprint | None) -> tuple[TableLoss, ...]:
    """Return per table what a restore would change; without a live fingerprint, everything is unknown."""
    now: Mapping[str, TablePrint] = live.tables if live else {}
    return tuple(
        TableLoss(
            table=name,
            live_rows=now[name].rows if name in now else None,
            backup_rows=backup.tables[name].rows if name in backup.tables else None,
            same=None if live is None else now.get(name) == backup.tables.get(name),
        )
        for name in sorted(backup.tables.keys() | now.keys())
    )


def _tables(recorded: Mapping[str, TablePrint], found: Mapping[str, TablePrint]) -> list[Difference]:
    differences = []
    for name in sorted(recorded.keys() | found.keys()):
        then, now = recorded.get(name), found.get(name)
        if then is None or now is None:
            text = "is not in the record" if then is None else "is missing"
            differences.append(Difference(kind="table", name=name, text=f"{name} {text}"))
        elif then.rows != now.rows:
            text = f"{name} has {now.rows} rows, recorded were {then.rows}"
            differences.append(Difference(kind="rows", name=name, text=text))
        elif then.digest != now.digest:
            text = f"{name} has as many rows as recorded ({now.rows}) and other contents"
            differences.append(Difference(kind="content", name=name, text=text))
    return differences


def _large_objects(recorded: TablePrint, found: TablePrint) -> list[Difference]:
    if recorded == found:
        return []
    text = f"{found.rows} large objects, recorded were {recorded.rows}; contents differ"
    return [Difference(kind="large objects", name="large objects", text=text)]


def _structure(recorded: Mapping[str, str], found: Mapping[str, str]) -> list[Difference]:
    missing = [
        Difference(kind="structure", name=name, text=f"{name} is missing")
        for name in sorted(recorded.keys() - found.keys())
    ]
    more = [
        Difference(kind="structure", name=name, text=f"{name} is not in the record")
        for name in sorted(found.keys() - recorded.keys())
    ]
    reworded = [
        Difference(kind="definition", name=name, text=f"{name} is defined in other words")
        for name in sorted(recorded.keys() & found.keys())
        if recorded[name] != found[name]
    ]
    return missing + more + reworded


def _sequences(recorded: Mapping[str, SequencePrint], found: Mapping[str, SequencePrint]) -> list[Difference]:
    """A sequence is read a moment before it is dumped, so the restored one may be ahead of the record, never behind."""
    differences = []
    for name, then in recorded.items():
        now = found.get(name)
        if now is not None and (now.last_value, now.is_called) < (then.last_value, then.is_called):
            text = f"{name} stands at {now.last_value}, recorded was {then.last_value}"
            differences.append(Difference(kind="sequence", name=name, text=text))
    return differences


def _extensions(recorded: Mapping[str, str], found: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(kind="extension", name=name, text=f"the extension {name} is missing")
        for name in recorded
        if name not in found
    ]
