"""How git is asked what the sources are, and told to write them out.

The folder is the one that the stack's block names, whoever owns it: what stands in it is built and run as the shop.

Source: git-scm.com/docs.
"""

from collections.abc import Mapping
from pathlib import Path

from pawpaw_ops.commands.command import Command, Query

LONG_S = 300.0
SETTINGS = ("safe.directory=*", "core.fsmonitor=false", "core.hooksPath=/dev/null", "tar.umask=0022")
"""Nothing that the repository sets is run; permissions, which images inherit, are those of an ordinary checkout."""


def git(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> Command:
    """Say *words* to git in *folder*.

    Touches:
        What the words touch.
    """
    return Command(argv=("git", "-C", str(folder), *_settings(), *words), env=env or {}, timeout_s=LONG_S)


def _settings() -> tuple[str, ...]:
    return tuple(word for setting in SETTINGS for word in ("-c", setting))


def commit(folder: Path, revision: str = "HEAD") -> Query[tuple[str, str]]:
    """Ask for a commit: its hash and its time (ISO 8601).

    Errors: exit code 128 where the folder is in no repository, or has no such commit.
    """
    words = ("log", "-1", "--format=%H %cI", "--end-of-options", revision, "--")
    return Query(command=git(folder, *words), parse=_pair)


def fetch(folder: Path, revision: str) -> Command:
    """Fetch a commit from where the repository comes from; what is checked out stays.

    Touches:
        The repository's objects; the network.
    """
    return git(folder, "fetch", "--quiet", "--no-tags", "--end-of-options", "origin", revision)


def changes(folder: Path) -> Query[tuple[str, ...]]:
    """Ask which files below the folder no commit has as they are, untracked ones too; ignored ones are none."""
    words = ("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", ".")
    return Query(command=git(folder, *words), parse=lambda out: tuple(line[3:] for line in out.split("\0") if line))


def tracked(folder: Path) -> Query[tuple[str, ...]]:
    """Ask which files below the folder the repository has, relative to it; errors as in `commit`."""
    return Query(command=git(folder, "ls-files", "-z"), parse=lambda out: tuple(filter(None, out.split("\0"))))


def origin(folder: Path) -> Query[str]:
    """Ask for the address of the remote repository; empty where there is none. It may hold a password."""
    command = git(folder, "config", "--get", "remote.origin.url")
    return Query(command=Command(argv=command.argv, ok_codes=(0, 1)), parse=str.strip)


def clone(source: Path, to: Path) -> Command:
    """Clone a repository of this host into a folder, with what is checked out there.

    Touches:
        Makes *to*.
    """
    return Command(
        argv=("git", *_settings(), "clone", "--quiet", "--no-hardlinks", str(source), str(to)), timeout_s=LONG_S
    )


def top(folder: Path) -> Query[Path]:
    """Ask for the repository's top folder; errors as in `commit`."""
    return Query(command=git(folder, "rev-parse", "--show-toplevel"), parse=lambda out: Path(out.strip()))


def commit_all(folder: Path, message: str, *, name: str, email: str) -> Command:
    """Commit every change of files that the repository has.

    Touches:
        The folder's repository.
    """
    who = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email, "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email}
    return git(folder, "commit", "--quiet", "--all", "--message", message, env=who)


def fetch_from(folder: Path, source: Path, revision: str) -> Command:
    """Take a commit over from another repository of this host; no branch gets it.

    Touches:
        The repository's objects.
    """
    return git(folder, "fetch", "--quiet", "--no-tags", str(source), revision)


def push(folder: Path, revision: str, branch: str) -> Command:
    """Send a commit to the origin as a branch that is not there yet, never over anything.

    Its address and login are git's own business, so that neither is in an argument.

    Touches:
        The remote repository; the network.
    """
    return git(folder, "push", "--quiet", "origin", f"{revision}:refs/heads/{branch}")


def objects(folder: Path) -> Query[Path]:
    """Ask where the repository keeps its objects."""
    command = git(folder, "rev-parse", "--git-path", "objects")
    return Query(command=command, parse=lambda out: (folder / out.strip()).resolve())


def read_tree(folder: Path, *, env: Mapping[str, str]) -> Command:
    """Fill the index that *env* names with what the commit has.

    Touches:
        That index.
    """
    return git(folder, "read-tree", "HEAD", env=env)


def add_all(folder: Path, *, env: Mapping[str, str]) -> Command:
    """Put every file below the folder into the index that *env* names, as it is now.

    Touches:
        That index, and the objects' folder that *env* names.
    """
    return git(folder, "add", "--all", "--", ".", env=env)


def write_tree(folder: Path, *, env: Mapping[str, str]) -> Query[str]:
    """Ask for the hash of what the index holds; it is written as a tree into the objects' folder that *env* names."""
    return Query(command=git(folder, "write-tree", env=env), parse=str.strip)


def archive(folder: Path, tree: str, *, to: Path, env: Mapping[str, str] | None = None) -> Command:
    """Write the files that a commit or a tree has below the folder into an archive.

    Touches:
        Makes *to*.
    """
    return git(folder, "archive", "--format=tar", f"--output={to}", tree, env=env)


def _pair(out: str) -> tuple[str, str]:
    first, second = out.split()
    return first, second
