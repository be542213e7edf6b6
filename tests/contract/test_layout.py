"""The rules of the house that no linter knows."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.contract.support_project import ROOT, Function, decorators, functions, modules, tracked, tree

LONGEST_FUNCTION = 40
LONGEST_MODULE = 300
CODE = modules("src", "flows", "blocks", "deployments")
SOURCES = [path for path in modules("src/pawpaw_ops") if path.name != "__init__.py"]
TESTED_THROUGH = {
    "age.py": "sealing.py is the way in",
    "clients/s3_": "s3.py is the way in; these are its parts",
    "clients/postgres/structure.py": "a fingerprint has the structure in it",
    "clients/postgres/ownership.py": "roles.py is the way in",
    "clients/images.py": "deploys on the whole stack",
    "clients/postgres/room.py": "the same",
    "clients/services.py": "a restore that stops the backends, on the whole stack",
    "session/undo_services.py": "the same",
    "clients/redis/users.py": "rotations on the whole stack",
    "session/undo_secrets.py": "the same",
    "session/audit.py": "every test of a session reads the record that it wrote",
    "tasks/": "steps of the flows; what they do shows in a real database and store",
}
"""What needs no test that imports it -> why."""


def lines(node: ast.Module | Function, text: str) -> int:
    """Count the lines of a module or function without its docstring."""
    size = text.count("\n") if isinstance(node, ast.Module) else (node.end_lineno or 0) - node.lineno + 1
    return size - len((ast.get_docstring(node, clean=False) or "").splitlines())


def test_no_module_is_long() -> None:
    """A tripwire: beyond 300 lines a module most likely has two purposes."""
    sizes = {str(path): lines(tree(path), (ROOT / path).read_text()) for path in CODE}
    assert {name: size for name, size in sizes.items() if size > LONGEST_MODULE} == {}


def test_no_function_is_long() -> None:
    """A tripwire: beyond 40 lines a function most likely does two things."""
    sizes = {f"{path}:{found.name}": lines(found, "") for path in CODE for found in functions(path)}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}


def imported(path: Path) -> set[str]:
    """Return the dotted names that a module imports, `from a import b` as `a` and `a.b`."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


TESTS = [path for path in modules("tests") if path.parts[1] != "contract"]


def test_every_module_is_tested() -> None:
    """A test of its name stands in the mirrored folder, or a test imports it, or the table above says why not."""
    used = set().union(*map(imported, TESTS))
    untested = []
    for path in SOURCES:
        inside = path.relative_to("src/pawpaw_ops")
        mirror = ROOT / "tests" / "unit" / inside.parent / f"test_{inside.name}"
        dotted = ".".join(path.relative_to("src").with_suffix("").parts)
        if not mirror.exists() and dotted not in used and not str(inside).startswith(tuple(TESTED_THROUGH)):
            untested.append(str(path))
    assert untested == []


def test_the_import_contract_knows_every_module() -> None:
    """A new module without a layer would be free to import anything."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = " ".join(next(contract["layers"] for contract in contracts if contract["type"] == "layers"))
    inside = {path.relative_to("src/pawpaw_ops").parts[0].removesuffix(".py") for path in SOURCES}
    assert inside <= set(re.findall(r"pawpaw_ops\.(\w+)", layers))


@pytest.mark.parametrize("path", modules("src/pawpaw_ops/tasks"), ids=str)
def test_tasks_say_what_they_touch(path: Path) -> None:
    """A task is one step that an operator recognises; its docstring says what in the world changes."""
    made = [found for found in functions(path) if decorators(found) & {"operation", "task"}]
    assert [found.name for found in made if "Touches:" not in (ast.get_docstring(found) or "")] == []


@pytest.mark.parametrize("path", modules("src/pawpaw_ops/commands"), ids=str)
def test_commands_say_what_they_touch(path: Path) -> None:
    """So does every builder of a command."""
    made = [found for found in functions(path) if found.returns and ast.unparse(found.returns) == "Command"]
    assert [found.name for found in made if "Touches:" not in (ast.get_docstring(found) or "")] == []


def test_retries_are_never_around_a_change() -> None:
    """`@task(retries=…)` would do a change twice; `operation` is the one way to make a task."""
    raw = [f"{path}:{found.name}" for path in CODE for found in functions(path) if "task" in decorators(found)]
    assert raw == []


LEAKS = {
    "a registry's address": r"(?:pypi|pythonhosted|npmjs|registry\.(?:npm|yarn))\.(?:org|com|io)|--(extra-)?index-url",
    "a path of one machine": r"(?<![\w.~])/(?:work|root|farm|home/\w+|Users/\w+)/",
    "a shell line": r"shell\s*=\s*True",
}
THIS_FILE = Path("tests/contract/test_layout.py")


@pytest.mark.parametrize("what", LEAKS)
def test_no_file_leaks(what: str) -> None:
    """Nothing that is committed ties the project to one machine or registry, or starts a shell."""
    found = []
    for path in tracked():
        if path == THIS_FILE:
            continue
        text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
        found += [f"{path}: {match[0]}" for match in re.finditer(LEAKS[what], text)]
    assert found == []


def test_only_declared_ways_skip_a_test() -> None:
    """A test that is expected to fail is no test; one that is skipped says what this machine lacks."""
    marks = re.compile(r"\b(?:xfail|importorskip)\b")
    own = {THIS_FILE, Path("tests/nothing_skips.py")}
    assert [str(path) for path in modules("tests") if path not in own and marks.search((ROOT / path).read_text())] == []
