"""What kind of backup an artefact is."""

import json
from datetime import UTC, datetime

import pytest

from pawpaw_ops.models.backup import AnyContents, Contents, Manifest
from pawpaw_ops.models.kinds import MANIFESTS, parse_contents
from pawpaw_ops.models.redis import RedisContents, RedisManifest
from tests.unit.plans.test_redis import contents as redis_contents
from tests.unit.support_backups import contents

AT = datetime(2026, 8, 1, tzinfo=UTC)


@pytest.mark.parametrize("made", [contents(AT), redis_contents()], ids=["database", "redis"])
def test_contents_come_back_as_what_they_were(made: AnyContents) -> None:
    assert parse_contents(made.model_dump_json().encode()) == made


@pytest.mark.parametrize("raw", [b"[]", b"{}", b"x", b'{"kind": "other"}'])
def test_contents_of_no_kind(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of pydantic or json, which are its kinds
        parse_contents(raw)


def test_a_manifest_holds_contents_of_its_own_kind() -> None:
    assert {"": Manifest, "redis/": RedisManifest} == MANIFESTS
    made = RedisManifest(contents=redis_contents(), object_key="k", size_bytes=1, sha256="0", recipients=(), run_id="r")
    assert RedisManifest.from_json(made.to_json(), where="here") == made
    assert isinstance(made.contents, RedisContents)
    assert json.loads(made.to_json())["manifest"]["contents"]["kind"] == "redis"


def test_how_people_call_what_was_backed_up() -> None:
    assert contents(AT).subject == "shop/app"
    assert redis_contents().subject == "shop/redis/carts"
    assert (contents(AT).unit, contents(AT).count, redis_contents().unit, redis_contents(7).count) == (
        *(Contents.unit, 1000),
        *("keys", 7),
    )
