"""What GitHub shows of a deploy. A status that cannot be posted never fails the work; it is said, and is unknown."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from prefect.context import FlowRunContext
from prefect.utilities.urls import url_for

from pawpaw_ops.clients import github, releases
from pawpaw_ops.clients.files import write_whole
from pawpaw_ops.errors import OpsError, PreconditionError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.github import GitHub
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import CURRENT
from pawpaw_ops.tasks.operation import operation

FILE = "github-deployment.json"
DIED = "Its run died; the next one says what became of the stack."


class Told(Noun):
    """What GitHub was told.

    Attributes:
        deployment: Id of the deployment; 0 where there is none.
        unknown: Why GitHub may show something else; empty where it does not.
    """

    deployment: int = 0
    unknown: str = ""


@operation("open deployment on GitHub")
def open_deployment(stack: StackSettings, *, ref: str, description: str) -> Told:
    """Open a deployment and say that it is in progress, with the run's address; what a dead run left open is closed.

    Args:
        stack: The stack; one without a repository is told nowhere.
        ref: Commit that is deployed; empty where it is unknown, and then nothing is told.
        description: What is deployed.

    Returns:
        What GitHub was told.

    Touches:
        Deployments of the repository; a file in the stack's folder that says which one is open.
    """
    where = stack.github
    if where is None or not ref:
        return Told()
    path = stack.state_dir / FILE
    _close_left_open(where, path)
    made: list[int] = []

    def tell() -> None:
        made.append(github.create_deployment(where, ref=ref, environment=stack.name, description=description))
        write_whole(path, json.dumps({"id": made[0]}))
        github.set_status(where, made[0], "in_progress", description=description, log_url=_run_url())

    unknown = _harmless("that a deploy began", tell)
    return Told(deployment=made[0] if made else 0, unknown=unknown)


@operation("close deployment on GitHub")
def close_deployment(stack: StackSettings, told: Told, *, state: str, description: str) -> Told:
    """Say how it ended: `success`, `failure`, `error`, or `inactive` where another release serves again.

    Touches:
        That deployment; the file in the stack's folder goes.
    """
    where, path = stack.github, stack.state_dir / FILE
    if where is None or not told.deployment:
        return told

    def tell() -> None:
        github.set_status(where, told.deployment, state, description=description, log_url=_run_url())
        path.unlink(missing_ok=True)

    unknown = _harmless(f"that a deploy ended with {state}", tell)
    return Told(deployment=told.deployment, unknown=unknown)


def commit_of(stack: StackSettings, version: str) -> tuple[str, str]:
    """Return which version is meant by what was asked for, and its commit, whether it may be deployed or not.

    Returns:
        `current` as it is, else a build's version; no commit where there is no such build, and GitHub hears nothing.
    """
    if version == CURRENT:
        ledger = releases.releases(stack.state_dir)
        return version, ledger[-1].git_sha if ledger else ""
    try:
        build = releases.find_build(stack.state_dir, version)
    except PreconditionError:
        return version, ""
    return build.version, build.git_sha


@contextlib.contextmanager
def told_to_github(stack: StackSettings, *, ref: str, description: str) -> Iterator[Told]:
    """Tell GitHub of what is done while the block lasts: in progress, then success or failure with the reason."""
    told = open_deployment(stack, ref=ref, description=description)
    try:
        yield told
    except BaseException as seen:
        why = seen.code if isinstance(seen, OpsError) else type(seen).__name__
        close_deployment(stack, told, state="failure", description=f"{why}: {seen}")
        raise
    close_deployment(stack, told, state="success", description=description)


def _close_left_open(where: GitHub, path: Path) -> None:
    if not path.exists():
        return

    def tell() -> None:
        github.set_status(where, int(json.loads(path.read_text())["id"]), "error", description=DIED)
        path.unlink(missing_ok=True)

    _harmless("that an earlier deploy died", tell)


def _harmless(what: str, tell: Callable[[], None]) -> str:
    """Tell GitHub; returns why it may not know, which is nobody's failure."""
    try:
        tell()
    except (OpsError, OSError, ValueError, KeyError) as seen:
        report.logger().warning("GitHub was not told %s: %s", what, seen)
        return f"GitHub was not told {what}: {seen}"
    return ""


def _run_url() -> str:
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return (url_for(run) or "") if run else ""
