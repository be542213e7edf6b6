"""The step that lets somebody's scanner look into the images of the stack."""

from pawpaw_ops.commands import compose, packages
from pawpaw_ops.errors import CommandError, OpsError
from pawpaw_ops.models.finding import Severity, Weakness
from pawpaw_ops.models.stack import Workplace
from pawpaw_ops.plans import image_scan as plan
from pawpaw_ops.plans.hardening import unknown
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks.operation import operation


@operation("scan images")
def scan_images(place: Workplace) -> tuple[Weakness, ...]:
    """Let the scanner of the Compose Project block look into each image that the stack runs; without one nobody knows.

    Touches:
        Nothing of ours; what the scanner does is its own.
    """
    project = place.project
    if not project.image_scan:
        return (plan.not_scanned(),)
    try:
        services = LocalRunner().ask(compose.config(project, env={}))["services"]
    except OpsError as seen:
        return (unknown(plan.CHECK, "stack", Severity.HIGH, seen.message),)
    images = sorted({one["image"] for one in services.values() if one.get("image")})
    return tuple(found for image in images for found in _scan(project.image_scan, project.engine, image))


def _scan(words: tuple[str, ...], engine: str, image: str) -> tuple[Weakness, ...]:
    try:
        said = LocalRunner().ask(packages.scan(words, image=image, engine=engine))
    except CommandError as seen:
        return (unknown(plan.CHECK, image, Severity.HIGH, seen.message, "Mend image_scan, or the scanner."),)
    return plan.parse_sarif(image, said)
