"""A stack: the database, the store and the folder that every verb works with."""

from pathlib import Path

from pydantic import Field

from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.database import Database
from pawpaw_ops.models.store import StoreSettings


class StackSettings(Noun):
    """One stack, with everything resolved.

    Attributes:
        name: `prod`, `demo`; part of every key in the store and of the lock's name.
        state_dir: Folder on the stack's host with the lock, the journal and the records.
        database: The database that lives.
        store: Where its backups are.
        identity_block: Name of the BackupIdentity block that opens them.
    """

    name: str = Field(min_length=1)
    state_dir: Path
    database: Database
    store: StoreSettings
    identity_block: str
