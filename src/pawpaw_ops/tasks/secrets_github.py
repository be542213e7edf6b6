"""Steps of a rotation on GitHub: what it has is looked at first, and written when what serves is proven."""

from pawpaw_ops.clients import github_secrets
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.secrets import Rotation, State
from pawpaw_ops.plans.github_secrets import hidden
from pawpaw_ops.session import Session, undo_secrets
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation


@operation("look at the secrets on GitHub")
def look_at_github(do: Session) -> None:
    """See that GitHub answers, lets us write, and that no environment hides what we write to the repository.

    Raises:
        PreconditionError: An environment's secret hides one of ours.
        ConfigError: The token has not the right.

    Touches:
        Nothing.
    """
    where = do.stack.github
    if where is None or not where.scopes:
        return
    scopes = {*where.scopes, *([where.environment] if where.environment else [])}
    there = {scope: github_secrets.list_secrets(where, scope) for scope in scopes}
    if names := hidden(where.scopes, there):
        raise PreconditionError(
            f"the environment {where.environment!r} on GitHub has secrets of its own that hide {', '.join(names)}.",
            hint="Remove them there, or name them in environment_secrets of the GitHub Deployments block.",
        )


@operation("write the secrets to GitHub")
def write_to_github(do: Session, rotation: Rotation) -> None:
    """Give GitHub the new values; until the old ones end, a workflow that began with those goes on.

    Raises:
        OpsError: GitHub does not take one; those before it get their old values again.

    Touches:
        Secrets of the repository and its environment.
    """
    names = undo_secrets.github_names(do.stack, rotation)
    if not names:
        return
    do.step(
        f"write {', '.join(names)} to GitHub",
        lambda: undo_secrets.write_github(do.stack, rotation, State.CURRENT),
        undo=undo_secrets.github_to(rotation.generation, State.GENERATED),
    )
    report.logger().info("GitHub has %s of generation %d", ", ".join(names), rotation.generation)
