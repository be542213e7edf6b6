"""The shop itself from a commit to a verdict: built, its suites run, its images started on empty servers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.stack.env import make_env
from flows.build_images import build_images
from flows.run_tests import run_tests
from pawpaw_ops.clients.env_file import read_env
from pawpaw_ops.clients.releases import find_build, find_tested
from tests.contract.support_project import ROOT, tracked
from tests.integration.stack.support_build import Sources
from tests.integration.stack.support_docker import BASES, base_image, docker, why_no_stack


class ShopSources(Sources):
    """The stack's files that git keeps, as they are now, in a repository of their own."""

    def lay_out(self) -> None:
        for path in tracked():
            if path.parts[0] == "stack":
                target = self.repository / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, target)
        given = {name: base_image(name) for name in BASES}
        make_env(self.folder / ".env.example", self.folder / ".env", given | {"STACK_NAME": self.name})
        self.env = read_env(self.folder / ".env")

    def remove(self) -> None:
        if found := self.tags():
            docker("image", "rm", "--no-prune", *found)


@pytest.fixture
def shop(prefect_api: None, tmp_path: Path) -> Iterator[ShopSources]:
    if why := why_no_stack():
        pytest.skip(f"needs a Docker Engine and Compose: {why}")
    made = ShopSources(tmp_path)
    yield made
    made.remove()


def test_the_shop_is_built_and_tested(shop: ShopSources) -> None:
    version = build_images(shop.name, services=["backend", "frontend", "postgres", "redis"])
    assert run_tests(shop.name, version=version) == "verified"
    said = find_tested(shop.state_dir, version)
    assert said is not None
    assert said.ids == {one.service: one.id for one in find_build(shop.state_dir, version).images}
    assert all(line.startswith("verified: ") for line in said.suites.values()), said.suites
