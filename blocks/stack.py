"""The block of a stack: what a flow's parameter `stack` names."""

from pathlib import Path

from pydantic import Field

from blocks.base import APPLY, OpsBlock
from blocks.database import PostgresDatabase
from blocks.github import GitHubRepository
from blocks.project import ComposeProject
from blocks.redis import RedisServer
from blocks.store import BackupStore
from pawpaw_ops.clients.compose_project import containers_of
from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.database import Database
from pawpaw_ops.models.github import GitHub
from pawpaw_ops.models.stack import StackSettings, Workplace


class Stack(OpsBlock):
    """One environment, such as prod: its database and Redis, where backups go, its folder on the worker's host."""

    _block_type_name = "Stack"

    state_dir: Path = Field(
        description="Folder on the worker's host for the lock, the journal and staging. Needs room for one dump."
    )
    database: PostgresDatabase = Field(description="The database that is backed up and restored.")
    store: BackupStore = Field(description="Where the backups are kept and for how long.")
    redis: RedisServer | None = Field(
        default=None, description="Its Redis, backed up and restored beside it. Empty where it has none."
    )
    replica: PostgresDatabase | None = Field(
        default=None, description="The standby that follows the database; it must follow a restore too. Empty: none."
    )
    project: ComposeProject | None = Field(
        default=None,
        description="Its containers; deploys need it, and a restore keeps customers away with it. Empty: none.",
    )
    github: GitHubRepository | None = Field(
        default=None, description="The repository whose page shows the stack's deploys. Empty: none."
    )
    rotation_key: Path | None = Field(
        default=None,
        description="File on the worker's host with an age secret key that only the worker can read: it seals the "
        "secrets of a rotation that is under way. Not in the stack's folder. Empty: nothing can be rotated.",
    )
    identity: str = Field(
        default="",
        description="Name of the Backup Identity block whose keys open the backups. Empty means the stack's own name.",
    )

    def workplace(self) -> Workplace:
        """Return what builds and tests need of the stack; nothing of it has to run, so that there can be a first.

        Raises:
            ConfigError: The block was never saved, or has no project whose files are there.
        """
        if self.project is None:
            raise ConfigError(
                f"the stack {self._saved_name()!r} has no Compose project.",
                hint="Set project in the Stack block to a ComposeProject block.",
            )
        return Workplace(name=self._saved_name(), state_dir=self.state_dir, project=self.project.settings())

    def repository(self) -> GitHub | None:
        """Return the repository whose page shows the stack's deploys; None where it has none."""
        return self.github.settings() if self.github else None

    def settings(self) -> StackSettings:
        """Return the frozen settings of the stack; its replica may be down or gone: a backup needs none.

        Raises:
            ConfigError: The block was never saved, or its parts contradict one another.
            PreconditionError: The database's container is not running, or the whole stack was never brought up.
            Unreachable: The Docker engine does not answer.
        """
        try:
            database = self.database.settings()
        except ConfigError as seen:
            self._refuse_nothing(seen)
            raise
        return self._settings(database).model_copy(
            update={
                "redis": self.redis.settings() if self.redis else None,
                "replica": self.replica.settings_when_away(or_gone=True) if self.replica else None,
            }
        )

    def settings_around_the_data(self) -> StackSettings:
        """Return the settings for work that needs no data: it goes on while database and Redis are down.

        A full disk is when one wants it most.

        Raises:
            ConfigError: As in `settings`.
        """
        return self._settings(self.database.settings_when_away())

    def _refuse_nothing(self, seen: ConfigError) -> None:
        """Say what to do where no container is there: it is not the block then that is wrong."""
        if self.project is None or containers_of(project := self.project.settings()):
            return
        raise PreconditionError(
            f"the stack {self._saved_name()!r} was never brought up: its project {project.name!r} has no container.",
            hint="`make up` starts its database and Redis, makes roles and schema, and starts the shop; deploys and all"
            " other verbs work from there.",
        ) from seen

    def _settings(self, database: Database) -> StackSettings:
        name = self._saved_name()
        return StackSettings(
            name=name,
            state_dir=self.state_dir,
            database=database,
            store=self.store.settings(),
            identity_block=self.identity or name,
            project=self.project.settings() if self.project else None,
            github=self.repository(),
            rotation_key=self.rotation_key,
        )

    def _saved_name(self) -> str:
        if not self._block_document_name:
            raise ConfigError("a Stack block has a name only when it is saved.", hint=APPLY)
        return self._block_document_name
