"""Running the shop's own suites on the sources of a build."""

import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pawpaw_ops.clients.releases import find_build, save_tested
from pawpaw_ops.commands import compose, contained, images
from pawpaw_ops.commands import suites as command
from pawpaw_ops.commands.docker import copy_out
from pawpaw_ops.errors import CommandError, ConfigError, VerificationError
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.release import Build, BuildVerdict
from pawpaw_ops.models.stack import Workplace
from pawpaw_ops.plans.suites import JUNIT, SUITES, Suite, SuiteResult, judge, parse_junit, told, verdict_of
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks import report
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.sources import Sources

TAIL = 30
RELEASE = "RELEASE_ID"


class Bench:
    """Where suites run: their images and containers, which go when the block ends; what they said stays.

    Attributes:
        kept: Folder for JUnit files and logs.
        args: Service -> its build arguments.
    """

    def __init__(self, place: Workplace, sources: Sources, build: Build) -> None:
        self.place, self.sources, self.build = place, sources, build
        self.engine = place.project.engine
        self.run_id = f"tests-{secrets.token_hex(4)}"
        self.kept = place.state_dir / "tests" / build.version
        self.args: dict[str, dict[str, str]] = {}
        self.env: dict[str, str] = {}
        self.ready: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Look for a builder and read the build arguments."""
        self.kept.mkdir(parents=True, exist_ok=True)
        ask = LocalRunner().ask
        self.env = {} if ask(images.buildx()) else dict(images.ENGINES_OWN)
        found: dict[str, Any] = ask(compose.config(self.sources.project, env={}))["services"]
        self.args = {name: dict((one.get("build") or {}).get("args") or {}) for name, one in found.items()}
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _seen: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Remove containers and the names of images."""
        runner = LocalRunner()
        if left := runner.ask(contained.labelled(self.engine, f"{contained.RUN_LABEL}={self.run_id}")):
            runner.run(contained.remove(self.engine, left))
        if self.ready:
            runner.run(images.untag(self.engine, *self.ready.values()))

    def image(self, suite: Suite) -> str:
        """Build the image that a suite runs in, unless it is there; errors as in `LocalRunner.run`."""
        dev = self._build(suite.service, target="dev")
        if not suite.with_servers:
            return dev
        file = self._folder(suite.service) / "test" / "Dockerfile"
        return self._build(f"{suite.service}-test", file=file, of=suite.service, more={"DEV_IMAGE": dev})

    def mounts(self, suite: Suite) -> dict[Path, str]:
        """Return what the suite needs and its image leaves out."""
        return {self._folder(suite.service) / name: f"/app/{name}" for name in suite.mounts}

    def _folder(self, service: str) -> Path:
        return self.sources.project.file.parent / service

    def _build(
        self,
        name: str,
        *,
        of: str = "",
        target: str = "",
        file: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> str:
        if name not in self.ready:
            service = of or name
            tag = f"{self.place.project.name}-{name}:{self.run_id}"
            arguments = {key: value for key, value in self.args.get(service, {}).items() if key != RELEASE}
            LocalRunner().run(
                command.build_image(
                    self.engine,
                    self._folder(service),
                    tag,
                    arguments={**arguments, **(more or {})},
                    env=self.env,
                    log=self.kept / f"{name}-image.log",
                    file=file,
                    target=target,
                )
            )
            self.ready[name] = tag
        return self.ready[name]


@operation("choose build to test")
def choose(place: Workplace, version: str) -> Build:
    """Find the build.

    Raises:
        PreconditionError: There is none.

    Touches:
        Nothing.
    """
    return find_build(place.state_dir, version)


def chosen(only: Sequence[str]) -> tuple[Suite, ...]:
    """Return the suites of these names, or all.

    Raises:
        ConfigError: There is none of that name.
    """
    known = {suite.name: suite for suite in SUITES}
    if unknown := sorted(set(only) - set(known)):
        raise ConfigError(f"{', '.join(unknown)} is no suite; those are {', '.join(known)}.")
    return tuple(suite for suite in SUITES if not only or suite.name in only)


@operation("run suite")
def run_suite(bench: Bench, suite: Suite, *, timeout_s: float) -> SuiteResult:
    """Run one suite to its end; whatever keeps it from running makes it not verified, and is no failure of the task.

    Touches:
        A container and images that go again; the suite's JUnit file and log in the stack's folder.
    """
    began, name = time.monotonic(), f"{bench.run_id}-{suite.name}"
    log, results = bench.kept / f"{suite.name}.log", bench.kept / f"{suite.name}.xml"
    results.unlink(missing_ok=True)
    code, said = _run(bench, suite, name, log, timeout_s)
    if suite.counted:
        LocalRunner().run(copy_out(bench.engine, name, JUNIT, results, may_lack=True))
    counts = parse_junit(results.read_text(errors="replace")) if results.exists() else None
    verdict, says = judge(suite, code, counts, said=said)
    result = SuiteResult(name=suite.name, verdict=verdict, says=says, took_s=round(time.monotonic() - began, 1))
    _log(result, log)
    return result


def _run(bench: Bench, suite: Suite, name: str, log: Path, timeout_s: float) -> tuple[int | None, str]:
    """Run it; returns the exit code of its own program, None where that did not run to its end, and why not."""
    try:
        image = bench.image(suite)
    except CommandError as seen:
        return None, f"its image could not be built: {_told(seen)}"
    try:
        LocalRunner().run(
            command.run(
                bench.engine,
                image,
                *suite.argv,
                name=name,
                run_id=bench.run_id,
                mounts=bench.mounts(suite),
                log=log,
                timeout_s=timeout_s,
            )
        )
    except CommandError as seen:
        # A deadline ends the program too, and no exit code of that is its own.
        return None if isinstance(seen, TimeoutError) else seen.exit_code, _told(seen)
    return 0, ""


def _told(seen: CommandError) -> str:
    return seen.message.partition(" (command: ")[0]


def _log(result: SuiteResult, log: Path) -> None:
    logger = report.logger()
    if result.verdict is Verdict.VERIFIED:
        logger.info("%s: %s", result.name, result.says)
        return
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:]) if log.exists() else ""
    logger.error("%s: %s\n%s", result.name, result.line, tail)


@operation("record verdict")
def record(
    place: Workplace, build: Build, results: Sequence[SuiteResult], tested: Mapping[str, str], *, whole: bool
) -> BuildVerdict:
    """Write down what the suites say of the build's images.

    Args:
        place: The stack.
        build: The build.
        results: Of the suites that ran.
        tested: Service -> id of the image that ran.
        whole: Whether no suite was left out.

    Raises:
        VerificationError: A suite failed or could not run.

    Touches:
        `builds/` in the stack's folder, and an artifact in Prefect.
    """
    left_out = [] if whole else [SuiteResult(name="others", verdict=Verdict.NOT_VERIFIED, says="were left out")]
    seen = [*results, *left_out]
    verdict = BuildVerdict(
        version=build.version,
        ids=dict(tested),
        verdict=verdict_of(build, tested, seen),
        tested_at=utc_now(),
        suites={one.name: one.line for one in seen},
    )
    save_tested(place.state_dir, verdict)
    rows = [
        {"suite": one.name, "verdict": str(one.verdict), "says": one.says, "took": f"{one.took_s:.1f} s"}
        for one in seen
    ]
    gist = (
        f"**{build.version}**: {verdict.verdict}; JUnit files and logs are in `{place.state_dir}/tests/{build.version}`"
    )
    report.table(f"tests-{place.name}", rows, gist=gist)
    if verdict.verdict is not Verdict.VERIFIED:
        raise VerificationError(
            f"the build {build.version} is {verdict.verdict}: {told(verdict)}.",
            hint="No deploy takes it by default. Nothing that serves was touched.",
        )
    return verdict
