"""Whether the standby will follow a swap: what the primary and the standby say, judged."""

from pawpaw_ops.models.base import Noun, Verdict

BEHIND_BYTES = 16 * 1024 * 1024
"""How far behind a standby may be and still follow at once: one WAL segment."""


class Sender(Noun):
    """One standby as its primary sees it.

    Attributes:
        name: Its `application_name`.
        address: Where it comes from; empty on a Unix socket.
        behind_bytes: What it has not replayed yet.
    """

    name: str
    address: str
    behind_bytes: int


class Standby(Noun):
    """What a standby says of itself, held against its primary.

    Attributes:
        recovering: Whether it is a standby at all.
        same_server: Whether it is a copy of this primary.
        paused: Whether somebody paused its replay.
        receiving: Whether it streams from anywhere.
        behind_bytes: What it has not replayed yet.
        replayed_s: How long ago the last transaction that it replayed was committed, in seconds; None where none was.
    """

    recovering: bool
    same_server: bool
    paused: bool = False
    receiving: bool = True
    behind_bytes: int = 0
    replayed_s: float | None = None


class Seen(Noun):
    """What was found.

    Attributes:
        named: Whether the stack's block names a standby.
        senders: The standbys that stream from the primary.
        standby: What the named one says; None where it did not answer.
        away: Why it did not.
    """

    named: bool
    senders: tuple[Sender, ...] = ()
    standby: Standby | None = None
    away: str = ""


class Outlook(Noun):
    """What is to be expected of the standby.

    Attributes:
        verdict: Verified: it follows. Failed: it was asked and does not. Not verified: it could not be asked, or one
            streams that the block does not name.
        says: The same with numbers.
        stops: Whether a swap that the standby must follow may not happen now.
        late: Whether it is only behind, so that time alone mends it.
    """

    verdict: Verdict
    says: str
    stops: bool = False
    late: bool = False

    @property
    def line(self) -> str:
        """What people read."""
        return f"standby {self.verdict}: {self.says}"


def judge(seen: Seen) -> Outlook | None:
    """Say what is to be expected; None where there is no standby at all."""
    if not seen.named:
        return _unnamed(seen.senders) if seen.senders else None
    outlook = _away(seen.away) if seen.standby is None else _of(seen.standby)
    its_own = 1 if seen.standby is None or seen.standby.receiving else 0
    others = max(0, len(seen.senders) - its_own)
    if not others:
        return outlook
    more = f"{others} of {_words(seen.senders)} stream from the primary and the stack's block does not name them"
    verdict = Verdict.worst([outlook.verdict, Verdict.NOT_VERIFIED])
    return outlook.model_copy(update={"verdict": verdict, "says": f"{outlook.says}; {more}"})


def _unnamed(senders: tuple[Sender, ...]) -> Outlook:
    says = (
        f"{_words(senders)} streams from the primary and the stack's block names no replica, so that nobody looks"
        " whether it follows, nor ends sessions there that read the replaced database"
    )
    return Outlook(verdict=Verdict.NOT_VERIFIED, says=says)


def _words(senders: tuple[Sender, ...]) -> str:
    return ", ".join(f"{f'{one.name} {one.address}'.strip()} ({_mib(one.behind_bytes)} behind)" for one in senders)


def _away(why: str) -> Outlook:
    return Outlook(verdict=Verdict.NOT_VERIFIED, says=f"it does not answer: {why}", stops=True)


def _of(found: Standby) -> Outlook:
    behind = f"{_mib(found.behind_bytes)} behind"
    if found.behind_bytes and found.replayed_s is not None:
        behind += f", the last transaction that it replayed is {found.replayed_s:.0f} s old"
    if not found.recovering:
        return _bad("the server that the block names is in no recovery, so it is no standby")
    if not found.same_server:
        return _bad("the server that the block names is a standby of another primary")
    if found.paused:
        return _bad(f"its replay is paused, {behind}; `SELECT pg_wal_replay_resume()` there lets it go on")
    if not found.receiving:
        return _bad(f"it streams from nobody, {behind}")
    if found.behind_bytes > BEHIND_BYTES:
        return _bad(f"{behind}, {_mib(BEHIND_BYTES)} are allowed", late=True)
    return Outlook(verdict=Verdict.VERIFIED, says=f"it streams, {behind}")


def _bad(says: str, *, late: bool = False) -> Outlook:
    return Outlook(verdict=Verdict.FAILED, says=says, stops=True, late=late)


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):.1f} MiB"
