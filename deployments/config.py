"""The file that `pawpaw apply` reads: which blocks there shall be, with secrets from the environment.

A table `[blocks.<type>.<name>]` is one block. A value `{env = "NAME"}` is read from the environment; where a block
holds another, the value is `"<type>/<name>"`. Reading the file connects to nothing.
"""

import re
import tomllib
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from prefect.blocks.core import Block
from prefect_aws import AwsCredentials, MinIOCredentials
from prefect_docker import DockerHost, DockerRegistryCredentials
from pydantic import BaseModel

from blocks import BackupIdentity, BackupStore, ComposeProject, GitHubRepository, PostgresDatabase, RedisServer, Stack
from pawpaw_ops.errors import ConfigError

TYPES: tuple[type[Block], ...] = (
    DockerHost,
    DockerRegistryCredentials,
    AwsCredentials,
    MinIOCredentials,
    PostgresDatabase,
    RedisServer,
    BackupStore,
    BackupIdentity,
    ComposeProject,
    GitHubRepository,
    Stack,
)
"""Block types of a stack, each after those that it holds."""
BY_SLUG: Mapping[str, type[Block]] = {kind.get_block_type_slug(): kind for kind in TYPES}
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class WantedBlock:
    """One block as the file describes it.

    Attributes:
        values: Field -> value, the environment filled in.
        holds: Field -> type and name of the block that it holds.
    """

    kind: type[Block]
    name: str
    values: Mapping[str, Any]
    holds: Mapping[str, tuple[type[Block], str]]

    @property
    def title(self) -> str:
        """How people call it: `stack/prod`."""
        return f"{self.kind.get_block_type_slug()}/{self.name}"


@dataclass(frozen=True)
class Wanted:
    """What the file wants.

    Attributes:
        python: The worker's Python; empty means the one that applies.
        blocks: In an order in which each comes after those that it holds.
    """

    python: str
    blocks: tuple[WantedBlock, ...]

    @property
    def stacks(self) -> tuple[str, ...]:
        """Names of the stacks, which are the environments."""
        return tuple(block.name for block in self.blocks if block.kind is Stack)


def read(path: Path, env: Mapping[str, str]) -> Wanted:
    """Read the file.

    Raises:
        ConfigError: It cannot be read, has a key that means nothing, lacks a variable, or shows a secret.
    """
    try:
        with path.open("rb") as stream:
            found = tomllib.load(stream)
    except OSError as seen:
        raise ConfigError(
            f"could not read {path}: {seen.strerror}.", hint="Copy deployments/blocks.example.toml."
        ) from seen
    except tomllib.TOMLDecodeError as seen:
        raise ConfigError(f"{path} is not TOML: {seen}.") from seen
    _only(found, {"worker", "blocks"}, "")
    worker = _table(found.get("worker", {}), "worker")
    _only(worker, {"python"}, "worker")
    tables = _table(found.get("blocks", {}), "blocks")
    _only(tables, set(BY_SLUG), "blocks")
    return Wanted(python=str(worker.get("python", "")), blocks=tuple(_blocks(tables, env)))


def _blocks(tables: Mapping[str, Any], env: Mapping[str, str]) -> Iterator[WantedBlock]:
    for slug, kind in BY_SLUG.items():
        for name, table in _table(tables.get(slug, {}), f"blocks.{slug}").items():
            where = f"blocks.{slug}.{name}"
            if not NAME.fullmatch(name):
                raise ConfigError(f"{where}: a name has small letters, digits and single dashes.")
            yield _block(kind, name, _table(table, where), env, where)


def _block(kind: type[Block], name: str, table: Mapping[str, Any], env: Mapping[str, str], where: str) -> WantedBlock:
    _check_keys(kind, table, where)
    secret = {field.split(".")[0] for field in kind.model_json_schema().get("secret_fields", ())}
    values: dict[str, Any] = {}
    holds: dict[str, tuple[type[Block], str]] = {}
    for key, value in table.items():
        place = f"{where}.{key}"
        kinds = _classes(kind.model_fields[key].annotation, Block)
        if kinds:
            holds[key] = _reference(value, kinds, place)
        else:
            values[key] = _filled(value, env, place, secret=key in secret)
    return WantedBlock(kind, name, values, holds)


def _reference(value: object, kinds: tuple[type[Block], ...], place: str) -> tuple[type[Block], str]:
    slug, _, name = value.partition("/") if isinstance(value, str) else ("", "", "")
    for kind in kinds:
        if name and kind.get_block_type_slug() == slug:
            return kind, name
    wanted = " or ".join(f'"{kind.get_block_type_slug()}/NAME"' for kind in kinds)
    raise ConfigError(f"{place}: here another block is named, as {wanted}.")


def _filled(value: Any, env: Mapping[str, str], place: str, *, secret: bool) -> Any:
    """Put the environment in, at any depth."""
    if isinstance(value, dict):
        if set(value) == {"env"}:
            return _variable(value["env"], env, place)
        return {key: _filled(part, env, f"{place}.{key}", secret=secret) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, env, f"{place}[{at}]", secret=secret) for at, part in enumerate(value)]
    if secret and value:
        raise ConfigError(f"{place}: a secret does not stand in this file.", hint='Write {env = "NAME"} instead.')
    return value


def _variable(name: object, env: Mapping[str, str], place: str) -> str:
    if not isinstance(name, str) or not env.get(name):
        raise ConfigError(f"{place}: the environment has no {name}.", hint=f"Set {name} where `pawpaw apply` runs.")
    return env[name]


def _check_keys(model: type[BaseModel], table: Mapping[str, Any], where: str) -> None:
    """Refuse keys that the model would silently drop, at any depth."""
    fields = model.model_fields
    _only(table, set(fields), where)
    for key, value in table.items():
        inner = _classes(fields[key].annotation, BaseModel)
        if isinstance(value, dict) and inner and "env" not in value:
            _check_keys(inner[0], value, f"{where}.{key}")


def _classes(annotation: Any, base: type[Any]) -> tuple[type[Any], ...]:
    """Return the classes below *base* that an annotation allows."""
    if get_origin(annotation) in {Union, types.UnionType}:
        return tuple(kind for part in get_args(annotation) for kind in _classes(part, base))
    return (annotation,) if isinstance(annotation, type) and issubclass(annotation, base) else ()


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            place = f"{where}.{key}" if where else key
            raise ConfigError(f"{place} means nothing here.", hint=f"Known are: {', '.join(sorted(known))}.")


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: here stands a table.")
    return value
