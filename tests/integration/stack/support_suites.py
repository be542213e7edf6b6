"""The shop's own suites, each in a container that is built from its Dockerfiles."""

from collections.abc import Sequence

from tests.integration.stack.support_docker import STACK, World, attempt, base_image, build


def dev_image(part: str) -> str:
    """Build the development image of the backend or the frontend: sources and every package, none left out."""
    bases = {"BASE_NODE": base_image("BASE_NODE")}
    return build(STACK / part, f"pawpaw-test/{part}-dev:local", bases, "--target=dev")


def backend_test_image() -> str:
    """Build the backend with its tests, and the servers that these start."""
    arguments = {"BASE_NODE": base_image("BASE_NODE"), "DEV_IMAGE": dev_image("backend")}
    folder = STACK / "backend"
    return build(folder, "pawpaw-test/backend-test:local", arguments, f"--file={folder / 'test' / 'Dockerfile'}")


def visit_image() -> str:
    """Build the browser test with its browser."""
    arguments = {"BASE_NODE": base_image("BASE_NODE"), "DEV_IMAGE": dev_image("frontend")}
    return build(STACK / "frontend" / "e2e", "pawpaw-test/shop-visit:local", arguments)


def passes(world: World, image: str, *options: str, command: Sequence[str] = ()) -> None:
    """Run a suite to its end; what it wrote is shown when it fails."""
    limits = ("--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=2g", "--shm-size=256m")
    words = ("run", "--rm", "--init", "--label", world.label, "--env=NO_COLOR=1", *limits, *options, image, *command)
    done = attempt(*words, timeout_s=900)
    assert done.returncode == 0, f"exit code {done.returncode}\n{(done.stdout + done.stderr)[-30_000:]}"
