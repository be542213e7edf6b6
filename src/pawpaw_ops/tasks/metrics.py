"""Numbers for Prometheus, in files that the node exporter reads. One that cannot be written never fails the work."""

from collections.abc import Mapping

from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report


def tell_prometheus(do: Session, name: str, values: Mapping[str, float]) -> None:
    """Write numbers down; nothing where the stack has no folder for them. The alerts say it when they are missing.

    Args:
        do: The session.
        name: Of the file; the next one of that name takes its place.
        values: Metric with its labels -> value.

    Touches:
        One file in the folder that the node exporter has mounted.

    Source: github.com/prometheus/node_exporter, Textfile Collector.
    """
    project = do.stack.project
    if project is None or project.textfile is None:
        return
    text = "".join(f"{metric} {value}\n" for metric, value in values.items())
    try:
        write_whole(project.textfile / f"{name}.prom", text)
    except OSError as seen:
        report.logger().warning("Prometheus was not told of %s: %s", name, seen)
