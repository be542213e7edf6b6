"""When images were first here."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pawpaw_ops.clients import sightings
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.inventory import Sighting


def test_prune_PRN_11_sightings_are_remembered(tmp_path: Path) -> None:
    assert sightings.read(tmp_path) == {}
    seen = {"sha256:a": Sighting(at=datetime(2026, 1, 1, tzinfo=UTC), names=("paw-api:1",))}
    sightings.write(tmp_path, seen)
    assert sightings.read(tmp_path) == seen


def test_prune_PRN_13_sightings_that_cannot_be_read_are_no_sightings(tmp_path: Path) -> None:
    (tmp_path / "images-seen.json").write_text('{"sha256:a": {"at": "yesterday"}}')
    with pytest.raises(ConfigError, match="every image counts as new"):
        sightings.read(tmp_path)
