"""Findings for people, and what they come to."""

from collections.abc import Iterable
from pathlib import Path

from pawpaw_ops.errors import VerificationError
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.finding import Waiver, Weakness
from pawpaw_ops.models.project import Project
from pawpaw_ops.plans.findings import failing, parse_waivers, waive
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation

WAIVERS = "waivers.toml"
"""Beside the Compose file, so that who lives with what is reviewed like all else."""
WORDS = {Verdict.VERIFIED: "bien", Verdict.FAILED: "mal", Verdict.NOT_VERIFIED: "no se sabe"}


def read_waivers(project: Project) -> tuple[Waiver, ...]:
    """Return who lives with what.

    Raises:
        ConfigError: The file cannot be read.
    """
    path: Path = project.file.parent / WAIVERS
    return parse_waivers(path.read_text()) if path.exists() else ()


@operation("report findings")
def report_findings(name: str, found: Iterable[Weakness], waivers: tuple[Waiver, ...]) -> str:
    """Show every finding with what to do, and fail where one may not stay.

    Returns:
        The gist.

    Raises:
        VerificationError: Something high or critical does not hold, or something could not be looked at.

    Touches:
        An artifact in Prefect.
    """
    marked = waive(found, waivers, utc_now().date())
    rows = [
        {
            "veredicto": "aceptado" if one.waived else WORDS[one.verdict],
            "gravedad": "" if one.verdict is Verdict.VERIFIED else str(one.severity),
            "revisión": one.check,
            "dónde": one.where,
            "qué se vio": one.says,
            "qué hacer": one.waived or one.fix,
        }
        for one in marked
    ]
    bad = failing(marked)
    counts = {word: sum(row["veredicto"] == word for row in rows) for word in ("mal", "no se sabe", "aceptado")}
    gist = f"{len(rows)} revisiones: " + ", ".join(f"{count} {word}" for word, count in counts.items())
    report.table(name, rows, gist=gist)
    report.logger().info("%s", gist)
    if bad:
        lines = "; ".join(f"{one.check} ({one.where}): {one.says}" for one in bad[:10])
        raise VerificationError(
            f"{len(bad)} findings may not stay: {lines}.",
            hint=f"The table says what to do; a decision to live with one goes into {WAIVERS}, with a last day.",
        )
    return gist
