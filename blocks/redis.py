"""The block of a Redis server."""

from pathlib import Path

from pydantic import Field, SecretStr

from blocks.base import OpsBlock
from pawpaw_ops.models.database import ClientTools
from pawpaw_ops.models.redis import Redis


class RedisServer(OpsBlock):
    """A Redis server: how it is reached, who backs it up, where its data lies, and how it is stopped and started."""

    _block_type_name = "Redis Server"

    name: str = Field(
        default="redis",
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        description="What its backups are called in the store, and what is typed to approve a restore.",
    )
    host: str = Field(
        default="127.0.0.1",
        description="Host name or address of the server, or the path of its Unix socket; a container goes before it.",
    )
    port: int = Field(default=6379, ge=1, le=65535, description="TCP port; inside the container where one is given.")
    container: str = Field(
        default="",
        description="Name of the container that the server runs in. Its address is looked up at every use, and it is "
        "stopped and started by this name.",
    )
    user: str = Field(default="default", description="ACL user; the manual has the rules that it needs.")
    password: SecretStr = Field(default=SecretStr(""), description="Password of that user. Empty asks for none.")
    tools_folder: Path | None = Field(
        default=None,
        description="Folder with redis-cli, redis-server and redis-check-* of the server's release. Empty means the "
        "image of the container where one is given; else the PATH.",
    )
    data_folder: Path | None = Field(
        default=None,
        description="The server's `dir` as this host sees it, such as the folder of its volume. Restoring and exact "
        "backups need it; ordinary backups do not.",
    )
    stop_command: list[str] = Field(
        default_factory=list,
        description='Words of the command that stops it where it has no container: ["systemctl", "stop", "redis"].',
    )
    start_command: list[str] = Field(
        default_factory=list, description="Words of the command that starts it where it has no container."
    )
    keep_old_days: int = Field(
        default=7, ge=0, le=365, description="Days that replaced data is kept after a restore, for undo-restore-redis."
    )

    def settings(self) -> Redis:
        """Return the frozen settings; a container is looked up only when it is used, as it may be stopped."""
        return Redis(
            name=self.name,
            host=self.host,
            port=self.port,
            container=self.container,
            user=self.user,
            password=self.password,
            tools=ClientTools(folder=self.tools_folder),
            data_folder=self.data_folder,
            stop=tuple(self.stop_command),
            start=tuple(self.start_command),
            keep_old_days=self.keep_old_days,
        )
