"""The order of a rotation, in its two sessions: up to replicas that accept both, and on to the new secrets alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pawpaw_ops.clients import rotations
from pawpaw_ops.clients.clock import moment
from pawpaw_ops.errors import PreconditionError
from pawpaw_ops.models.secrets import Rotation, State, Target
from pawpaw_ops.plans.secrets import moves
from pawpaw_ops.plans.traffic import FAILURES_ONLY
from pawpaw_ops.session import Session
from pawpaw_ops.session.journal import Step
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.deploy_gate import Gate
from pawpaw_ops.tasks.deploy_go import Pace
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.secrets_begin import Unfinished, find_unfinished, generate, keep_sealed, let_servers_accept
from pawpaw_ops.tasks.secrets_github import look_at_github
from pawpaw_ops.tasks.secrets_grafana import see_old_refused
from pawpaw_ops.tasks.secrets_look import look, still_accepted
from pawpaw_ops.tasks.secrets_retire import retire
from pawpaw_ops.tasks.secrets_roll import change_in_place, reached, roll


@dataclass(frozen=True)
class Times:
    """How long the old secrets hold once the new ones are in use.

    Attributes:
        grace: The old login, the old password.
        sessions: The old key of tokens: as long as the longest token lives.
    """

    grace: timedelta
    sessions: timedelta

    def due(self, rotation: Rotation, now: datetime) -> dict[Target, datetime]:
        """Return when the old secret of each target is to end; one that was given up at once is over already."""
        two = (Target.DATABASE, Target.REDIS)
        found = {target: now + self.grace for target in rotation.targets if target in two}
        return found | ({Target.JWT: now + self.sessions} if rotation.retire else {})


CHANGED = "what accepts the new key was changed meanwhile, so some replicas might not know it."
AT_ONCE = Times(grace=timedelta(0), sessions=timedelta(0))


def pace_of(*, deadline_s: float, stable_s: float, soak_s: float) -> Pace:
    """Return how long to wait; the images stay the same, so how fast they are says nothing of the secrets."""
    return Pace(Gate(deadline_s, stable_s), soak_s, FAILURES_ONLY)


def prepare(do: Session, targets: tuple[Target, ...], unfinished: Unfinished, *, abrupt: bool, why: str) -> Rotation:
    """Go on with what was begun or begin, until the servers accept both the old secrets and the new ones."""
    rotation = find_unfinished(do, targets, unfinished)
    if rotation is None:
        look(do, targets)
        look_at_github(do)
        rotation = generate(do, targets, abrupt=abrupt, why=why)
    elif rotation.state is State.GENERATED:
        look(do, rotation.targets)
        look_at_github(do)
        rotation = keep_sealed(do, rotation)
    if rotation.state is State.GENERATED:
        let_servers_accept(do, rotation)
    return rotation


def accept(do: Session, rotation: Rotation, pace: Pace, times: Times) -> None:
    """Let every replica accept the old secrets and the new ones; where no key is rotated, use the new ones."""
    if rotation.state is State.ACCEPTED and still_accepted(do, rotation):
        return
    if moves(rotation.targets):
        _move(do, rotation, pace, times)
    else:
        change_in_place(do, rotation, then=_in_use(do, rotation, times))
    if Target.GRAFANA in rotation.targets:
        see_old_refused(do, rotation)


def _move(do: Session, rotation: Rotation, pace: Pace, times: Times) -> None:
    if rotation.sign:
        to, then = State.ACCEPTED, reached(do, rotation, State.ACCEPTED, due={})
    else:
        to, then = State.CURRENT, _in_use(do, rotation, times)
    why = f"{rotation.why}: aceptar los secretos nuevos (generación {rotation.generation})"
    roll(do, rotation, to, pace, then=then, why=why, tell=not rotation.sign)


def finish(do: Session, pace: Pace, times: Times, *, emergency: bool) -> int:
    """Sign with the new key, now that every replica knows it; in an emergency end the old secrets too.

    Returns:
        The generation that is in use.
    """
    rotation = rotations.find_open(do.stack)
    if rotation is not None and rotation.state is State.ACCEPTED:
        if not still_accepted(do, rotation):
            raise PreconditionError(CHANGED, hint="Run rotate-secrets again: it has them accept it first.")
        then = _in_use(do, rotation, times)
        why = f"{rotation.why}: firmar con la llave nueva (generación {rotation.generation})"
        roll(do, rotation, State.CURRENT, pace, then=then, why=why, tell=True)
        do.clear(then.name)
        rotation = rotations.find_open(do.stack)
    if emergency and rotation is not None:
        retire(do, tuple(rotation.due), pace, terminate=True)
        rotation = rotations.find_open(do.stack)
    return show(do, rotation)


def _in_use(do: Session, rotation: Rotation, times: Times) -> Step:
    now = moment()
    due = times.due(rotation, now.at)
    return reached(do, rotation, State.CURRENT, due=due, what="current", over=not due, counted_from=now)


@operation("show the rotation")
def show(do: Session, rotation: Rotation | None) -> int:
    """Show which generation is in use, and until when the secrets before it hold.

    Touches:
        An artifact in Prefect.
    """
    last = rotations.turns(do.stack.state_dir)[-1]
    due = rotation.due if rotation else {}
    rows = [
        {
            "what": str(target),
            "variables": ", ".join(last.variables),
            "the old one ends": f"{due[target]:%Y-%m-%dT%H:%MZ}" if target in due else "it has ended",
        }
        for target in last.targets
    ]
    gist = f"generation {last.generation} is in use"
    report.table(f"rotation-{do.stack.name}", rows, gist=gist)
    report.logger().info("%s", gist)
    return last.generation
