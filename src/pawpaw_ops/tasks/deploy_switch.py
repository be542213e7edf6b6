"""Steps of a deploy that change who serves: the gateway's files, the commit, the end of the old replicas."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from pawpaw_ops.clients import gateway, services
from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.clients.env_file import change_env, read_env
from pawpaw_ops.errors import VerificationError
from pawpaw_ops.models.base import utc_now
from pawpaw_ops.models.release import Release, Warm
from pawpaw_ops.plans import upstreams
from pawpaw_ops.plans.services import Service
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.plans.traffic import Traffic
from pawpaw_ops.plans.upstreams import Marker, Member, Members
from pawpaw_ops.session import Session, undo_services
from pawpaw_ops.session.journal import Step
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_look import Wanted
from pawpaw_ops.tasks.deploy_soak import baseline
from pawpaw_ops.tasks.deploy_start import Schema
from pawpaw_ops.tasks.operation import operation

MARKER_S = 10.0
IN_A_ROW = 3
FOUND = "found"
"""What the gateway calls what served before the first deploy."""
RECORD, WARM, RETIRE = "record the release", "keep the old replicas warm", "end the old replicas"


@dataclass(frozen=True)
class Switched:
    """A switch that happened.

    Attributes:
        at: When it began.
        took_ms: Until every worker served the new files.
        serving_s: Until then since the run began.
        drained_s: Until the last request of the old files had ended; None where some went on for too long.
        before: The requests of the minutes before the run.
    """

    at: datetime
    took_ms: float
    serving_s: float
    drained_s: float | None
    before: Traffic


def name_release(do: Session, wanted: Wanted, schema: Schema | None, *, why: str) -> Release:
    """Return the release that this deploy makes."""
    number = wanted.ledger[-1].number + 1 if wanted.ledger else 1
    version = wanted.aim.version or "env"
    serving = gateway.live_files(do.stack.its_project()).get("release.conf")
    generation = upstreams.parse_release_file(serving).generation + 1 if serving else 1
    kept = wanted.current.images if wanted.current else {}
    return Release(
        number=number,
        id=f"{version}-{number}",
        version=wanted.aim.version,
        images={**kept, **wanted.settings},
        git_sha=wanted.aim.git_sha,
        compose_sha256=wanted.compose_sha256,
        env_prints=wanted.env_prints,
        generation=generation,
        schema_version=schema.version if schema else None,
        contract=bool(schema and schema.contract and schema.pending),
        back_from=wanted.aim.back_from,
        run_id=do.run_id,
        actor=do.who.actor,
        why=why,
        at=utc_now(),
    )


@operation("give the gateway addresses")
def adopt(do: Session, wanted: Wanted) -> None:
    """Let a gateway that no deploy has touched ask what serves now by its addresses.

    It asks by name, and the name would lead to new replicas before they are proven. There is no way back to names:
    who serves is the same, and for a moment nginx would know nobody while it looks them up.

    Raises:
        CommandError: nginx refuses the files.
        VerificationError: They are not served.

    Touches:
        The gateway's upstream files, and its workers, where there are no such files.
    """
    project = do.stack.its_project()
    serving = tuple(
        members_of(service, [one for one in wanted.found if one.service == service.name and one.up])
        for service in wanted.services
        if service.served
    )
    if gateway.live_files(project) or not all(one.addresses for one in serving):
        return
    marker = Marker(generation=1, release=FOUND)
    files = upstreams.render(serving, release=marker.release, generation=marker.generation)
    gateway.check_files(project, files, do.runner)

    do.step("give the gateway addresses", lambda: take_up(do, files, marker), scratch=True)


@operation("check the gateway's files")
def check_candidate(do: Session, wanted: Wanted, release: Release) -> dict[str, str]:
    """Let nginx check the files by which the new replicas will serve, while these get ready.

    Raises:
        CommandError: nginx refuses them.

    Touches:
        A folder `.candidate` beside the gateway's live files.
    """
    files = upstreams.render(members(do, wanted), release=release.id, generation=release.generation)
    gateway.check_files(do.stack.its_project(), files, do.runner)
    return files


@operation("switch the gateway")
def switch(do: Session, wanted: Wanted, release: Release, checked: Mapping[str, str], *, began: datetime) -> Switched:
    """Let the gateway send requests to the new replicas, and see that it does; the old ones stay warm.

    Args:
        do: The session.
        wanted: What differs.
        release: What shall serve.
        checked: Files that nginx has found good; others are checked first.
        began: When the run began. What was usual before is counted once the new replicas serve, and while the last old
            requests end: a busy shop's log takes seconds, which are nobody's to wait for who goes back.

    Raises:
        CommandError: nginx refuses the files; the live ones were not touched.
        VerificationError: The new generation is not served.

    Touches:
        The gateway's upstream files, and its workers.
    """
    project = do.stack.its_project()
    files = upstreams.render(members(do, wanted), release=release.id, generation=release.generation)
    if files != checked:  # somebody was started again since
        gateway.check_files(project, files, do.runner)
    at, start = utc_now(), time.monotonic()

    marker, undo = Marker(release.generation, release.id), undo_services.gateway_to(gateway.live_files(project))
    do.step("switch the gateway", lambda: take_up(do, files, marker), undo=undo)
    took_ms = round((time.monotonic() - start) * 1000, 1)
    serving_s = do.age_s()
    do.facts |= {"serving_s": serving_s, "switch_ms": took_ms}
    with ThreadPoolExecutor(1) as beside:
        before = beside.submit(baseline, do, wanted, began)
        drained_s = gateway.drain(project)
    return Switched(at=at, took_ms=took_ms, serving_s=serving_s, drained_s=drained_s, before=before.result())


def members(do: Session, wanted: Wanted) -> tuple[Members, ...]:
    """Return the replicas that shall serve: all that run but those that are to go."""
    leave = {one for roll in wanted.plan.rolls for one in roll.retire}
    running = [one for one in containers_of(do.stack.its_project()) if one.address and one.id not in leave]
    return tuple(
        members_of(service, [one for one in running if one.service == service.name])
        for service in wanted.services
        if service.served
    )


def members_of(service: Service, those: Sequence[Seen]) -> Members:
    """Return what the gateway's files say of a service."""
    addresses = tuple(Member(address=one.address, container_id=one.id, name=one.name) for one in those)
    return Members(service=service.name, port=service.port, addresses=addresses)


def take_up(do: Session, files: Mapping[str, str], marker: Marker) -> None:
    """Let the gateway serve by files that nginx has found good, and see that it does.

    Raises:
        CommandError: nginx refuses them after all.
        VerificationError: They are not served.

    Touches:
        The gateway's upstream files, and its workers.
    """
    project = do.stack.its_project()
    gateway.put_files(project, files)
    gateway.reload(project, do.runner, checked=True)
    _see_marker(do, marker)


def _see_marker(do: Session, expected: Marker) -> None:
    """Wait until the gateway has said several times in a row that it serves the new files."""
    until, seen, row = time.monotonic() + MARKER_S, "", 0
    ask = gateway.asking(do.stack.its_project(), "/release")
    while row < IN_A_ROW:
        seen = ask()
        row = row + 1 if upstreams.parse_marker(seen) == expected else 0
        if time.monotonic() > until:
            raise VerificationError(f"the gateway serves {seen.strip()!r} and not {expected} after {MARKER_S:g} s.")


@operation("commit the release")
def commit(do: Session, wanted: Wanted, release: Release, *, keep_warm_s: float, more: Sequence[Step] = ()) -> None:
    """Make it the release that serves: from here on the old replicas only have to end, whoever ends them.

    Args:
        do: The session.
        wanted: What differed.
        release: What serves now.
        keep_warm_s: How long the old replicas go on running without requests, in seconds.
        more: What else is to be done from here on, after what a release needs.

    Touches:
        The `.env`'s images, `releases.jsonl`, `warm.json`, the log shipper's list; old replicas are stopped and
        removed, or kept warm.
    """
    project = do.stack.its_project()
    values = read_env(project.env_file)
    if wanted.settings.items() - values.items():
        do.step(
            "write the images into the .env",
            lambda: change_env(project.env_file, wanted.settings),
            undo=undo_services.env_to({name: values.get(name) for name in wanted.settings}),
        )
    record = Step(name=RECORD, undo=undo_services.record_release(release), scratch=True)
    then = [*more, *_ends(wanted, keep_warm_s), record]
    do.commit(f"release {release.id} serves", then=then)
    do.was, do.became = wanted.current.id if wanted.current else "", release.id
    do.clear(RECORD)
    do.clear(WARM, RETIRE)
    tell_the_shipper(do)


def _ends(wanted: Wanted, keep_warm_s: float) -> list[Step]:
    """Return what becomes of the containers that no longer serve."""
    old, end = tuple(one for roll in wanted.plan.rolls for one in roll.retire), wanted.plan.orphans
    grace_s = max((one.grace_s for one in wanted.services if one.served), default=10.0)
    warm = None
    if old and keep_warm_s:
        warm = Warm(ids=old, until=utc_now() + timedelta(seconds=keep_warm_s), grace_s=grace_s)
    else:
        end += old
    steps = [Step(name=RETIRE, undo=undo_services.retire(end, grace_s=grace_s), scratch=True)] if end else []
    if warm or wanted.warm:
        steps.append(Step(name=WARM, undo=undo_services.keep_warm(warm), scratch=True))
    return steps


def tell_the_shipper(do: Session) -> None:
    """Let the log shipper read the containers that there are now; logs that are not shipped fail no deploy."""
    try:
        services.tell_the_shipper(do.stack.its_project())
    except OSError as seen:
        report.logger().warning("the log shipper does not know of the new containers: %s", seen)
