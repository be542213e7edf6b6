"""The stack's sources as git has them, in a folder of their own."""

import contextlib
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from pawpaw_ops.commands import git
from pawpaw_ops.errors import CommandError, PreconditionError
from pawpaw_ops.models.base import Noun, utc_now
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.release import Build
from pawpaw_ops.models.stack import Workplace
from pawpaw_ops.plans.images import check_clean, public_address, version_of
from pawpaw_ops.runner import LocalRunner
from pawpaw_ops.tasks.operation import operation


class Sources(Noun):
    """What is built.

    Attributes:
        project: The Compose project, with its file among the written-out sources.
        version: What the build is called.
        git_sha: Commit.
        dirty: Whether it has changes that no commit has.
        made_at: When the commit was made; of a tree with changes, now.
        remote: Where the repository is, without a login.
    """

    project: Project
    version: str
    git_sha: str
    dirty: bool
    made_at: datetime
    remote: str


@contextlib.contextmanager
def written_out(place: Workplace, *, revision: str, allow_dirty: bool) -> Iterator[Sources]:
    """Have the sources in a folder of their own while the block lasts; errors as in `write_out_sources`."""
    with tempfile.TemporaryDirectory(prefix="pawpaw-build-") as folder:
        yield write_out_sources(place, Path(folder), revision=revision, allow_dirty=allow_dirty)


@contextlib.contextmanager
def written_out_again(place: Workplace, build: Build) -> Iterator[Sources]:
    """Have the sources of a build in a folder of their own while the block lasts; errors as in `write_out_commit`."""
    with tempfile.TemporaryDirectory(prefix="pawpaw-build-") as folder:
        yield write_out_commit(place, Path(folder), build)


@operation("write out sources of build")
def write_out_commit(place: Workplace, folder: Path, build: Build) -> Sources:
    """Write into *folder* what a build was made of.

    Raises:
        PreconditionError: It was made of changes that no commit has, or the repository no longer has its commit.

    Touches:
        *folder*; the repository is only read.
    """
    origin = place.project.file.parent
    if build.dirty:
        raise PreconditionError(
            f"{build.version} was built from changes that no commit has; nobody can write them out again.",
            hint="Commit them and build anew.",
        )
    try:
        _unpack(origin, build.git_sha, folder, {})
    except CommandError as seen:
        raise PreconditionError(
            f"the repository of {origin} cannot give the sources of {build.version}: {seen.stderr_tail}.",
            hint="Fetch the commit there, or build anew.",
        ) from seen
    return Sources(
        project=place.project.model_copy(update={"file": folder / "sources" / place.project.file.name}),
        version=build.version,
        git_sha=build.git_sha,
        dirty=False,
        made_at=build.built_at,
        remote="",
    )


@operation("write out sources")
def write_out_sources(place: Workplace, folder: Path, *, revision: str, allow_dirty: bool) -> Sources:
    """Write the stack's sources into *folder* as git has them: files that it ignores get into no image.

    Args:
        place: The stack.
        folder: Where to.
        revision: Commit, fetched if need be; empty means the one that is checked out, whose folder must be clean.
        allow_dirty: Take what is checked out with its changes.

    Raises:
        PreconditionError: The stack's folder is no checkout, has no such commit, or has changes that are not allowed.

    Touches:
        *folder*; the repository's objects where a commit is fetched.
    """
    ask, origin = LocalRunner().ask, place.project.file.parent
    sha, at = _find(origin, revision)
    changed = () if revision else ask(git.changes(origin))
    check_clean(changed, allow_dirty=allow_dirty)
    tree = _write_tree(origin, folder, sha, dirty=bool(changed))
    return Sources(
        project=place.project.model_copy(update={"file": folder / "sources" / place.project.file.name}),
        version=version_of(sha, tree=tree if changed else ""),
        git_sha=sha,
        dirty=bool(changed),
        made_at=utc_now() if changed else datetime.fromisoformat(at),
        remote=public_address(ask(git.origin(origin))),
    )


def _find(origin: Path, revision: str) -> tuple[str, str]:
    runner = LocalRunner()
    with contextlib.suppress(CommandError):
        return runner.ask(git.commit(origin, revision or "HEAD"))
    try:
        if revision:
            runner.run(git.fetch(origin, revision))
        return runner.ask(git.commit(origin, revision or "HEAD"))
    except CommandError as seen:
        what = f"has no commit {revision!r}, nor has its origin" if revision else "is no git checkout with a commit"
        raise PreconditionError(
            f"{origin} {what}: {seen.stderr_tail}.",
            hint="Images are named by the commit that they are built from: clone the stack's repository there.",
        ) from seen


def _write_tree(origin: Path, work: Path, sha: str, *, dirty: bool) -> str:
    """Write out the commit, or the folder as it is now by way of an index and an objects' folder of our own."""
    runner, tree, env = LocalRunner(), sha, {}
    if dirty:
        env = {
            "GIT_INDEX_FILE": str(work / "index"),
            "GIT_OBJECT_DIRECTORY": str(work),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(runner.ask(git.objects(origin))),
        }
        runner.run(git.read_tree(origin, env=env))
        runner.run(git.add_all(origin, env=env))
        tree = runner.ask(git.write_tree(origin, env=env))
    _unpack(origin, tree, work, env)
    return tree


def _unpack(origin: Path, tree: str, work: Path, env: Mapping[str, str]) -> None:
    archive = work / "sources.tar"
    LocalRunner().run(git.archive(origin, tree, to=archive, env=env))
    with tarfile.open(archive) as packed:
        # Debian 12's Python has no filters; the archive is git's own.
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(work / "sources")  # noqa: S202
    archive.unlink()
