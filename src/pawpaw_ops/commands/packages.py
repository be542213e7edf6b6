"""How npm, pip-audit and a scanner are asked what is known against packages, and npm is told to write another lock.

Nothing of a package is ever run: only lock files are read and written.

Source: `npm help audit`; `pip-audit --help`.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pawpaw_ops.commands.command import Command, Query
from pawpaw_ops.commands.contained import at_engine

LOCK_ONLY = ("--package-lock-only", "--ignore-scripts", "--no-fund")
MINUTES_5, MINUTES_15 = 300.0, 900.0
IMAGE = "{image}"


def npm_audit(folder: Path) -> Query[dict[str, Any]]:
    """Ask the registry what is known against the packages of a lock.

    Exit code 1 means findings and a registry that is away alike; the answer tells which.
    """
    command = Command(argv=("npm", "audit", "--json", *LOCK_ONLY), cwd=folder, ok_codes=(0, 1), timeout_s=MINUTES_5)
    return Query(command=command, parse=_json)


def npm_fix(folder: Path, *, before: str = "") -> Command:
    """Take newer versions into the lock where that mends something, within what package.json allows. Never by force.

    Args:
        folder: Where the lock is.
        before: Take no version that is newer than this date; empty takes any.

    Touches:
        `package-lock.json` alone.
    """
    cool = ("--before", before) if before else ()
    argv = ("npm", "audit", "fix", "--json", *LOCK_ONLY, *cool)
    return Command(argv=argv, cwd=folder, ok_codes=(0, 1), timeout_s=MINUTES_5)


def npm_published(folder: Path, package: str) -> Query[dict[str, Any]]:
    """Ask when each version of a package was published, of the registry that the folder names.

    Source: `npm help view`.
    """
    argv = ("npm", "view", "--json", "--", package, "time")
    return Query(command=Command(argv=argv, cwd=folder, timeout_s=MINUTES_5), parse=_json)


def pip_audit() -> Query[dict[str, Any]]:
    """Ask what is known against the Python packages that are installed beside us; exit code 1 as in `npm_audit`."""
    program = str(Path(sys.executable).parent / "pip-audit")
    argv = (program, "--format", "json", "--progress-spinner", "off", "--local", "--skip-editable")
    return Query(command=Command(argv=argv, ok_codes=(0, 1), timeout_s=MINUTES_5), parse=_json)


def scan(words: Sequence[str], *, image: str, engine: str) -> Query[dict[str, Any]]:
    """Let a scanner look into an image.

    Args:
        words: Its command line, as the Compose Project block has it; `{image}` stands for the image.
        image: Name or id.
        engine: Address of the Docker engine that has it.
    """
    argv = tuple(word.replace(IMAGE, image) for word in words)
    return Query(command=Command(argv=argv, env=at_engine(engine), timeout_s=MINUTES_15), parse=_json)


def _json(out: str) -> dict[str, Any]:
    """Parse what a program printed; what is no JSON is an answer that says nothing."""
    try:
        found = json.loads(out)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
