"""The shop's own suites: how each is run, and what its end says. One that could not run is never green."""

import re
from collections.abc import Callable, Iterable, Mapping
from xml.etree import ElementTree as ET

from pawpaw_ops.models.base import Noun, Verdict
from pawpaw_ops.models.release import Build, BuildVerdict
from pawpaw_ops.plans.services import Kind, Service

JUNIT = "/tmp/junit.xml"  # noqa: S108 - inside a container of its own
VITEST = ("npx", "vitest", "run", "--reporter=default", "--reporter=junit", f"--outputFile.junit={JUNIT}")
FAILS = range(1, 125)
"""Exit codes of the program itself; above them it was not found, or was killed."""
NAMED = 5
REQUIRED = re.compile(r"\$\{([A-Z][A-Z0-9_]*):\?")
VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)")


class Suite(Noun):
    """One suite.

    Attributes:
        service: Whose sources it is in.
        with_servers: Whether it runs in the image of `test/Dockerfile`, which has the servers that it starts.
        mounts: Folders of the sources that the image leaves out.
        argv: What runs.
        counted: Whether it leaves a JUnit file.
    """

    name: str
    service: str
    with_servers: bool = False
    mounts: tuple[str, ...] = ()
    argv: tuple[str, ...]
    counted: bool = True


SUITES = (
    Suite(
        name="backend-lint",
        service="backend",
        with_servers=True,
        argv=("sh", "-c", "npm run typecheck && npm run lint"),
        counted=False,
    ),
    Suite(name="backend", service="backend", with_servers=True, argv=VITEST),
    Suite(
        name="frontend-lint",
        service="frontend",
        mounts=("tests",),
        argv=("npm", "run", "typecheck"),
        counted=False,
    ),
    Suite(name="frontend", service="frontend", mounts=("tests",), argv=VITEST),
)


class Counts(Noun):
    """What a JUnit file says.

    Attributes:
        tests: How many ran, skipped ones not among them.
        skipped: How many did not.
        failed: Names of those that failed.
    """

    tests: int
    skipped: int
    failed: tuple[str, ...]


class SuiteResult(Noun):
    """How a suite ended."""

    name: str
    verdict: Verdict
    says: str
    took_s: float = 0.0

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.verdict}: {self.says}"


def parse_junit(text: str) -> Counts | None:
    """Parse a JUnit file; None where it is none.

    Source: github.com/testmoapp/junitxml, as vitest's reporter writes it.
    """
    try:
        cases = list(ET.fromstring(text).iter("testcase"))  # noqa: S314 - written by our own suite
    except ET.ParseError:
        return None
    skipped = [one for one in cases if one.find("skipped") is not None]
    failed = [one for one in cases if one.find("failure") is not None or one.find("error") is not None]
    names = tuple(one.get("name", "?") for one in failed)
    return Counts(tests=len(cases) - len(skipped), skipped=len(skipped), failed=names)


def judge(suite: Suite, exit_code: int | None, counts: Counts | None, *, said: str = "") -> tuple[Verdict, str]:
    """Decide what a suite's end says.

    Args:
        suite: The suite.
        exit_code: Of its program; None or below zero where that never ran to its end.
        counts: What it counted.
        said: Why it never ran to its end.
    """
    if exit_code is None or exit_code not in {0, *FAILS}:
        return Verdict.NOT_VERIFIED, f"it did not run to its end: {said or exit_code}"
    if not suite.counted:
        return (Verdict.VERIFIED, "clean") if exit_code == 0 else (Verdict.FAILED, f"ended with exit code {exit_code}")
    return _judge_counted(exit_code, counts)


def _judge_counted(exit_code: int, counts: Counts | None) -> tuple[Verdict, str]:
    if counts is None:
        return Verdict.NOT_VERIFIED, f"it left no results, and ended with exit code {exit_code}"
    if counts.failed:
        names = ", ".join(counts.failed[:NAMED]) + (" and more" if len(counts.failed) > NAMED else "")
        return Verdict.FAILED, f"{len(counts.failed)} of {counts.tests} tests failed: {names}"
    if exit_code:
        return Verdict.FAILED, f"no test failed, yet it ended with exit code {exit_code}"
    if not counts.tests:
        return Verdict.NOT_VERIFIED, "no test ran"
    return Verdict.VERIFIED, f"{counts.tests} tests passed" + (f", {counts.skipped} skipped" if counts.skipped else "")


def verdict_of(build: Build, tested: Mapping[str, str], results: Iterable[SuiteResult]) -> Verdict:
    """Return what the suites say together.

    Args:
        build: The build.
        tested: Service -> id of the image that ran.
        results: Of all suites, those that were left out too.
    """
    seen = list(results)
    ids = {one.service: one.id for one in build.images}
    strangers = any(ids.get(service) != image for service, image in tested.items())
    return Verdict.worst([one.verdict for one in seen] + ([Verdict.FAILED] if strangers else []))


def told(verdict: BuildVerdict) -> str:
    """Write a verdict as a person reads it."""
    return "; ".join(f"{name} {line}" for name, line in verdict.suites.items())


def smoked(services: Iterable[Service], build: Build) -> tuple[Service, ...]:
    """Choose what is started from the build: what says when it is ready, and what two stacks can run at once."""
    built = {one.service for one in build.images}
    return tuple(one for one in services if one.name in built and one.kind is Kind.ROLLING and one.ready)


def throwaway_env(
    file: str, raw: Mapping[str, Mapping[str, str]], env: Mapping[str, str], *, name: str, make: Callable[[], str]
) -> dict[str, str]:
    """Return the variables of a stack that is thrown away: its own name and containers, secrets made for it.

    Args:
        file: The Compose file's text.
        raw: Its services with no variable filled in.
        env: The stack's own `.env`; only names of images are taken from it.
        name: The project.
        make: Makes a secret.
    """
    found = {variable: value for variable, value in env.items() if variable.endswith("_IMAGE")}
    found |= {variable: make() for variable in REQUIRED.findall(file)}
    for service, about in raw.items():
        if match := VARIABLE.match(about.get("container_name", "")):
            found[match[1]] = f"{name}-{service}"
    return found | {"STACK_NAME": name, "COMPOSE_PROFILES": ""}
