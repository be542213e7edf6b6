"""Which test holds which acceptance scenario: reads the names of the tests, writes docs/scenarios.md.

`python -m tests.scenarios` writes the page; a contract test fails when it is stale or a scenario has no test.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "scenarios.md"
TITLES = {
    "A": "Backup integrity",
    "B": "Object storage",
    "C": "Restore",
    "D": "Retention",
    "E": "Verification drills",
    "F": "Point-in-time recovery and standby",
    "G": "Redis",
    "deploy A": "Boot and health",
    "deploy B": "Traffic",
    "deploy C": "Gateway",
    "deploy D": "Locking and concurrency",
    "deploy E": "Interruption",
    "deploy F": "Database and migrations",
    "deploy G": "Rollback",
    "deploy H": "Build, images, disk",
    "deploy I": "Config and secrets",
    "deploy L": "CI and GitHub",
    "deploy M": "Audit and observability",
    "ROT-": "Rotation of secrets",
    "JWT-": "Keys of session tokens",
    "GH-": "Secrets on GitHub",
    "SEC-": "Leaks",
    "PRN-": "Prune",
    "TLS-": "Certificates",
    "DEP-": "Dependencies",
    "HRD-": "Hardening",
}
RANGES = {
    "A": range(1, 22),
    "B": range(1, 11),
    "C": range(1, 19),
    "D": range(1, 10),
    "E": range(1, 7),
    "F": range(1, 8),
    "G": range(1, 8),
    "deploy A": range(1, 11),
    "deploy B": range(1, 10),
    "deploy C": range(1, 10),
    "deploy D": range(1, 9),
    "deploy E": range(1, 7),
    "deploy F": range(1, 8),
    "deploy G": range(1, 8),
    "deploy H": range(1, 9),
    "deploy I": range(1, 7),
    "deploy L": range(1, 7),
    "deploy M": range(1, 4),
    "ROT-": range(1, 27),
    "JWT-": range(1, 7),
    "GH-": range(1, 11),
    "SEC-": range(1, 5),
    "PRN-": range(1, 14),
    "TLS-": range(1, 12),
    "DEP-": range(1, 8),
    "HRD-": range(1, 6),
}
TWO_DIGITS = "-"
"""What the titles end with whose scenarios are numbered so: PRN-01."""
NO_PITR = "no verb recovers to a point in time, and no issue asks for one: not claimed"
LEFT_OUT = {
    "A14": "backups are taken from the primary; nothing here ever pauses a standby's replay, so none stays paused",
    "B7": "manifests are not signed yet: not claimed",
    "B6": "needs object lock and versions, which no S3 server at hand offers; not claimed",
    "ROT-08": "changing the password of a single login is not offered: adopt-roles makes two that take turns",
    "F2": NO_PITR,
    "F5": NO_PITR,
    "F6": "no backup is a physical one, so none depends on the family of an image",
}
NOT_YET = ("deploy", "PRN-", "TLS-", "DEP-", "HRD-")
"""Scenarios of these layers that no test holds are not there yet, and the page says so."""
NAME = re.compile(r"^test(?P<layer>_deploy)?(?P<ids>(?:_[A-M]\d+)+)(?:_|$)")
OPERATE = re.compile(r"^test_[a-z]+(?P<ids>(?:_(?:ROT|JWT|GH|SEC|PRN|TLS|DEP|HRD)_\d{2})+)(?:_|$)")


def scenario_id(letter: str, number: int) -> str:
    """Return how a scenario is called: `A1`, `deploy B2`, `PRN-03`."""
    return f"{letter}{number:02}" if letter.endswith(TWO_DIGITS) else f"{letter}{number}"


def wanted() -> list[str]:
    """Return the ids of all scenarios of this layer, in order."""
    return [scenario_id(letter, number) for letter, numbers in RANGES.items() for number in numbers]


def held() -> dict[str, list[str]]:
    """Return id -> `file: test` for every test whose name carries one."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                for scenario in _ids(node.name):
                    found.setdefault(scenario, []).append(f"{path.relative_to(ROOT / 'tests')}: {node.name}")
    return found


def _ids(name: str) -> list[str]:
    if match := NAME.match(name):
        layer = "deploy " if match["layer"] else ""
        return [layer + scenario for scenario in match["ids"].strip("_").split("_")]
    if match := OPERATE.match(name):
        parts = match["ids"].strip("_").split("_")
        return [f"{area}-{number}" for area, number in zip(parts[::2], parts[1::2], strict=True)]
    return []


def page() -> str:
    """Return the page."""
    tests, lines = held(), ["# Scenarios", "", "Made from the names of the tests by `python -m tests.scenarios`.", ""]
    for letter, title in TITLES.items():
        lines += [f"## {letter.rstrip(TWO_DIGITS)} – {title}", "", "| id | held by |", "|---|---|"]
        for scenario in (scenario_id(letter, number) for number in RANGES[letter]):
            what = "<br>".join(f"`{test}`" for test in tests.get(scenario, []))
            lines.append(f"| {scenario} | {what or LEFT_OUT.get(scenario, 'not there yet')} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
