"""Blocks are documented and keep their secrets."""

import inspect
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from prefect.blocks.core import Block
from pydantic import SecretStr

import blocks
from blocks.base import OpsBlock

KINDS: list[type[Block]] = [getattr(blocks, name) for name in blocks.__all__]
each_block = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
SECRET = re.compile(r"(?:password|secret|token|identities|private_key|api_key)$")


def parts(hint: Any) -> Iterator[Any]:
    """Go through a type and everything that it is made of."""
    yield hint
    for part in typing.get_args(hint):
        yield from parts(part)


@each_block
def test_a_block_is_one_of_ours_and_says_what_it_is(kind: type[Block]) -> None:
    """Its docstring is its text in the UI."""
    assert issubclass(kind, OpsBlock)
    assert (inspect.getdoc(kind) or "").splitlines()[0].endswith(".")
    assert kind.get_description()


@each_block
def test_every_field_is_described(kind: type[Block]) -> None:
    """In whole sentences: the UI shows them beside the field."""
    fields = {name: field for name, field in kind.model_fields.items() if name not in Block.model_fields}
    assert fields
    assert [name for name, field in fields.items() if not (field.description or "").endswith(".")] == []


@each_block
def test_what_is_secret_has_a_secret_type(kind: type[Block]) -> None:
    """A field with a secret's name is `SecretStr` or `SecretDict`, or made of nothing else."""
    for name, field in kind.model_fields.items():
        if SECRET.search(name):
            assert "Secret" in repr(field.annotation), name


@each_block
def test_no_mapping_of_secrets(kind: type[Block]) -> None:
    """Prefect stores the values of a `dict[str, SecretStr]` in clear; `SecretDict` is what hides them."""
    for name, field in kind.model_fields.items():
        for part in parts(field.annotation):
            origin = typing.get_origin(part)
            mapping = isinstance(origin, type) and issubclass(origin, Mapping)
            assert not (mapping and SecretStr in parts(part)), name
