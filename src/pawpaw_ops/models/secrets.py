"""Secrets that are rotated: what a rotation changes, how far it is, and what is on record of those before."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import AwareDatetime, Field, SecretStr, field_serializer

from pawpaw_ops.models.base import Moment, Noun

Values = Mapping[str, SecretStr | None]
"""Variable of the `.env` -> value; None: it is not there."""


class Target(StrEnum):
    """What can be rotated."""

    DATABASE = "database"
    REDIS = "redis"
    JWT = "jwt"
    GRAFANA = "grafana"


class State(StrEnum):
    """How far a rotation is; one that is over has no state.

    While it is only generated, nothing that serves knows of it. Accepted: every replica takes the old secrets and the
    new ones, and tokens are signed with the old. Current: the new ones are in use, and the old ones still hold.
    """

    GENERATED = "generated"
    ACCEPTED = "accepted"
    CURRENT = "current"


class Rotation(Noun):
    """One rotation that is not over. Holds secrets: it is only ever stored sealed.

    Attributes:
        generation: Counts the rotations of the stack, from 1.
        targets: What is rotated.
        old: Values of the variables before it.
        accept: Values with which every replica accepts the new secrets; where tokens are rotated it still signs with
            the old one.
        sign: Values with which the new token key signs; empty where that is no step of its own.
        retire: Values with which nothing accepts the old ones any more; empty where the `.env` has none of them.
        due: Target -> when its old secret is to end; of those that have not ended yet.
        counted_from: When that was decided, so that setting the clock changes nothing of how long the old ones hold.
        why: For the record.
    """

    generation: int = Field(ge=1)
    targets: tuple[Target, ...]
    state: State = State.GENERATED
    old: Values
    accept: Values
    sign: Values = Field(default_factory=dict)
    retire: Values = Field(default_factory=dict)
    due: dict[Target, AwareDatetime] = Field(default_factory=dict)
    counted_from: Moment | None = None
    began_at: AwareDatetime
    run_id: str
    why: str = ""

    def values_at(self, state: State) -> dict[str, SecretStr | None]:
        """Return the values of its variables in a state."""
        steps = {State.GENERATED: {}, State.ACCEPTED: self.accept, State.CURRENT: {**self.accept, **self.sign}}
        return {**self.old, **steps[state]}

    @property
    def old_user(self) -> str:
        """The login that goes."""
        return _plain(self.old.get("DB_USER"))

    @property
    def new_user(self) -> str:
        """The login that comes."""
        return _plain(self.accept.get("DB_USER"))

    @field_serializer("old", "accept", "sign", "retire", when_used="json")
    def _in_clear(self, values: Values) -> dict[str, str | None]:
        return {name: value.get_secret_value() if value else None for name, value in values.items()}


def _plain(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""


class Turn(Noun):
    """One line of the record of rotations: names and times, never a value.

    Attributes:
        what: `current`, `retired` or `dropped`.
        variables: Variables of the `.env` whose values are new since.
    """

    generation: int
    what: str
    targets: tuple[Target, ...]
    variables: tuple[str, ...] = ()
    at: AwareDatetime
    run_id: str
    actor: str = ""


class Met(Noun):
    """Since when a secret's value is known here, and a keyed hash by which it is known again.

    Attributes:
        print: The hash.
        since: When it was first looked at.
        changed: Whether it took the place of another one then; else it may be older.
    """

    print: str
    since: AwareDatetime
    changed: bool = False


class Acquaintances(Noun):
    """All secrets that were looked at.

    Attributes:
        salt: Key of the hashes, so that nobody has a table of them.
        met: Variable of the `.env` -> its secret.
    """

    salt: str
    met: Mapping[str, Met] = Field(default_factory=dict)
