"""The project as the contract tests see it: its files, modules, functions and deployments."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pawpaw_ops.commands.command import Command
from pawpaw_ops.runner import LocalRunner

ROOT = Path(__file__).parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that git keeps, relative to the project's folder."""
    names = LocalRunner().run(Command(argv=("git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"), cwd=ROOT))
    return tuple(Path(name) for name in names.split("\0") if name and (ROOT / name).is_file())


def modules(*folders: str) -> list[Path]:
    """Return the Python files below *folders*, relative to the project's folder."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found)


def tree(path: Path) -> ast.Module:
    """Parse one of our modules."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[Function]:
    """Go through all functions of a module, methods too."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def decorators(function: Function) -> set[str]:
    """Return the names of a function's decorators."""
    found = (node.func if isinstance(node, ast.Call) else node for node in function.decorator_list)
    return {ast.unparse(node) for node in found}


@cache
def prefect_yaml() -> dict[str, Any]:
    """Return `prefect.yaml`, anchors resolved."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    return read


def deployments() -> list[dict[str, Any]]:
    """Return the deployments of `prefect.yaml`, none where there is no file yet."""
    return list(prefect_yaml()["deployments"]) if (ROOT / "prefect.yaml").exists() else []


def label(deployment: dict[str, Any]) -> str:
    """Return `entrypoint/name` of a deployment, for the names of tests."""
    return f"{deployment.get('entrypoint')}/{deployment.get('name')}"
