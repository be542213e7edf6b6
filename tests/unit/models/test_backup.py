"""Manifests survive the trip to the store and back, and no flipped bit does."""

import json
import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawpaw_ops.errors import BackupCorrupt, ConfigError
from pawpaw_ops.models import backup
from pawpaw_ops.models.backup import CatalogEntry, Manifest, id_time, new_backup_id
from pawpaw_ops.models.base import Verdict
from tests.unit.support_backups import manifest

AT = datetime(2026, 8, 1, 9, tzinfo=UTC)
MADE = manifest(AT, alarms=("«ñandú» shrank\n",)).model_copy(update={"durations_s": {"dump": 1e-05, "seal": 2.5}})
WHERE = "m.json"


def test_a_manifest_comes_back_equal() -> None:
    """With non-ASCII text, times and numbers."""
    assert Manifest.from_json(MADE.to_json(), where=WHERE) == MADE


def test_a_manifest_can_be_read_by_a_person() -> None:
    """It is indented, and non-ASCII text stands as it is."""
    text = MADE.to_json().decode()
    assert "«ñandú» shrank" in text
    assert text.count("\n") > 20


def test_A9_any_flipped_bit_of_a_manifest_is_found() -> None:
    """Every byte, one random bit of it; and all eight bits where JSON has two spellings of one value."""
    raw = MADE.to_json()
    rng = random.Random(9)
    exponent = raw.index(b"1e-05")
    flips = [(place, rng.randrange(8)) for place in range(len(raw))]
    flips += [(place, bit) for place in range(exponent, exponent + 5) for bit in range(8)]
    for place, bit in flips:
        changed = bytearray(raw)
        changed[place] ^= 1 << bit
        with pytest.raises(BackupCorrupt, match=WHERE):
            Manifest.from_json(bytes(changed), where=WHERE)


def test_A10_no_part_of_a_manifest_is_one() -> None:
    """Cut anywhere, or with something after it."""
    raw = MADE.to_json()
    for cut in range(0, len(raw), 7):
        with pytest.raises(BackupCorrupt):
            Manifest.from_json(raw[:cut], where=WHERE)
    with pytest.raises(BackupCorrupt):
        Manifest.from_json(raw + b"\n", where=WHERE)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b"null", b"7", b'"x"', b'{"manifest": 1, "sha256": 2}', b"\xff\xfe", b"[" * 100_000],
    ids=["empty", "object", "list", "null", "number", "text", "wrong types", "no text", "deep"],
)
def test_what_is_no_manifest_says_so(raw: bytes) -> None:
    """Whatever a stranger puts there, it is one error."""
    with pytest.raises(BackupCorrupt, match=WHERE):
        Manifest.from_json(raw, where=WHERE)


def signed(body: object) -> bytes:
    """Return a manifest with a right digest around any body."""
    return backup._text({"manifest": body, "sha256": backup._digest(body)})


@pytest.mark.parametrize("change", [{"format": 2}, {"unknown": 1}, {"taken_at": "yesterday"}])
def test_another_format_is_refused(change: dict[str, object]) -> None:
    """A newer product's manifest is not half understood."""
    body = json.loads(MADE.to_json())["manifest"]
    body["contents"] |= change
    with pytest.raises(BackupCorrupt, match=next(iter(change))):
        Manifest.from_json(signed(body), where=WHERE)


def test_an_unchanged_body_passes_that_helper() -> None:
    """The refusals above are not the helper's doing."""
    assert Manifest.from_json(signed(json.loads(MADE.to_json())["manifest"]), where=WHERE) == MADE


TIMES = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2900, 1, 1)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=UTC, microsecond=0)
)


@given(TIMES, TIMES)
def test_ids_sort_by_time(one: datetime, other: datetime) -> None:
    """Text order is time order, and the time can be read back."""
    first, second = new_backup_id(one), new_backup_id(other)
    assert (id_time(first), id_time(second)) == (one, other)
    if one != other:
        assert (first < second) == (one < other)


def test_A18_ids_of_one_second_differ() -> None:
    """And the zone of the clock does not matter."""
    assert len({new_backup_id(AT) for _ in range(1000)}) == 1000
    west = AT.astimezone(timezone(timedelta(hours=-6)))
    assert id_time(new_backup_id(west)) == AT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "newest",
        "2026-08-01",
        "20260801T090000Z",
        "20261301T090000Z-00000000",
        "20260801T090000Z-0000000",
        "20260801T090000Z-../../..",
        "20260801T090000Z-00000000/x",
        "20260801T090000Z-00000000\n",
        "\u0662\u0660\u0662\u06660801T090000Z-00000000",
    ],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    """An id becomes part of keys and folders, so that nothing else passes for one."""
    with pytest.raises(ConfigError):
        id_time(text)


def test_an_entry_knows_its_time_without_a_manifest() -> None:
    """The id has it."""
    made = new_backup_id(AT)
    entry = CatalogEntry(backup_id=made, location="folder", manifest=None, verdict=Verdict.FAILED)
    assert entry.taken_at == AT
