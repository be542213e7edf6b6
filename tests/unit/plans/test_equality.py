"""Two databases are equal, or every difference is named."""

from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.database import Fingerprint, SequencePrint, TablePrint
from pawpaw_ops.plans.equality import compare, losses, verdict

RECORDED = Fingerprint(
    tables={"public.a": TablePrint(rows=3, digest="1"), "public.b": TablePrint(rows=0, digest="0")},
    sequences={"public.s": SequencePrint(last_value=5, is_called=True)},
    structure={"index public.i": "x"},
    extensions={"plpgsql": "1.0"},
)


def changed(**fields: object) -> Fingerprint:
    return RECORDED.model_copy(update=fields)


def kinds(found: Fingerprint) -> list[str]:
    return [difference.kind for difference in compare(RECORDED, found)]


def test_equal_is_nothing_and_verified() -> None:
    assert compare(RECORDED, RECORDED) == ()
    assert verdict(()) is Verdict.VERIFIED


def test_every_kind_of_difference_fails() -> None:
    a, b = RECORDED.tables["public.a"], RECORDED.tables["public.b"]
    for found, kind in (
        (changed(tables={"public.a": TablePrint(rows=2, digest="1"), "public.b": b}), "rows"),
        (changed(tables={"public.a": TablePrint(rows=3, digest="2"), "public.b": b}), "content"),
        (changed(tables={"public.a": a}), "table"),
        (changed(tables={**RECORDED.tables, "public.c": a}), "table"),
        (changed(large_objects=TablePrint(rows=1, digest="9")), "large objects"),
        (changed(structure={}), "structure"),
        (changed(sequences={"public.s": SequencePrint(last_value=4, is_called=True)}), "sequence"),
        (changed(extensions={}), "extension"),
    ):
        assert kinds(found) == [kind]
        assert verdict(compare(RECORDED, found)) is Verdict.FAILED


def test_notes_and_sequences_ahead_do_not_fail() -> None:
    ahead = changed(
        structure={"index public.i": "y"}, sequences={"public.s": SequencePrint(last_value=9, is_called=True)}
    )
    assert kinds(ahead) == ["definition"]
    assert verdict(compare(RECORDED, ahead)) is Verdict.VERIFIED


def test_another_recipe_is_not_verified() -> None:
    """What cannot be compared is neither equal nor different."""
    other = changed(algorithm="rowhash-0")
    assert kinds(other) == ["recipe"]
    assert verdict(compare(RECORDED, other)) is Verdict.NOT_VERIFIED


def test_losses_of_what_cannot_be_read_are_unknown() -> None:
    live = changed(tables={"public.a": TablePrint(rows=10, digest="7"), "public.n": TablePrint(rows=1, digest="1")})
    seen = {loss.table: (loss.net_lost, loss.same) for loss in losses(RECORDED, live)}
    assert seen == {"public.a": (7, False), "public.b": (0, False), "public.n": (1, False)}
    assert {loss.same for loss in losses(RECORDED, None)} == {None}
