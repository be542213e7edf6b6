"""Markers are told from every other comment; fingerprints add up."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from pawpaw_ops.models.database import Database, Fingerprint, Marker, ServerFacts, TablePrint

AT = datetime(2026, 8, 1, 9, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8"))
MARKERS = st.builds(
    Marker,
    role=st.sampled_from(["side", "old"]),
    of=TEXT,
    run_id=TEXT,
    backup_id=TEXT,
    state=st.sampled_from(["loading", "proven", "kept"]),
    at=st.datetimes(timezones=st.just(UTC)),
    keep_until=st.none() | st.datetimes(timezones=st.just(UTC)),
    comment=TEXT,
    connection_limit=st.integers(-1, 100),
)


@given(MARKERS)
def test_a_marker_comes_back_from_the_comment(marker: Marker) -> None:
    """With the database's own comment inside it, whatever that says."""
    assert Marker.from_comment(marker.to_comment()) == marker


@given(TEXT)
def test_another_comment_is_no_marker(comment: str) -> None:
    """People's comments are theirs."""
    assert Marker.from_comment(comment) is None


@pytest.mark.parametrize(
    "comment",
    ["", "7", "null", "[1]", '"pawpaw-ops"', "{}", '{"pawpaw-ops": {}}', '{"pawpaw-ops": null}', "[" * 100_000],
)
def test_json_alone_is_no_marker(comment: str) -> None:
    """Nor is one of another product or version."""
    assert Marker.from_comment(comment) is None


def test_a_marker_inside_a_marker_is_only_text() -> None:
    """A replaced database's comment may itself be a marker, kept for the way back."""
    inner = Marker(role="side", of="app", run_id="r1", at=AT)
    outer = Marker(role="old", of="app", run_id="r2", at=AT, comment=inner.to_comment())
    assert Marker.from_comment(outer.to_comment()) == outer


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "a", "port": 0}, {"name": "a", "port": 70000}, {"nmae": "a"}])
def test_a_wrong_database_is_refused(wrong: dict[str, Any]) -> None:
    """Bounds hold, and a misspelt field is an error."""
    with pytest.raises(ValidationError):
        Database(**wrong)


def test_a_database_hides_its_password() -> None:
    """In every text of it."""
    made = Database(name="app", password=SecretStr("canary"))
    assert "canary" not in f"{made} {made!r} {made.model_dump()} {made.model_dump_json()}"


def test_the_major_version_is_the_first_number() -> None:
    """As in `server_version_num`."""
    facts = ServerFacts(
        system_identifier="1", version_num=150018, in_recovery=False, is_superuser=True, timeline=1, lsn="0/1"
    )
    assert facts.major == 15


def test_rows_are_those_of_all_tables() -> None:
    """An empty database has none."""
    assert Fingerprint(tables={}).rows == 0
    tables = {"public.a": TablePrint(rows=2, digest="1"), "public.b": TablePrint(rows=3, digest="2")}
    assert Fingerprint(tables=tables).rows == 5
