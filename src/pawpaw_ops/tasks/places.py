"""What goes into the store, whatever it is a backup of, and the locations that take it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from pawpaw_ops import age
from pawpaw_ops.clients.store import Catalog, locations
from pawpaw_ops.errors import ConfigError, PreconditionError, StoreError, Unreachable
from pawpaw_ops.models.backup import AnyContents, M
from pawpaw_ops.session import Session
from pawpaw_ops.tasks.report import logger


@dataclass(frozen=True)
class Places(Generic[M]):
    """The locations that answer, and what the others said."""

    catalogs: tuple[Catalog[M], ...]
    pending: tuple[str, ...]


@dataclass(frozen=True)
class Dumped:
    """What is to be sealed: files in the scratch folder, and what they hold."""

    contents: AnyContents
    folder: Path


def check_recipients(do: Session) -> None:
    """Refuse a store that nobody could open the backups of.

    Raises:
        ConfigError: It has no recipient, or one that is no key.
    """
    for key in do.stack.store.recipients:
        age.recipient(key)
    if not do.stack.store.recipients:
        raise ConfigError("the BackupStore has no age recipients.", hint="`pawpaw new-key` makes a pair of keys.")


def answering(do: Session, kind: type[M], name: str) -> Places[M]:
    """Return the locations that answer; one alone that does not is an error, of several it is left pending.

    Args:
        do: The session.
        kind: What the manifests are.
        name: Name of what is backed up.

    Touches:
        A probe object in each location.
    """
    good: list[Catalog[M]] = []
    seen: list[Exception] = []
    for location in locations(do.stack.store):
        try:
            location.check()
            good.append(Catalog(location, do.stack.name, name, kind))
        except (Unreachable, ConfigError, PreconditionError, StoreError) as error:
            logger().warning("%s: %s", location.name, error)
            seen.append(error)
    if not good:
        raise seen[0]
    return Places(tuple(good), tuple(str(error) for error in seen))
