"""The shop's test in a browser, in a container from its Dockerfiles; `run_tests` runs the other suites."""

from tests.integration.stack.support_docker import STACK, World, attempt, base_image, build


def visit_image() -> str:
    """Build the browser test with its browser, upon the frontend with every package."""
    bases = {"BASE_NODE": base_image("BASE_NODE")}
    dev = build(STACK / "frontend", "pawpaw-test/frontend-dev:local", bases, "--target=dev")
    return build(STACK / "frontend" / "e2e", "pawpaw-test/shop-visit:local", {**bases, "DEV_IMAGE": dev})


def passes(world: World, image: str, *options: str) -> None:
    """Run a suite to its end; what it wrote is shown when it fails."""
    limits = ("--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=2g", "--shm-size=256m")
    words = ("run", "--rm", "--init", "--label", world.label, "--env=NO_COLOR=1", *limits, *options, image)
    done = attempt(*words, timeout_s=900)
    assert done.returncode == 0, f"exit code {done.returncode}\n{(done.stdout + done.stderr)[-30_000:]}"
