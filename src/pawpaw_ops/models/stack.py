"""A stack: the database, the store and the folder that every verb works with."""

from pathlib import Path

from pydantic import Field

from pawpaw_ops.errors import ConfigError
from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.database import Database
from pawpaw_ops.models.github import GitHub
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.redis import Redis
from pawpaw_ops.models.store import StoreSettings


class Workplace(Noun):
    """What builds and tests need of a stack; none of it has to run.

    Attributes:
        name: The stack's.
        state_dir: Folder with its records.
        project: Its Compose project.
    """

    name: str = Field(min_length=1)
    state_dir: Path
    project: Project


class StackSettings(Noun):
    """One stack, with everything resolved.

    Attributes:
        name: `prod`, `demo`; part of every key in the store and of the lock's name.
        state_dir: Folder on the stack's host with the lock, the journal and the records.
        database: The database that lives.
        store: Where its backups are.
        identity_block: Name of the BackupIdentity block that opens them.
        redis: Its Redis, where it has one.
        replica: The standby that follows the database, where it has one.
        project: Its containers, where they are known.
        github: The repository whose page shows its deploys, where it has one.
        rotation_key: File with the age key that seals the secrets of a rotation; None where it has none.
    """

    name: str = Field(min_length=1)
    state_dir: Path
    database: Database
    store: StoreSettings
    identity_block: str
    redis: Redis | None = None
    replica: Database | None = None
    project: Project | None = None
    github: GitHub | None = None
    rotation_key: Path | None = None

    def its_project(self) -> Project:
        """Return the stack's Compose project.

        Raises:
            ConfigError: It has none.
        """
        if self.project is None:
            raise ConfigError(
                f"the stack {self.name!r} has no Compose project.",
                hint="Set project in the Stack block to a ComposeProject block.",
            )
        return self.project

    def its_redis(self) -> Redis:
        """Return the stack's Redis.

        Raises:
            ConfigError: It has none.
        """
        if self.redis is None:
            raise ConfigError(
                f"the stack {self.name!r} has no Redis.", hint="Set redis in the Stack block to a RedisServer block."
            )
        return self.redis

    def for_run(self, run_id: str) -> "StackSettings":
        """Return the same stack with client tools that work on behalf of a run."""
        database = self.database.model_copy(update={"tools": self.database.tools.for_run(run_id)})
        return self.model_copy(update={"database": database})
