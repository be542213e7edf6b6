"""What GitHub shows of a deploy, on a double that knows GitHub's own description of its API."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect import flow
from prefect.settings import PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW, temporary_settings
from pydantic import SecretStr

from blocks import BackupStore, GitHubRepository, PostgresDatabase, Stack
from flows.deploy import deploy
from pawpaw_ops.clients import github, releases
from pawpaw_ops.errors import ConfigError, PreconditionError, Undone, Unreachable
from pawpaw_ops.models.base import Verdict, utc_now
from pawpaw_ops.models.github import GitHub
from pawpaw_ops.models.release import Build, BuildVerdict
from pawpaw_ops.models.stack import StackSettings
from pawpaw_ops.tasks import github_status
from pawpaw_ops.tasks.github_status import Told, close_deployment, open_deployment, told_to_github
from tests.integration.support_github import TOKEN, GitHubDouble
from tests.integration.support_limits import make_limit

SHA = "a" * 40


@pytest.fixture
def there(there: GitHubDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubDouble]:
    monkeypatch.setattr(github, "WAIT_S", 0.0)
    # Most tests call the tasks outside a flow.
    with temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}):
        yield there


@pytest.fixture
def stack(prefect_api: None, there: GitHubDouble, tmp_path: Path) -> StackSettings:
    """A stack whose block names the double."""
    (tmp_path / "store").mkdir()
    repository = GitHubRepository(repository="paw/shop", token=SecretStr(TOKEN), api_url=there.url)
    Stack(
        state_dir=tmp_path,
        database=PostgresDatabase(name="shop", host="127.0.0.1", port=9),
        store=BackupStore(folder=tmp_path / "store"),
        github=repository,
    ).save("github", overwrite=True)
    make_limit("github")
    return Stack.named("github").settings()


def lost(stack: StackSettings, **changes: object) -> StackSettings:
    """The same stack with another repository."""
    assert stack.github is not None
    return stack.model_copy(update={"github": stack.github.model_copy(update=changes)})


def test_deploy_L1_a_deploy_that_fails_is_a_failure_with_the_runs_address(
    stack: StackSettings, there: GitHubDouble
) -> None:
    @flow
    def deploys() -> None:
        with told_to_github(stack, ref=SHA, description="version 1"):
            raise Undone("the new replicas were never ready. " * 20)

    state = deploys(return_state=True)
    assert state.is_failed()
    assert there.created[0]["ref"] == SHA
    assert there.created[0]["environment"] == "github"
    assert there.states() == ["in_progress", "failure"]
    first, last = there.statuses[1]
    assert "/runs/flow-run/" in first["log_url"]
    assert last["log_url"] == first["log_url"]
    assert last["description"].startswith("undone: the new replicas were never ready.")


def test_deploy_L1_a_deploy_that_is_refused_before_it_changes_anything_is_a_failure_too(
    stack: StackSettings, there: GitHubDouble
) -> None:
    """Of what is no build there is no commit, so that GitHub has nothing to show it at."""
    with pytest.raises(PreconditionError, match="v2"):
        deploy(stack="github", version="v2")
    assert there.requests == 0
    build = Build(version="v1", git_sha=SHA, dirty=False, built_at=utc_now(), images=())
    releases.save_build(stack.state_dir, build)
    verdict = BuildVerdict(version="v1", ids={}, verdict=Verdict.FAILED, tested_at=utc_now(), suites={"unit": "failed"})
    releases.save_tested(stack.state_dir, verdict)
    with pytest.raises(PreconditionError, match="tests of v1 failed"):
        deploy(stack="github", version="newest")
    assert (there.created[0]["ref"], there.created[0]["description"]) == (SHA, "v1 → github")
    assert there.states() == ["in_progress", "failure"]
    assert there.statuses[1][-1]["description"].startswith("precondition: the tests of v1 failed.")


def test_deploy_L2_the_run_itself_says_how_it_ended(stack: StackSettings, there: GitHubDouble) -> None:
    """Nobody who waits for it has to be alive."""
    with told_to_github(stack, ref=SHA, description="version 1"):
        assert there.states() == ["in_progress"]
    assert there.states() == ["in_progress", "success"]
    assert not (stack.state_dir / github_status.FILE).exists()


def test_deploy_L2_what_a_dead_run_left_open_is_closed_by_the_next(stack: StackSettings, there: GitHubDouble) -> None:
    open_deployment(stack, ref=SHA, description="version 1")
    told = open_deployment(stack, ref=SHA, description="version 2")
    assert there.states(1) == ["in_progress", "error"]
    assert there.states(told.deployment) == ["in_progress"]
    close_deployment(stack, told, state="inactive", description="another one serves")
    assert there.states(told.deployment) == ["in_progress", "inactive"]


def test_a_stack_without_a_repository_tells_nobody(stack: StackSettings, there: GitHubDouble) -> None:
    alone = stack.model_copy(update={"github": None})
    with told_to_github(alone, ref=SHA, description="version 1") as told:
        assert told == Told()
    with told_to_github(stack, ref="", description="images of nobody's build"):
        pass
    assert there.requests == 0


@pytest.mark.parametrize("changes", [{"api_url": "http://127.0.0.1:9"}, {"token": SecretStr("canary")}], ids=str)
def test_a_github_that_is_away_or_refuses_fails_nothing_and_is_said(
    stack: StackSettings, caplog: pytest.LogCaptureFixture, changes: dict[str, object]
) -> None:
    with told_to_github(lost(stack, **changes), ref=SHA, description="version 1") as told:
        assert told.deployment == 0
        assert "GitHub was not told that a deploy began" in told.unknown
    assert "GitHub was not told that a deploy began" in caplog.text
    assert "canary" not in caplog.text


def test_a_github_that_goes_away_in_between_leaves_an_unknown_end(stack: StackSettings, there: GitHubDouble) -> None:
    told = open_deployment(stack, ref=SHA, description="version 1")
    there.broken = [502] * 9
    closed = close_deployment(stack, told, state="success", description="version 1")
    assert "GitHub answered 502" in closed.unknown
    assert (stack.state_dir / github_status.FILE).exists()
    there.broken = [502, 503]
    assert close_deployment(stack, told, state="success", description="version 1").unknown == ""
    assert there.states() == ["in_progress", "success"]


def test_a_deployment_is_not_opened_twice_and_a_status_is_tried_again(
    stack: StackSettings, there: GitHubDouble
) -> None:
    where = stack.github
    assert where is not None
    there.broken = [500]
    with pytest.raises(Unreachable):
        github.create_deployment(where, ref=SHA, environment="prod", description="")
    assert there.requests == 1
    there.broken = [409]
    with pytest.raises(ConfigError, match="refused"):
        github.create_deployment(where, ref=SHA, environment="prod", description="")


def test_the_token_is_in_no_text_of_the_settings() -> None:
    where = GitHub(repository="paw/shop", token=SecretStr("canary"))
    assert "canary" not in repr(where) + where.model_dump_json()
