"""Nouns are frozen; what was not looked at is never green."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pawpaw_ops.models.base import Noun, Verdict, utc_now


class Thing(Noun):
    """A noun."""

    size: int = 1


def test_a_noun_cannot_be_changed_nor_misspelt() -> None:
    """Both are errors."""
    with pytest.raises(ValidationError):
        Thing().size = 2  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Thing.model_validate({"sise": 2})


@given(st.lists(st.sampled_from(Verdict)))
def test_the_worst_verdict_counts(verdicts: list[Verdict]) -> None:
    """Verified needs at least one look, and all of them verified."""
    worst = Verdict.worst(verdicts)
    assert (worst is Verdict.VERIFIED) == (set(verdicts) == {Verdict.VERIFIED})
    assert (worst is Verdict.FAILED) == (Verdict.FAILED in verdicts)


def test_now_is_aware() -> None:
    """In UTC."""
    assert utc_now().utcoffset() == timedelta(0)
