"""What is known of the stack's secrets, on disk."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pawpaw_ops.clients import acquaintances
from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.secrets import Met

MET = {"A": Met(print="0" * 32, since=datetime(2026, 8, 1, tzinfo=UTC))}


def test_what_is_kept_comes_back_with_the_same_key_for_its_owner_alone(tmp_path: Path) -> None:
    fresh = acquaintances.read(tmp_path / "state")
    assert fresh.met == {}
    assert fresh.salt != acquaintances.read(tmp_path / "state").salt
    known = fresh.model_copy(update={"met": MET})
    acquaintances.write(tmp_path / "state", known)
    assert acquaintances.read(tmp_path / "state") == known
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()] == [0o600]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets-met.json").write_text("[]")
    with pytest.raises(ConfigError, match="cannot be read"):
        acquaintances.read(tmp_path)
