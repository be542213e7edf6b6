"""Steps of a rotation that what serves takes part in: the `.env`, new replicas beside the old ones, and their proof."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pawpaw_ops.clients.env_file import change_env
from pawpaw_ops.clients.http import probe
from pawpaw_ops.clients.postgres import logins
from pawpaw_ops.clients.postgres.connection import Postgres
from pawpaw_ops.clients.redis import users
from pawpaw_ops.clients.redis.connection import connect
from pawpaw_ops.errors import VerificationError
from pawpaw_ops.models.base import Moment, utc_now
from pawpaw_ops.models.secrets import Rotation, State, Target, Turn, Values
from pawpaw_ops.plans import secrets as plan
from pawpaw_ops.plans.secrets import in_clear
from pawpaw_ops.plans.services import Service
from pawpaw_ops.plans.startup import Seen
from pawpaw_ops.plans.tokens import Try, mint, tries
from pawpaw_ops.session import Session, undo_secrets
from pawpaw_ops.session.journal import Step
from pawpaw_ops.tasks import deploy_look
from pawpaw_ops.tasks.deploy_checks import check
from pawpaw_ops.tasks.deploy_go import Ends, Pace, go
from pawpaw_ops.tasks.deploy_look import CURRENT, Wanted
from pawpaw_ops.tasks.deploy_plan import plan_shown
from pawpaw_ops.tasks.deploy_start import migrate
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.secrets_github import write_to_github
from pawpaw_ops.tasks.secrets_grafana import change_grafana

OK, UNAUTHORIZED = 200, 401
SEEN_S, POLL_S = 15.0, 0.2
SINGLE = "Where the application knows one key alone, accept_logout=true changes it at once and ends all sessions."


def roll(
    do: Session,
    rotation: Rotation,
    to: State | None,
    pace: Pace,
    *,
    then: Step,
    why: str,
    tell: bool = False,
) -> None:
    """Bring the values of a step into the `.env`, and replicas that have them beside the old ones; prove, commit.

    Args:
        do: The session.
        rotation: Whose values they are.
        to: The state that the step leads to; None ends the old secrets.
        pace: How long to wait for what.
        then: What the commit adds.
        why: For the record of releases.
        tell: Whether GitHub gets its secrets too, once what serves is proven.

    Raises:
        PreconditionError: The rotation is not in the state before.

    Touches:
        The `.env`, and what a deploy touches.
    """
    stage(do, rotation, to)
    aim = deploy_look.choose_build(do, CURRENT, accept_untested=True)
    wanted = deploy_look.compare(do, aim)
    with plan_shown(do, wanted):
        check(do, wanted, certificate=False)
    after = {**rotation.values_at(rotation.state), **plan.changes(rotation, to)}

    def prove_and_tell(new: Sequence[Seen]) -> None:
        prove(do, rotation, after, wanted, new)
        change_grafana(do, rotation, to)
        if tell:
            write_to_github(do, rotation)

    ends = Ends(prove=prove_and_tell, then=(then,))
    go(do, wanted, pace, schema=lambda: migrate(do, wanted), why=why, ends=ends)


def change_in_place(do: Session, rotation: Rotation, *, then: Step) -> None:
    """Change a secret that nothing that serves uses: there is no replica to replace.

    Args:
        do: The session.
        rotation: Whose values they are.
        then: What the commit adds.

    Touches:
        The `.env`, the password of Grafana's administrator, secrets on GitHub.
    """
    stage(do, rotation, State.CURRENT)
    change_grafana(do, rotation, State.CURRENT)
    write_to_github(do, rotation)
    do.commit(f"generation {rotation.generation} is in use", then=[then])


@operation("write the .env")
def stage(do: Session, rotation: Rotation, to: State | None) -> None:
    """Give the variables that a step changes their new values; what runs does not read them again.

    If something fails they get those back that they have in the state before.

    Touches:
        The `.env`, whole or not at all.
    """
    env_file, values = do.stack.its_project().env_file, plan.changes(rotation, to)
    do.step(
        "write secrets into the .env",
        lambda: change_env(env_file, in_clear(values)),
        undo=undo_secrets.secrets_to(rotation.generation, rotation.state),
    )


def reached(
    do: Session,
    rotation: Rotation,
    state: State,
    *,
    due: Mapping[Target, datetime],
    what: str = "",
    over: bool = False,
    counted_from: Moment | None = None,
) -> Step:
    """Return the step that writes down how far a rotation is."""
    turn = None
    if what:
        turn = Turn(
            generation=rotation.generation,
            what=what,
            targets=rotation.targets,
            variables=tuple(sorted(rotation.old)),
            at=utc_now(),
            run_id=do.run_id,
            actor=do.who.actor,
        )
    undo = undo_secrets.secrets_reached(
        rotation.generation, state, due=due, turn=turn, over=over, counted_from=counted_from
    )
    return Step(name=f"note that generation {rotation.generation} is {what or state}", undo=undo, scratch=True)


@operation("prove the new secrets")
def prove(do: Session, rotation: Rotation, now: Values, wanted: Wanted, new: Sequence[Seen]) -> None:
    """See that every new replica has a session with the secrets that hold now, and takes and refuses tokens rightly.

    Args:
        do: The session.
        rotation: Whose secrets they are.
        now: Values of all its variables.
        wanted: What runs.
        new: The new replicas.

    Raises:
        VerificationError: One does not: which, and what was seen.

    Touches:
        Nothing; tokens of nobody are tried.
    """
    project = do.stack.its_project()
    clients = [one for one in new if one.service in project.database_clients]
    if Target.DATABASE in rotation.targets:
        user = plan.known(now[plan.DB_USER]).get_secret_value()
        with Postgres(do.stack.database, do.run_id).admin() as conn:
            _wait_for(clients, user, lambda: {one.address for one in logins.sessions(conn, user)})
    if Target.REDIS in rotation.targets:
        with connect(users.administered(project)) as redis:
            _wait_for(clients, users.APP, lambda: users.addresses(redis, users.APP))
    if Target.JWT in rotation.targets:
        tried = tries(now, rotation.old, rotation.values_at(State.CURRENT))
        for one in new:
            _prove_tokens(wanted.service(one.service), one, tried)


def _wait_for(those: Sequence[Seen], user: str, ask: Callable[[], set[str]]) -> None:
    until = time.monotonic() + SEEN_S
    while missing := [one.name for one in those if one.address not in ask()]:
        if time.monotonic() > until:
            raise VerificationError(f"{', '.join(missing)} did not log in as {user} within {SEEN_S:g} s.")
        time.sleep(POLL_S)


def _prove_tokens(service: Service, one: Seen, tried: Sequence[Try]) -> None:
    if not service.private:
        return
    for token in tried:
        url = f"http://{one.address}:{service.port}{service.private}"
        status, said = probe(url, token=mint(token.secret.get_secret_value(), token.kid, now=utc_now()))
        if status != (OK if token.good else UNAUTHORIZED):
            verb = "refuses" if token.good else "takes"
            raise VerificationError(f"{one.name} {verb} a token signed with {token.what}: {said}.", hint=SINGLE)
