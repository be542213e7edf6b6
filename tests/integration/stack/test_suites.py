"""The shop's own tests, types and style, as its developers run them."""

from tests.integration.stack.support_docker import STACK, World
from tests.integration.stack.support_suites import backend_test_image, dev_image, passes


def test_the_backends_suite_passes(world: World) -> None:
    passes(world, backend_test_image())


def test_the_frontends_suite_passes(world: World) -> None:
    tests = f"--mount=type=bind,source={STACK / 'frontend' / 'tests'},target=/app/tests,readonly"
    passes(world, dev_image("frontend"), tests, command=("sh", "-c", "npm run typecheck && npm test"))
