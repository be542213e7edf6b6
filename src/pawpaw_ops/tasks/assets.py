"""Steps of a deploy that keep the files that open pages may still ask for."""

from collections.abc import Sequence
from functools import partial

from pawpaw_ops.clients import assets
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.operation import operation


@operation("keep the files of open pages")
def keep_assets(do: Session, wanted: Wanted, new: Sequence[Seen]) -> None:
    """Keep the files of what serves and of what is to serve; each is asked for after the other has taken over.

    Raises:
        CommandError: They cannot be copied out of a container.

    Touches:
        `kept/` in the gateway's folder.
    """
    for service in wanted.services:
        fresh = [one for one in new if one.service == service.name]
        if not service.assets or not fresh:
            continue
        ids = {one.id for one in fresh}
        serving = [one for one in wanted.found if one.service == service.name and one.up and one.id not in ids]
        for one in {one.image: one for one in (*serving, *fresh)}.values():
            keep = partial(assets.keep, do.stack.its_project(), one, service.assets, do.runner)
            do.step(f"keep the files of {one.name}", keep, scratch=True)


def forget_assets(do: Session, *, retain: int) -> None:
    """Let the files of old releases go; a file too many fails no deploy.

    Touches:
        `kept/` in the gateway's folder.
    """
    try:
        assets.forget(do.stack.its_project(), retain=retain)
    except OSError as seen:
        report.logger().warning("the files of old releases stay: %s", seen)
