"""Every error has a code of its own, a heading in the docs, and survives a trip to another process."""

import ast
import copy
import pickle
import re

import pytest

from pawpaw_ops import errors
from pawpaw_ops.errors import OpsError
from tests.contract.support_project import ROOT, modules, tree


def family(kind: type[OpsError]) -> list[type[OpsError]]:
    """Return a class and everything below it."""
    return [kind, *(found for child in kind.__subclasses__() for found in family(child))]


KINDS = sorted(
    {kind for kind in family(OpsError) if kind.__module__.startswith("pawpaw_ops")}, key=lambda k: k.__name__
)
HEADINGS = re.findall(r"^### (\S+)$", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def test_codes_are_unique_and_all_have_a_heading() -> None:
    """One heading per code and no heading for a code that is gone."""
    assert sorted(kind.code for kind in KINDS) == sorted(HEADINGS)


def next_steps() -> dict[str, object]:
    """Return where a runbook's heading is named -> that heading."""
    found: dict[str, object] = {}
    for path in modules("src", "flows", "blocks", "deployments"):
        named = {
            target.id: node.value
            for node in tree(path).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith(".next_step"):
                value = named.get(ast.unparse(node.value), node.value)
                assert isinstance(value, ast.Constant), f"{path}:{node.lineno} names no heading"
                found[f"{path}:{node.lineno}"] = value.value
    return found


def test_every_next_step_is_a_heading_of_the_operators_manual() -> None:
    manual = (ROOT / "docs" / "manual-operaciones.md").read_text(encoding="utf-8")
    steps = next_steps()
    assert len(steps) >= 2
    assert {where: step for where, step in steps.items() if f"\n## {step}\n" not in manual} == {}


def test_all_errors_live_in_one_module_and_its_drawing() -> None:
    """The tree in the docstring names every class."""
    assert {kind.__module__ for kind in KINDS} == {"pawpaw_ops.errors"}
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or "")) | {"OpsError"}
    assert drawn == {kind.__name__ for kind in KINDS}


@each_kind
def test_a_class_declares_its_own_code(kind: type[OpsError]) -> None:
    """A code that is inherited would send the reader to the wrong heading."""
    assert "code" in vars(kind)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert (kind.__doc__ or "").strip().endswith(".")


@each_kind
def test_it_survives_pickling_and_copying(kind: type[OpsError]) -> None:
    """Message, hint and what a subclass adds arrive in the other process."""
    error = kind("seen 3 B", hint="Do this.")
    extra = {"next_step": "Heading: command", "cause_code": "config", "exit_code": 3, "stderr_tail": "end"}
    for name, value in extra.items():
        setattr(error, name, value)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - bytes of our own
        assert type(twin) is kind
        assert str(twin) == str(error) == f"seen 3 B Do this. [{kind.code}]"
        assert (twin.message, twin.hint, twin.args) == ("seen 3 B", "Do this.", ("seen 3 B",))
        assert {name: getattr(twin, name) for name in extra} == extra
