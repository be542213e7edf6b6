"""A stack of nothing but a folder, for tests of what is kept there."""

from pathlib import Path

from pawpaw_ops.models.database import Database
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.models.store import FolderSettings, StoreSettings


def stack_of(folder: Path) -> StackSettings:
    """Return a stack whose folder is `state` below *folder*."""
    return StackSettings(
        name="t",
        state_dir=folder / "state",
        database=Database(name="x", port=1),
        store=StoreSettings(folder=FolderSettings(path=folder / "store")),
        identity_block="t",
    )
