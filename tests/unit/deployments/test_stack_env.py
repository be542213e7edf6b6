"""The stack's .env."""

import re
import stat
from pathlib import Path

import pytest

from deployments.stack.env import fill, make_env
from pawpaw_ops.errors import ConfigError

EXAMPLE = "# about\nPORT=80\nSECRET=\n# OPTIONAL=\n"
STACK = Path(__file__).parents[3] / "stack"


def test_empty_values_are_made_and_the_rest_is_kept_in_order() -> None:
    assert fill(EXAMPLE, {}, make=lambda: "made") == "# about\nPORT=80\nSECRET=made\n# OPTIONAL=\n"


def test_given_values_win_and_new_ones_are_added() -> None:
    assert fill(EXAMPLE, {"PORT": "81", "NEW": "x"}, make=lambda: "m").splitlines()[1:] == [
        "PORT=81",
        "SECRET=m",
        "# OPTIONAL=",
        "NEW=x",
    ]


@pytest.mark.parametrize("value", ["a b", "pa$word", 'a"b', "a#b", "a\nb", "a'b"])
def test_a_value_that_would_be_read_otherwise_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="SECRET"):
        fill(EXAMPLE, {"SECRET": value})


def test_a_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "example").write_text(EXAMPLE)
    target = tmp_path / ".env"
    assert make_env(tmp_path / "example", target, {})
    first = target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert not make_env(tmp_path / "example", target, {"PORT": "1"})
    assert target.read_text() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "example"]


def test_every_required_variable_of_the_stack_is_in_the_example() -> None:
    text = "".join(path.read_text() for path in STACK.glob("docker-compose*.yml"))
    required = set(re.findall(r"\$\{([A-Z0-9_]+):\?", text))
    assert required
    assert required <= {line.split("=")[0] for line in (STACK / ".env.example").read_text().splitlines()}
