"""What became of replicas that did not do: how they ended, what their last check found, what they wrote last."""

from collections.abc import Sequence

from pawpaw_ops.clients.docker import ending, log_tail
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.errors import OpsError, VerificationError
from pawpaw_ops.plans.env_values import secrets_of
from pawpaw_ops.plans.startup import Ending, Seen
from pawpaw_ops.redaction import redact
from pawpaw_ops.session import Session
from pawpaw_ops.tasks import report

LINES = 15
CHARACTERS = 800


def fell(do: Session, one: Seen) -> str:
    """Return how a container ended since this run began, or what is wrong with one that runs; empty where nothing is.

    Told from the engine's events: one that was started again shows no exit code any more.
    """
    try:
        seen = ending(do.stack.its_project().engine, one.id, do.who.since)
    except OpsError as away:
        report.logger().warning("how %s ended is unknown: %s", one.name, away)
        seen = Ending()
    again = f"was restarted {'once' if one.restarts == 1 else f'{one.restarts} times'}" if one.restarts else ""
    ended = seen.says or one.failed or ("ended" if one.status in {"exited", "dead"} else "")
    if ended or again:
        return ", and ".join(filter(None, (ended, again if one.restarts and again not in ended else "")))
    unwell = redact(seen.unwell, also=secrets(do))[-CHARACTERS:]
    return f"is {one.health or one.status}: {unwell}" if unwell else ""


def failed(do: Session, those: Sequence[Seen], why: str) -> VerificationError:
    """Return the error that says why, with the last lines of those that it is about, and without their secrets."""
    hidden, project = secrets(do), do.stack.its_project()
    for one in those:
        try:
            tail = "\n".join(log_tail(project.engine, one.id, lines=LINES))
        except OpsError as seen:
            tail = f"(no log: {seen})"
        report.logger().error("the last lines of %s:\n%s", one.name, redact(tail, also=hidden))
        why += f". Its last words: {redact(tail, also=hidden)[-CHARACTERS:]!r}" if len(those) == 1 else ""
    return VerificationError(f"{why}.")


def last_lines(do: Session, text: str) -> str:
    """Return the end of what a program wrote, without the secrets that may stand in it."""
    return redact("\n".join(text.splitlines()[-LINES:]), also=secrets(do))[-CHARACTERS:]


def secrets(do: Session) -> tuple[str, ...]:
    """Return the secrets of the stack's `.env`, which no text for people may show."""
    return secrets_of(read_env(do.stack.its_project().env_file))
