from pathlib import Path

from pawpaw_ops.commands import git

HERE = Path("/s")
START = "git -C /s -c 'safe.directory=*' -c core.fsmonitor=false -c core.hooksPath=/dev/null -c tar.umask=0022 "


def test_the_commit_and_its_time() -> None:
    ask = git.commit(HERE)
    assert str(ask.command) == START + "log -1 '--format=%H %cI' --end-of-options HEAD --"
    assert str(git.fetch(HERE, "abc")) == START + "fetch --quiet --no-tags --end-of-options origin abc"
    assert ask.parse("abc 2026-01-01T00:00:00+00:00\n") == ("abc", "2026-01-01T00:00:00+00:00")


def test_changes_are_told_with_any_name() -> None:
    ask = git.changes(HERE)
    words = "status --porcelain=v1 -z --untracked-files=all --no-renames -- ."
    assert str(ask.command) == START + words
    assert ask.parse(" M a b\0?? c\nd\0") == ("a b", "c\nd")
    assert ask.parse("") == ()


def test_no_remote_is_no_error() -> None:
    ask = git.origin(HERE)
    assert str(ask.command) == START + "config --get remote.origin.url"
    assert ask.command.ok_codes == (0, 1)
    assert not ask.parse("")


def test_the_objects_folder_is_told_absolute() -> None:
    ask = git.objects(HERE)
    assert str(ask.command) == START + "rev-parse --git-path objects"
    assert ask.parse("../.git/objects\n") == Path("/.git/objects")


def test_a_tree_is_made_in_an_index_of_its_own_and_written_out() -> None:
    env = {"GIT_INDEX_FILE": "/w/index"}
    assert str(git.read_tree(HERE, env=env)) == START + "read-tree HEAD"
    assert str(git.add_all(HERE, env=env)) == START + "add --all -- ."
    ask = git.write_tree(HERE, env=env)
    assert str(ask.command) == START + "write-tree"
    assert ask.parse("abc\n") == "abc"
    packed = git.archive(HERE, "abc", to=Path("/w/x.tar"), env=env)
    assert str(packed) == START + "archive --format=tar --output=/w/x.tar abc"
    assert {dict(one.env)["GIT_INDEX_FILE"] for one in (packed, ask.command)} == {"/w/index"}
