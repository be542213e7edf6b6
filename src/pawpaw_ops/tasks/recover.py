"""Steps that show what runs left that died."""

from collections.abc import Mapping

from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.session import Session
from pawpaw_ops.session.journal import begun, dead
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation

Rows = dict[str, Mapping[str, str]]


@operation("say who died")
def say_who_died(stack: StackSettings) -> Rows:
    """Return run id -> what it did, and the steps that are not taken back or finished yet.

    Touches:
        Nothing.
    """
    return {
        path.stem: {**begun(path), "open": ", ".join(one.name for one in open_)}
        for path, open_ in dead(stack.state_dir)
    }


@operation("report recovery")
def report_recovery(do: Session, found: Rows) -> list[str]:
    """Show what was cleared up; the session did it before it began.

    Touches:
        An artifact in Prefect.
    """
    rows = [{"run": run, **found.get(run, {})} for run in do.recovered]
    gist = f"{len(rows)} dead runs were cleared up" if rows else "no run had died"
    report.table(f"recover-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)
    return list(do.recovered)
