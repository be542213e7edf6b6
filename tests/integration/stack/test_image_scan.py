"""The scanner that a Compose Project block names, asked about a real Compose file: a program of the test's own."""

from pathlib import Path

import pytest

from pawpaw_ops.clients.compose_project import find_project
from pawpaw_ops.models.base import Verdict
from pawpaw_ops.models.stack import Workplace
from pawpaw_ops.tasks.image_scan import scan_images

pytestmark = pytest.mark.usefixtures("docker_engine")
GOLDEN = Path(__file__).parents[2] / "unit" / "plans" / "golden" / "trivy.sarif.json"
COMPOSE = """
name: scanned
services:
  api: {image: "shop-api:1", build: ./api}
  migrate: {image: "shop-api:1"}
  cache: {image: "redis:7.4"}
"""
IMAGES = ["redis:7.4", "shop-api:1"]


def scanned(folder: Path, *words: str) -> list[tuple[str, str, Verdict]]:
    """Return check, place and verdict of each finding."""
    (folder / "docker-compose.yml").write_text(COMPOSE)
    (folder / ".env").touch()
    project = find_project(folder / "docker-compose.yml", folder / ".env", image_scan=words)
    found = scan_images.fn(Workplace(name="shop", state_dir=folder, project=project))
    return [(one.check, one.where, one.verdict) for one in found]


def test_audit_the_scanner_of_the_block_is_asked_about_each_image_once(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    told = scanned(tmp_path, "sh", "-c", f'echo "$1" >> {asked}; cat {GOLDEN}', "sh", "{image}")
    assert asked.read_text().split() == IMAGES
    each = ("CVE-2021-44228", "CVE-2023-0464", "image-scan")
    assert told == [(check, image, Verdict.FAILED) for image in IMAGES for check in each]


def test_audit_DEP_02_a_scanner_that_fails_or_is_not_there_is_not_green(tmp_path: Path) -> None:
    for words in (("false", "{image}"), ("/not/there", "{image}"), ("echo", "{image}")):
        assert scanned(tmp_path, *words) == [("image-scan", image, Verdict.NOT_VERIFIED) for image in IMAGES]
    assert scanned(tmp_path) == [("image-scan", "stack", Verdict.NOT_VERIFIED)]
