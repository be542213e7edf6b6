"""The block of a database."""

import os
from functools import partial
from pathlib import Path

from prefect_docker import DockerHost
from pydantic import Field, SecretStr

from blocks.base import OpsBlock
from pawpaw_ops.clients.docker import Container, find_container
from pawpaw_ops.clients.engine import connect, engine_address
from pawpaw_ops.errors import ConfigError, PreconditionError
from pawpaw_ops.models.database import ClientTools, Database, ToolImage

AWAY = "database-is-not-running.invalid"
"""A name that resolves nowhere. Source: RFC 2606."""


class PostgresDatabase(OpsBlock):
    """A PostgreSQL database: how it is reached, who administers it, and what proves that it is healthy."""

    _block_type_name = "Postgres Database"

    name: str = Field(min_length=1, description="Name of the database that the application uses.")
    host: str = Field(
        default="127.0.0.1",
        description="Host name or address of the server, or the folder of its Unix socket; a container goes before it.",
    )
    port: int = Field(default=5432, ge=1, le=65535, description="TCP port; inside the container where one is given.")
    container: str = Field(
        default="",
        description="Name of the container that the server runs in. Its address is looked up at every use.",
    )
    docker: DockerHost | None = Field(
        default=None,
        description="The Docker engine that knows the container. Empty uses this host's engine, or DOCKER_HOST.",
    )
    user: str = Field(default="postgres", description="Role that administers the server. Restoring needs a superuser.")
    password: SecretStr = Field(default=SecretStr(""), description="Password of that role.")
    tools_folder: Path | None = Field(
        default=None,
        description="Folder with pg_dump and pg_restore of the server's major version. Empty means the image of the "
        "container where one is given, so that this host needs none of PostgreSQL; else the PATH.",
    )
    system_identifier: str = Field(
        default="",
        pattern=r"^\d*$",
        description="The server's number, as pg_controldata shows it; others are refused. Empty accepts all.",
    )
    keep_old_days: int = Field(
        default=7,
        ge=0,
        le=365,
        description="Days that the replaced database is kept after a restore, for undo-restore.",
    )
    smoke_queries: dict[str, str] = Field(
        default_factory=dict,
        description="Name and SQL of questions that a healthy database answers with true; asked of restored ones.",
    )
    freshness_query: str = Field(
        default="",
        description="SQL that answers the time of the newest row that matters. Empty does not ask.",
    )
    freshness_h: float = Field(default=26.0, gt=0, description="Oldest answer to it that is still normal, in hours.")
    schema_query: str = Field(
        default="",
        description="SQL that answers the version of the schema, such as the newest migration. Empty does not ask.",
    )

    def settings(self) -> Database:
        """Return the frozen settings; a container's address is looked up now.

        Raises:
            ConfigError: The engine has no such container.
            PreconditionError: The container is not running.
            Unreachable: The Docker engine does not answer.
        """
        server = self._server()
        return self._made(server, server.address if server else self.host)

    def settings_when_away(self, *, or_gone: bool = False) -> Database:
        """Return the settings also while the container is not running: whoever asks the database then gets no answer.

        It is given an address that nobody can have, so that no other server answers in its place.

        Args:
            or_gone: Also where there is no such container at all.

        Raises:
            ConfigError: The engine has no such container.
        """
        away = (PreconditionError, ConfigError) if or_gone else PreconditionError
        try:
            return self.settings()
        except away:
            return self._made(None, AWAY)

    def _made(self, server: Container | None, host: str) -> Database:
        return Database(
            name=self.name,
            host=host,
            port=self.port,
            user=self.user,
            password=self.password,
            tools=self._tools(server),
            system_identifier=self.system_identifier,
            keep_old_days=self.keep_old_days,
            smoke_queries=self.smoke_queries,
            freshness_query=self.freshness_query,
            freshness_h=self.freshness_h,
            schema_query=self.schema_query,
        )

    def _server(self) -> Container | None:
        if not self.container:
            return None
        return find_container(self.docker.get_client if self.docker else partial(connect, ""), self.container)

    def _tools(self, server: Container | None) -> ClientTools:
        """Return where the client tools are: a folder goes before the container's image, and that before the PATH."""
        if server is None or self.tools_folder is not None:
            return ClientTools(folder=self.tools_folder)
        image = ToolImage(
            id=server.image,
            container=server.id,
            name=server.name,
            engine=engine_address(self.docker.base_url if self.docker else None),
            owner=f"{os.geteuid()}:{os.getegid()}",
        )
        return ClientTools(image=image)
