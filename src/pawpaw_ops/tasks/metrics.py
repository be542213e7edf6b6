"""Numbers for Prometheus, in files that the node exporter reads. One that cannot be written never fails the work."""

from collections.abc import Mapping

from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.plans.run_numbers import run_numbers
from pawpaw_ops.session.audit import entries
from pawpaw_ops.tasks import report


def tell_prometheus(stack: StackSettings, name: str, values: Mapping[str, float], *, keep: bool = False) -> None:
    """Write numbers down; nothing where the stack has no folder for them. The alerts say it when they are missing.

    Args:
        stack: The stack.
        name: Of the file; the next one of that name takes its place.
        values: Metric with its labels -> value; one that is not a number is unknown.
        keep: Whether numbers of the file that are not among the *values* stay.

    Touches:
        One file in the folder that the node exporter has mounted.

    Source: github.com/prometheus/node_exporter, Textfile Collector.
    """
    project = stack.project
    if project is None or project.textfile is None:
        return
    path = project.textfile / f"{name}.prom"
    try:
        old = dict(line.rsplit(" ", 1) for line in path.read_text().splitlines()) if keep and path.exists() else {}
        write_whole(path, "".join(f"{metric} {value}\n" for metric, value in {**old, **values}.items()))
    except OSError as seen:
        report.logger().warning("Prometheus was not told of %s: %s", name, seen)


def tell_of_runs(stack: StackSettings) -> None:
    """Write down how many runs ended how, the last of them included.

    Touches:
        As `tell_prometheus`.
    """
    tell_prometheus(stack, "runs", run_numbers(entries(stack)))
