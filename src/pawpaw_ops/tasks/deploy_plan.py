"""What a deploy is about to do, for people, before it does any of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from pawpaw_ops.clients import gateway
from pawpaw_ops.plans import upstreams
from pawpaw_ops.plans.deploy import Roll
from pawpaw_ops.plans.env_values import changes
from pawpaw_ops.plans.upstreams import Marker
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.operation import operation

Row = dict[str, str]
ID = slice(len("sha256:"), len("sha256:") + 12)


@operation("show plan")
def show_plan(do: Session, wanted: Wanted) -> None:
    """Show what will be done, and which variables changed: their names, never their values.

    Touches:
        An artifact in Prefect.
    """
    current, project = wanted.current, do.stack.its_project()
    live = gateway.live_files(project).get("release.conf")
    rows = plan_rows(wanted, project.gateway, upstreams.parse_release_file(live) if live else None)
    gist = f"{current.id if current else 'nothing'} → {wanted.aim.version or 'the images of the .env'}"
    report.table(f"deploy-plan-{do.stack.name}", rows, gist=gist)
    for row in rows:
        report.logger().info("%s", "  ".join(value for value in row.values() if value))


@contextmanager
def plan_shown(do: Session, wanted: Wanted) -> Iterator[None]:
    """Show the plan while the block looks at what else must hold; it is there when the block ends, however it ends."""
    shown = show_plan.submit(do, wanted)
    try:
        yield
    finally:
        shown.result()


def plan_rows(wanted: Wanted, gateway_service: str, serving: Marker | None) -> list[Row]:
    """Return the plan's table.

    Args:
        wanted: What differs.
        gateway_service: The gateway's name.
        serving: What the gateway's files say that it serves; None where no deploy wrote any.
    """
    plan = wanted.plan
    rows = [_roll(wanted, one) for one in plan.rolls]
    rows += [_row(name, "start", "it has no container") for name in plan.start]
    rows += [_row(name, "stop and start anew", "it changed, and may stop") for name in plan.recreate]
    rows += [_row(name, "stays as it is, though it changed", why) for name, why in plan.left.items()]
    if plan.orphans:
        names = [one.name for one in wanted.found if one.id in plan.orphans]
        rows.append(_row(", ".join(names), "go at the end", "no such service is left"))
    return [*rows, *_gateway(wanted, gateway_service, serving), *_env(wanted), *_stays(wanted)]


def _row(service: str, what: str, why: str = "", image: str = "") -> Row:
    return {"service": service, "what": what, "image": image, "why": why}


def _roll(wanted: Wanted, roll: Roll) -> Row:
    """The images are told by their ids: names move."""
    old = sorted({one.image[ID] for one in wanted.found if one.id in {*roll.retire, *roll.dead}})
    new = wanted.images[roll.service].id[ID]
    image = new if old in ([], [new]) else f"{', '.join(old)} → {new}"
    what = f"{roll.add} new, {len(roll.retire)} go, {len(roll.keep)} stay"
    return _row(roll.service, what, roll.why, image)


def _gateway(wanted: Wanted, service: str, serving: Marker | None) -> list[Row]:
    counts = [
        f"{len(one.keep) + one.add} {one.service}" for one in wanted.plan.rolls if wanted.service(one.service).served
    ]
    if not counts:
        return []
    before = f"generation {serving.generation}" if serving else "names"
    after = f"generation {serving.generation + 1}" if serving else "addresses"
    return [_row(service, f"{before} → {after}: {', '.join(counts)}")]


def _env(wanted: Wanted) -> list[Row]:
    """The images are what is deployed; their lines stand above."""
    differs = changes(wanted.current.env_prints, wanted.env_prints) if wanted.current else {}
    return [_row(".env", f"{name} {what}") for name, what in differs.items() if name not in wanted.settings]


def _stays(wanted: Wanted) -> list[Row]:
    """A rollback brings images back; what else was another then stays as it is now, and is said."""
    target = wanted.aim.back_to
    if target is None:
        return []
    why = f"not as with {target.id}; a rollback changes images alone"
    differs = [name for name in changes(target.env_prints, wanted.env_prints) if name not in target.images]
    rows = [_row(".env", f"{name} stays as it is now", why) for name in differs]
    if target.compose_sha256 != wanted.compose_sha256:
        rows.append(_row("Compose file", "stays as it is now", why))
    return rows
