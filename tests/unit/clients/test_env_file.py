"""Reading and changing the stack's .env."""

import stat
from pathlib import Path

import pytest

from pawpaw_ops.clients.env_file import change_env, read_env
from pawpaw_ops.errors import ConfigError

TEXT = "# images\nBACKEND_IMAGE=old\n\nSECRET='canary'\n# OPTIONAL=\n"


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.write_text(TEXT)
    path.chmod(0o600)
    return path


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\nB=2\nA=3\n")
    with pytest.raises(ConfigError, match="A twice"):
        read_env(path)


def test_a_missing_file_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make up"):
        read_env(tmp_path / ".env")


def test_quotes_are_not_part_of_a_value(env_file: Path) -> None:
    assert read_env(env_file) == {"BACKEND_IMAGE": "old", "SECRET": "canary"}


def test_a_change_leaves_everything_else_as_it_was(env_file: Path) -> None:
    change_env(env_file, {"BACKEND_IMAGE": "sha256:new", "FRONTEND_IMAGE": "f@sha256:1"})
    assert env_file.read_text() == TEXT.replace("old", "sha256:new") + "FRONTEND_IMAGE=f@sha256:1\n"
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_a_change_is_taken_back_by_the_values_from_before(env_file: Path) -> None:
    change_env(env_file, {"BACKEND_IMAGE": "new", "FRONTEND_IMAGE": "new"})
    change_env(env_file, {"BACKEND_IMAGE": "old", "FRONTEND_IMAGE": None})
    assert env_file.read_text() == TEXT


@pytest.mark.parametrize("value", ["a b", "a$b", "a#b", "a\nB=c"])
def test_a_value_that_somebody_would_read_otherwise_changes_nothing(env_file: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="BACKEND_IMAGE"):
        change_env(env_file, {"BACKEND_IMAGE": value})
    assert env_file.read_text() == TEXT
