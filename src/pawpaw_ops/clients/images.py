"""Images of a Docker engine: what they are, and how they get into a registry."""

import contextlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from docker import DockerClient, auth
from docker.errors import APIError, DockerException, ImageNotFound
from pydantic import SecretStr

from pawpaw_ops.clients.engine import connect
from pawpaw_ops.errors import StoreError, Unreachable
from pawpaw_ops.models.base import Noun

SNAPSHOTTER = "io.containerd.snapshotter.v1"
PUSH_S = 600
PULL_S, STALL_S = 1800, 300
"""How long a fetch may take, and how long the engine may say nothing of it meanwhile."""


class ImageFacts(Noun):
    """An image that the engine has.

    Attributes:
        id: `sha256:…`.
        digests: `name@sha256:…` for each registry that it came from or went to.
        labels: Its labels.
        architecture: `amd64`, `arm64`.
        checked: Whether it brings a health check of its own.
        size_bytes: Its size, layers that others share included.
    """

    id: str
    digests: tuple[str, ...]
    labels: Mapping[str, str]
    architecture: str
    checked: bool
    size_bytes: int


def find_image(address: str, ref: str) -> ImageFacts | None:
    """Look an image up by id, tag or digest; None where the engine does not have it.

    Raises:
        Unreachable: The engine does not answer.

    Source: docs.docker.com/reference/api/engine/version/v1.41 (ImageInspect).
    """
    with _engine(address, f"the image {ref}") as engine:
        try:
            found = engine.images.get(ref).attrs
        except ImageNotFound:
            return None
    config = found.get("Config") or {}
    test = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    return ImageFacts(
        id=found["Id"],
        digests=tuple(found.get("RepoDigests") or ()),
        labels=config.get("Labels") or {},
        architecture=found.get("Architecture", ""),
        checked=test != ["NONE"],
        size_bytes=found["Size"],
    )


def keeps_attestations(address: str) -> bool:
    """Whether the engine's store of images can keep a list of contents beside an image: containerd's can.

    Raises:
        Unreachable: The engine does not answer.

    Source: docs.docker.com/build/metadata/attestations.
    """
    with _engine(address, "its store of images") as engine:
        return any(SNAPSHOTTER in str(line) for line in engine.info().get("DriverStatus") or ())


def push(address: str, name: str, *, username: str, password: SecretStr) -> str:
    """Send an image to its registry. The login goes with the request: the CLI would write it into a file.

    Args:
        address: The engine's.
        name: `registry/name:tag`.
        username: Login; empty sends none.
        password: Its password or token.

    Returns:
        `name@sha256:…`, as anybody can fetch it.

    Raises:
        StoreError: The registry refused it, or was not to be reached.
        Unreachable: The engine does not answer.

    Touches:
        The registry.
    """
    login = {"username": username, "password": password.get_secret_value()} if username else None
    repository, _, tag = name.rpartition(":")
    with _engine(address, f"a push of {name}", timeout_s=PUSH_S) as engine:
        try:
            said = engine.images.push(repository, tag=tag, auth_config=login, stream=True, decode=True)
            return f"{repository}@{_digest(name, list(said))}"  # to its end: a half-read answer stays open
        except APIError as seen:
            raise StoreError(f"could not push {name}: {seen.explanation}.") from seen


def _digest(name: str, said: Iterable[Mapping[str, Any]]) -> str:
    digest = ""
    for line in said:
        if "error" in line:
            hint = "Check the registry's address and login in the Docker Registry Credentials block."
            raise StoreError(f"could not push {name}: {line['error']}.", hint=hint)
        digest = (line.get("aux") or {}).get("Digest", digest)
    if not digest:
        raise StoreError(f"pushed {name}, and the registry did not say under which digest it has it.")
    return digest


def pull(address: str, ref: str, *, username: str, password: SecretStr) -> None:
    """Fetch an image from its registry, all of it or nothing: the engine tries again, and drops what it has at the end.

    Args:
        address: The engine's.
        ref: `name@sha256:…`.
        username: Login; empty leaves it to what `docker login` wrote on this host.
        password: Its password or token.

    Raises:
        StoreError: The registry refused it, has no such image, was not to be reached, or did not give all of it.
        Unreachable: The engine does not answer.

    Touches:
        Images on the engine.

    Source: docs.docker.com/reference/api/engine/version/v1.41 (ImageCreate). The SDK's own `pull` waits without an end.
    """
    name, _, digest = ref.partition("@")
    with _engine(address, f"a pull of {ref}") as engine:
        api = engine.api
        login = {"username": username, "password": password.get_secret_value()}
        known = auth.get_config_header(api, auth.resolve_repository_name(name)[0])
        header = auth.encode_header(login) if username else known
        until = time.monotonic() + PULL_S
        try:
            with api.post(
                f"{api.base_url}/v{api.api_version}/images/create",
                params={"fromImage": name, "tag": digest},
                headers={"X-Registry-Auth": header} if header else {},
                stream=True,
                timeout=(60, STALL_S),
            ) as answer:
                for line in filter(None, answer.iter_lines()):
                    _check_pulled(ref, json.loads(line), begun=answer.ok)
                    if time.monotonic() > until:
                        raise StoreError(f"could not fetch {ref}: it took more than {PULL_S} s.")
        except OSError as seen:
            raise StoreError(f"could not fetch {ref}: the engine stopped answering: {seen}.") from seen


def _check_pulled(ref: str, said: Mapping[str, Any], *, begun: bool) -> None:
    """Refuse what the engine says of a fetch that it did not begin, or that went wrong."""
    why = said.get("error") or ("" if begun else said.get("message"))
    if why:
        raise StoreError(f"could not fetch {ref}: {str(why).rstrip('.')}.")


@contextlib.contextmanager
def _engine(address: str, what: str, *, timeout_s: int = 60) -> Iterator[DockerClient]:
    try:
        engine = connect(address, timeout_s=timeout_s)
        try:
            yield engine
        finally:
            engine.close()
    except (DockerException, OSError) as seen:  # a connection that broke is none of the SDK's own errors
        raise Unreachable(
            f"asked for {what} and the Docker engine did not answer: {seen}.", hint="Start it, or set DOCKER_HOST."
        ) from seen
