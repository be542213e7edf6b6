"""What engines of different ages say of their images."""

from typing import Any

import pytest

from pawpaw_ops.clients import inventory
from pawpaw_ops.models.inventory import Image

PROJECT = {"com.docker.compose.project": "paw"}
OF_20_10: dict[str, Any] = {
    "Containers": -1, "Created": 1795552802, "Id": "sha256:a", "Labels": None, "ParentId": "sha256:b",
    "RepoDigests": ["<none>@<none>"], "RepoTags": ["<none>:<none>"], "SharedSize": -1, "Size": 9, "VirtualSize": 9,
}  # fmt: skip
OF_28: dict[str, Any] = {
    "Containers": -1, "Created": 1795552802, "Id": "sha256:a", "ParentId": "", "RepoDigests": ["paw/api@sha256:c"],
    "RepoTags": ["paw/api:1", "paw/api:keep-it"], "SharedSize": -1, "Size": 9, "Manifests": [],
    "Descriptor": {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": "sha256:c", "size": 856},
}  # fmt: skip
RUNNING: dict[str, Any] = {
    "Id": "1",
    "Names": ["/paw-api-1"],
    "ImageID": "sha256:a",
    "Labels": PROJECT,
    "State": "running",
    "Created": 0,
}
ONE_OFF: dict[str, Any] = {**RUNNING, "Id": "2", "Names": ["/paw-migrate-run-1"], "State": "exited",
           "Labels": {**PROJECT, "com.docker.compose.oneoff": "True"}}  # fmt: skip
NAMELESS: dict[str, Any] = {**RUNNING, "Id": "3", "Names": None, "Labels": None, "State": "exited"}


@pytest.mark.parametrize(
    ("said", "parsed"),
    [
        (OF_20_10, Image(id="sha256:a", parent="sha256:b", size_bytes=9, own_bytes=4)),
        ({**OF_28, "RepoTags": None, "RepoDigests": None}, Image(id="sha256:a", size_bytes=9, own_bytes=4)),
        (
            OF_28,
            Image(
                id="sha256:a", names=tuple(OF_28["RepoTags"]), digests=("paw/api@sha256:c",), size_bytes=9, own_bytes=4
            ),
        ),
    ],
    ids=["20.10", "28, nameless", "28"],
)
def test_prune_PRN_07_engines_of_all_ages_are_understood(said: dict[str, Any], parsed: Image) -> None:
    found = inventory.parse([said], [], "paw", {"sha256:a": 4})
    assert found.images == (parsed,)


def test_prune_PRN_07_every_container_uses_its_image_and_only_our_ended_one_offs_are_listed() -> None:
    other = {**ONE_OFF, "Labels": {**ONE_OFF["Labels"], "com.docker.compose.project": "other"}}
    found = inventory.parse([OF_20_10], [RUNNING, ONE_OFF, other, NAMELESS], "paw", {})
    assert [one.name for one in found.one_offs] == ["paw-migrate-run-1"]
    assert set(found.used) == {"sha256:a"}


def test_prune_PRN_07_sizes_that_were_not_counted_are_missing() -> None:
    said = {
        "LayersSize": 20,
        "Images": [{"Id": "sha256:a", "Size": 9, "SharedSize": 5}, {"Id": "sha256:b", "Size": 9, "SharedSize": -1}],
        "Volumes": [
            {"Name": "paw_loki", "Labels": PROJECT, "UsageData": {"Size": 3, "RefCount": 1}},
            {"Name": "paw_redis", "Labels": PROJECT, "UsageData": {"Size": -1, "RefCount": 1}},
            {"Name": "other", "Labels": None, "UsageData": None},
        ],
        "BuildCache": None,
    }
    found = inventory.parse_usage(said, "paw")
    assert (found.layers, found.own, found.cache, found.volumes) == (20, {"sha256:a": 4}, 0, {"loki": 3})
