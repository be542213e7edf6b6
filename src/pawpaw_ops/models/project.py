"""A Compose project: the containers of a stack, and the files that they are made from."""

from pathlib import Path

from pydantic import Field

from pawpaw_ops.models.base import Noun


class Project(Noun):
    """A Compose project on this host.

    Attributes:
        name: What Compose calls it; labels of its containers carry it.
        file: Compose file.
        env_file: File with the values of its variables.
        upstreams: Folder that the gateway has mounted at `/etc/nginx/upstreams.d`.
        log_targets: Folder in which the log shipper looks for whose files it reads; None where there is none.
        textfile: Folder of numbers that Prometheus gets through the node exporter; None where there is none.
        acme: Folder that the gateway serves to certificate authorities; None where there is none.
        gateway: Service that is the gateway.
        database_clients: Services that hold sessions of the database.
        image_scan: Command line of a scanner of images, with `{image}`; empty where there is none.
        engine: Address of the Docker engine; empty means `DOCKER_HOST`, else this host's.
    """

    name: str = Field(min_length=1)
    file: Path
    env_file: Path
    upstreams: Path
    log_targets: Path | None = None
    textfile: Path | None = None
    acme: Path | None = None
    gateway: str = "nginx"
    database_clients: tuple[str, ...] = ("backend",)
    image_scan: tuple[str, ...] = ()
    engine: str = ""
