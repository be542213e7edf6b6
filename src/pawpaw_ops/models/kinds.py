"""The kinds of backups that there are, and how one tells which it is."""

import json
from collections.abc import Mapping
from typing import Any

from pawpaw_ops.models.backup import AnyContents, AnyManifest, Contents, Manifest
from pawpaw_ops.models.redis import RedisContents, RedisManifest

MANIFESTS: Mapping[str, type[AnyManifest]] = {kind.holds.below: kind for kind in (Manifest, RedisManifest)}
"""What stands between stack and name in the store's keys -> what its manifests are."""


def parse_contents(raw: bytes) -> AnyContents:
    """Parse the contents of a sealed artefact; those of a database say no kind.

    Raises:
        ValueError: They are none of ours.
    """
    found: Any = json.loads(raw)
    kind = found.get("kind") if isinstance(found, dict) else None
    return (RedisContents if kind == "redis" else Contents).model_validate(found)
