"""What the numbers were made on."""

import os
import platform
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.ground import Ground
from benchmarks.results import Record
from tests.integration.stack.support_docker import attempt


def facts(ground: Ground) -> Record:
    """Return machine, versions and date, and the server's version and settings, as text."""
    ((server,),) = ground.bare("SELECT current_setting('server_version')")
    settings = ", ".join(f"{name} {value}" for name, value in sorted(ground.server.settings.items()))
    return host("zstandard", "pyrage", "psycopg") | {"PostgreSQL": str(server), "server settings": settings}


def host(*packages: str) -> Record:
    """Return machine, versions and date, as text; of Docker too where it is there."""
    docker = attempt("version", "--format", "{{.Server.Version}}").stdout.strip() if shutil.which("docker") else ""
    return {
        "cpu": _after_colon("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(_after_colon('/proc/meminfo', 'MemTotal').split()[0]) / 1e6:.1f} GB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        **({"Docker Engine": docker} if docker else {}),
        "Python": platform.python_version(),
        **{name: version(name) for name in ("prefect", *packages)},
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def _after_colon(path: str, name: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"
