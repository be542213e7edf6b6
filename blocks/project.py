"""The block of a Compose project."""

from pathlib import Path

from prefect_docker import DockerHost
from pydantic import Field

from blocks.base import OpsBlock
from pawpaw_ops.clients.compose_project import find_project
from pawpaw_ops.clients.engine import engine_address
from pawpaw_ops.models.project import Project


class ComposeProject(OpsBlock):
    """The stack's containers: the Compose file that they are made from, its `.env`, and which service does what."""

    _block_type_name = "Compose Project"

    folder: Path = Field(description="Folder of the Compose file on the worker's host.")
    file: str = Field(default="docker-compose.prod.yml", description="Name of the Compose file in it.")
    env_file: Path = Field(
        default=Path(".env"), description="File with its variables; in the folder unless it begins with a slash."
    )
    gateway: str = Field(default="nginx", description="Service that is the gateway.")
    database_clients: list[str] = Field(
        default_factory=lambda: ["backend"],
        description="Services that hold sessions of the database; a restore with quiesce=stop stops them.",
    )
    image_scan: list[str] = Field(
        default_factory=list,
        description="Words of the command with which audit-dependencies scans an image; {image} stands for it. It must"
        " print SARIF. Empty: what is in the images is not known, and the audit says so.",
    )
    docker: DockerHost | None = Field(
        default=None, description="The Docker engine. Empty uses this host's engine, or DOCKER_HOST."
    )

    def settings(self) -> Project:
        """Return the frozen settings; the `.env` is read now.

        Raises:
            ConfigError: There is no such Compose file, or the `.env` cannot be read.
        """
        return find_project(
            self.folder / self.file,
            self.folder / self.env_file,
            gateway=self.gateway,
            database_clients=tuple(self.database_clients),
            image_scan=tuple(self.image_scan),
            engine=engine_address(self.docker.base_url if self.docker else None),
        )
