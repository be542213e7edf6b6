"""Steps that make a better lock, prove it in the images that are built of it, and ask for it on GitHub."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from pawpaw_ops.clients import github
from pawpaw_ops.commands import git, packages
from pawpaw_ops.errors import CommandError, ConfigError, PreconditionError, VerificationError
from pawpaw_ops.models.base import Noun, Verdict, utc_now
from pawpaw_ops.models.finding import Severity, Weakness
from pawpaw_ops.models.github import GitHub
from pawpaw_ops.models.registry import Registry
from pawpaw_ops.models.release import Build
from pawpaw_ops.models.stack import Workplace
from pawpaw_ops.plans import dependencies as plan
from pawpaw_ops.plans.suites import SUITES
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks import build_images, report, run_tests
from pawpaw_ops.tasks.dependencies import LOCK, audit_npm, locks
from pawpaw_ops.tasks.operation import operation
from pawpaw_ops.tasks.smoke import smoke
from pawpaw_ops.tasks.sources import written_out, written_out_again

WHO = {"name": "pawpaw-ops", "email": "pawpaw-ops@users.noreply.github.com"}


class Change(Noun):
    """A better lock.

    Attributes:
        commit: It, with its old parent; the stack's repository has it, and no branch of it.
        branch: What it will be called.
        before: What is known against the old locks.
        after: What is known against the new ones.
        waiting: Fixes that are out and too young to be taken.
    """

    commit: str
    branch: str
    before: tuple[Weakness, ...]
    after: tuple[Weakness, ...]
    waiting: tuple[str, ...]


@contextlib.contextmanager
def workshop(place: Workplace) -> Iterator[Path]:
    """Have a clone of the stack's repository while the block lasts; returns the stack's folder in it.

    Raises:
        CommandError: The stack's folder is in no repository.

    Touches:
        A temporary folder, which goes again.
    """
    origin, runner = place.project.file.parent, LocalRunner()
    top = runner.ask(git.top(origin))
    with tempfile.TemporaryDirectory(prefix="pawpaw-update-") as made:
        clone = Path(made) / "clone"
        runner.run(git.clone(top, clone))
        yield clone / origin.resolve().relative_to(top.resolve())


@operation("make a better lock")
def make_change(place: Workplace, folder: Path, *, min_age_days: int) -> Change:
    """Let npm take newer versions into the locks, and hold the new ones against the old.

    Args:
        place: The stack.
        folder: Its folder in a clone.
        min_age_days: No version that is younger is taken.

    Raises:
        PreconditionError: Nothing can be mended now; fixes that are too young are named.
        VerificationError: The new locks are worse in some severity or could not be audited, or more than locks changed.

    Touches:
        The clone; one commit in the stack's repository that no branch has.
    """
    runner, now = LocalRunner(), utc_now()
    before = audit_npm.fn(folder)
    if unknown := [one for one in before if one.verdict is Verdict.NOT_VERIFIED]:
        raise PreconditionError(f"what is known against the locks is not known: {unknown[0].says}.")
    waiting = _waiting(folder, days=min_age_days)
    for lock in locks(folder):
        _fix(lock, before=f"{now - timedelta(days=min_age_days):%Y-%m-%d}")
    changed = runner.ask(git.changes(folder))
    if not changed:
        said = "; ".join(waiting) or "no newer version mends anything"
        raise PreconditionError(f"the locks stay as they are: {said}.", hint="Nothing is ever taken by force.")
    if others := [name for name in changed if Path(name).name != LOCK]:
        raise VerificationError(f"more than locks changed: {', '.join(others)}. It was thrown away.")
    after = audit_npm.fn(folder)
    plan.check_better(before, after)
    runner.run(git.commit_all(folder, "Newer packages, in the locks alone", **WHO))
    commit, _ = runner.ask(git.commit(folder))
    runner.run(git.fetch_from(place.project.file.parent, runner.ask(git.top(folder)), commit))
    branch = f"pawpaw/packages-{now:%Y%m%d}-{commit[:8]}"
    return Change(commit=commit, branch=branch, before=before, after=after, waiting=waiting)


def _fix(lock: Path, *, before: str) -> None:
    """Let npm mend a lock; one that only looks otherwise afterwards is put back."""
    text = lock.read_text()
    LocalRunner().run(packages.npm_fix(lock.parent, before=before))
    if plan.versions(json.loads(text)) == plan.versions(json.loads(lock.read_text())):
        lock.write_text(text)


def _waiting(folder: Path, *, days: int) -> tuple[str, ...]:
    """Try it without waiting, in a copy: what that would mend more is waited for."""
    found: list[str] = []
    before = f"{utc_now() - timedelta(days=days):%Y-%m-%d}"
    for lock in locks(folder):
        with tempfile.TemporaryDirectory(prefix="pawpaw-update-") as made:
            cool, warm = (
                _fixed_copy(lock, Path(made) / name, until) for name, until in (("cool", before), ("warm", ""))
            )
            young = plan.moved(*(json.loads((one / LOCK).read_text()) for one in (cool, warm)))
            ends = (audit_npm.fn(one.parent) for one in (cool, warm))
            found += plan.cooling(*ends, days=days, on=_old_enough(warm, young, days=days))
    return tuple(found)


def _fixed_copy(lock: Path, place: Path, before: str) -> Path:
    copy = place / lock.parent.name
    copy.mkdir(parents=True)
    for one in (lock.parent / "package.json", lock, *lock.parent.glob(".npmrc")):
        shutil.copy(one, copy / one.name)
    LocalRunner().run(packages.npm_fix(copy, before=before))
    return copy


def _old_enough(folder: Path, young: Mapping[str, str], *, days: int) -> dict[str, date]:
    """Return package -> the day on which its version is old enough, where the registry says."""
    found = {}
    for name, version in young.items():
        with contextlib.suppress(CommandError):
            published = LocalRunner().ask(packages.npm_published(folder, name)).get(version)
            if published:
                found[name] = plan.taken_on(datetime.fromisoformat(published), days=days)
    return found


def prove(place: Workplace, made: Change, *, timeout_s: float) -> Build:
    """Build the images of the change, and run every suite on them.

    Returns:
        The build.

    Raises:
        VerificationError: A suite failed or could not run; its log stays in the stack's folder.
        BuildFailed: An image could not be built.

    Touches:
        Images on the engine; `builds/` and `tests/` in the stack's folder.
    """
    with written_out(place, revision=made.commit, allow_dirty=False) as sources:
        _, build = build_images.build_all(place, sources, login=Registry())
    with written_out_again(place, build) as sources, run_tests.Bench(place, sources, build) as bench:
        results = [run_tests.run_suite(bench, suite, timeout_s=timeout_s) for suite in SUITES]
        smoked, tested = smoke(place, sources, build, timeout_s=timeout_s)
    run_tests.record(place, build, [*results, smoked], tested, whole=True)
    return build


@operation("ask for the change")
def propose(place: Workplace, made: Change, build: Build, where: GitHub | None, *, base: str) -> str:
    """Push the branch and open a pull request that says what is better.

    Returns:
        Its address.

    Raises:
        ConfigError: The stack has no repository on GitHub, or GitHub refused it.
        CommandError: The branch could not be pushed.
        Unreachable: GitHub did not answer.

    Touches:
        A new branch of the stack's origin; a pull request.
    """
    if where is None:
        raise ConfigError(
            f"{made.commit[:12]} is tested, and the stack has no repository on GitHub to ask for it.",
            hint="Set github in the Stack block.",
        )
    LocalRunner().run(git.push(place.project.file.parent, made.commit, made.branch))
    title = f"Newer packages: {_better(made)}"
    url = github.open_pull(where, head=made.branch, base=base, title=title, body=evidence(made, build))
    report.markdown(f"update-{place.name}", evidence(made, build), gist=f"{title}: {url}")
    return url


def _better(made: Change) -> str:
    fewer = plan.check_better(made.before, made.after)
    return ", ".join(f"{count} {severity} fewer" for severity, count in fewer.items() if count) or "none known before"


def evidence(made: Change, build: Build) -> str:
    """Return what a person reads before taking the change over; markdown."""
    old, new = plan.count(made.before), plan.count(made.after)
    lines = ["| severity | before | after |", "|---|---|---|"]
    lines += [f"| {severity} | {old[severity]} | {new[severity]} |" for severity in Severity]
    left = {(one.check, one.where) for one in made.after}
    lines += [
        "",
        *(
            f"- mended: {one.check} in {one.where}"
            for one in _failed(made.before)
            if (one.check, one.where) not in left
        ),
    ]
    lines += [f"- stays: {one.check} in {one.where}: {one.fix}" for one in _failed(made.after)]
    lines += [f"- waits: {one}" for one in made.waiting]
    tested = ", ".join(f"{one.service} {one.id[:19]}" for one in build.images)
    return "\n".join([*lines, "", f"Only locks changed, no script ran. Tested as build {build.version}: {tested}.", ""])


def _failed(found: tuple[Weakness, ...]) -> list[Weakness]:
    return [one for one in found if one.verdict is Verdict.FAILED]
