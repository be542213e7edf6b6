"""What the numbers were made on."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.ground import Ground
from benchmarks.results import Record


def facts(ground: Ground) -> Record:
    """Return machine, versions and date, as text."""
    ((server,),) = ground.bare("SELECT current_setting('server_version')")
    return {
        "cpu": _after_colon("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(_after_colon('/proc/meminfo', 'MemTotal').split()[0]) / 1e6:.1f} GB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "PostgreSQL": str(server),
        "Python": platform.python_version(),
        **{name: version(name) for name in ("prefect", "zstandard", "pyrage", "psycopg")},
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "server settings": ", ".join(f"{name} {value}" for name, value in sorted(ground.server.settings.items())),
    }


def _after_colon(path: str, name: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"
