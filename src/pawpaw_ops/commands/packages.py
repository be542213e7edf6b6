"""How npm and pip-audit are asked what is known against packages, and npm is told to write another lock.

Nothing of a package is ever run: only lock files are read and written.

Source: `npm help audit`; `pip-audit --help`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pawpaw_ops.commands.command import Command, Query

LOCK_ONLY = ("--package-lock-only", "--ignore-scripts", "--no-fund")
MINUTES_5 = 300.0


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


def _json(out: str) -> dict[str, Any]:
    """Parse what a program printed; what is no JSON is an answer that says nothing."""
    try:
        found = json.loads(out)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
