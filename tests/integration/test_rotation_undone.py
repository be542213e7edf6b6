"""A rotation whose own undo fails: both generations stay, whoever comes is refused, and once it succeeds it goes on."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydantic import SecretStr
from pyrage import x25519

from pawpaw_ops.clients import rotations
from pawpaw_ops.errors import HalfDone, PreconditionError, VerificationError
from pawpaw_ops.models.github import GitHub
from pawpaw_ops.models.project import Project
from pawpaw_ops.models.secrets import Rotation, State, Target
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.session import Session, open_session
from pawpaw_ops.tasks.secrets_begin import find_unfinished, generate
from pawpaw_ops.tasks.secrets_github import write_to_github
from pawpaw_ops.tasks.secrets_roll import stage
from tests.integration.support_github import TOKEN, GitHubDouble
from tests.unit.support_stacks import stack_of

OLD = "old-0123456789-0123456789-0123456789"
ENV = f"# ours\nJWT_SECRET={OLD}\nJWT_KID=1\n"
AWAY: list[tuple[str, int, dict[str, str]]] = [("PUT", 403, {})]


@pytest.fixture
def stack(there: GitHubDouble, tmp_path: Path) -> StackSettings:
    """A stack whose key of tokens GitHub has too; no server of it has to run."""
    folder, key = tmp_path / "project", tmp_path / "rotation.key"
    folder.mkdir()
    (folder / ".env").write_text(ENV)
    key.touch(mode=0o600)
    key.write_text(f"{x25519.Identity.generate()}\n")
    project = Project(name="t", file=folder / "compose.yml", env_file=folder / ".env", upstreams=folder)
    repository = GitHub(repository="paw/shop", token=SecretStr(TOKEN), api_url=there.url, secrets=("JWT_SECRET",))
    return stack_of(tmp_path).model_copy(update={"project": project, "github": repository, "rotation_key": key})


def rotate_and_fail(stack: StackSettings, there: GitHubDouble) -> Rotation:
    """Write new secrets everywhere; fail when GitHub does not take the old ones back any more."""
    with pytest.raises(HalfDone, match="403"), session(stack, "r1") as do:
        made = generate.fn(do, (Target.JWT,), abrupt=True, why="the test")
        stage.fn(do, made, State.CURRENT)
        write_to_github.fn(do, made)
        there.faults = list(AWAY)
        raise VerificationError("as the test wants it")
    return made


def session(stack: StackSettings, run_id: str) -> AbstractContextManager[Session]:
    return open_session(stack, verb="rotate-secrets", purpose="the test", run_id=run_id)


def new_key(rotation: Rotation) -> str:
    value = rotation.accept["JWT_SECRET"]
    assert value is not None
    return value.get_secret_value()


def test_rotate_ROT_07_where_going_back_fails_both_generations_stay_and_the_next_run_goes_on(
    stack: StackSettings, there: GitHubDouble
) -> None:
    env_file = stack.its_project().env_file
    made = rotate_and_fail(stack, there)
    assert there.values() == {"JWT_SECRET": new_key(made)}
    assert env_file.read_text() == ENV, "what can be taken back is"
    assert rotations.find_open(stack) == made
    there.faults = list(AWAY)
    with pytest.raises(HalfDone, match=r"run r1 died.*write JWT_SECRET to GitHub"), session(stack, "r2"):
        pytest.fail("something new began on a stack that is between two states")
    assert rotations.find_open(stack) == made
    with session(stack, "r3") as do:
        assert there.values() == {"JWT_SECRET": OLD}, "the old value came from the sealed rotation"
        assert find_unfinished.fn(do, (Target.JWT,), "resume") == made, "no second set of secrets is made"
    with session(stack, "r4") as do:
        assert find_unfinished.fn(do, (Target.JWT,), "abort") is None
    assert rotations.find_open(stack) is None
    assert [(turn.generation, turn.what) for turn in rotations.turns(stack.state_dir)] == [(1, "dropped")]
    assert env_file.read_text() == ENV


def test_secrets_that_the_env_has_are_not_forgotten(stack: StackSettings, there: GitHubDouble) -> None:
    """A key of tokens no more than a password: of the old one there would be no copy."""
    env_file = stack.its_project().env_file
    made = rotate_and_fail(stack, there)
    with session(stack, "r2"):
        assert env_file.read_text() == ENV
    env_file.write_text(ENV.replace(OLD, new_key(made)))
    with pytest.raises(PreconditionError, match="has the new JWT_SECRET"), session(stack, "r3") as do:
        find_unfinished.fn(do, (Target.JWT,), "abort")
    assert rotations.find_open(stack) == made
