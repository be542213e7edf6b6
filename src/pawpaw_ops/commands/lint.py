"""How compose-lint is asked about a Compose file. It is the one that is installed beside us.

Source: the program's own `check --help`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pawpaw_ops.commands.command import Command, Query

EXCEPTIONS = "production.compose-lint.yml"
"""Beside the Compose file: the rules that do not hold for it, each with a reason."""


def compose_lint(file: Path) -> Query[dict[str, Any]]:
    """Ask what is weak in a Compose file; the `.env` is not read, so that no value of it can be told.

    Errors: exit code 2 where the file cannot be read.
    """
    exceptions = file.parent / EXCEPTIONS
    words = ("--config", str(exceptions)) if exceptions.exists() else ()
    program = str(Path(sys.executable).parent / "compose-lint")
    argv = (program, "check", "--no-env", "--allow-partial-coverage", "--format", "json", *words, str(file))
    return Query(command=Command(argv=argv, ok_codes=(0, 1)), parse=json.loads)
