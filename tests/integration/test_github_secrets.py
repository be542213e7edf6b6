"""Secrets written to a double of GitHub that has keys of its own, and decrypts what it gets."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from pawpaw_ops.clients import github_secrets
from pawpaw_ops.clients.github_secrets import list_secrets, put_secret
from pawpaw_ops.errors import ConfigError, Unreachable, VerificationError
from pawpaw_ops.models.github import GitHub
from tests.integration.support_github import TOKEN, GitHubDouble

VALUE = SecretStr("canary-ñ-0123456789")


def repository(there: GitHubDouble, **more: str) -> GitHub:
    return GitHub(**({"repository": "paw/shop", "token": SecretStr(TOKEN), "api_url": there.url} | more))


def test_rotate_GH_01_what_is_made_and_what_is_changed_arrives_whole(there: GitHubDouble) -> None:
    where = repository(there)
    for value in (SecretStr("first"), VALUE):
        put_secret(where, "", "DB_PASSWORD", value)
    assert there.values() == {"DB_PASSWORD": VALUE.get_secret_value()}
    assert list(list_secrets(where)) == ["DB_PASSWORD"]


def test_rotate_GH_02_a_server_that_is_not_well_is_asked_again(there: GitHubDouble) -> None:
    there.faults = [("PUT", 500, {}), ("PUT", 502, {}), ("GET", 503, {})]
    put_secret(repository(there), "", "A", VALUE)
    assert there.puts == ["actions/A"]


def test_rotate_GH_03_another_key_in_the_meantime_is_fetched_once(there: GitHubDouble) -> None:
    there.faults = [("PUT", 422, {})]
    put_secret(repository(there), "", "A", VALUE)
    assert there.values() == {"A": VALUE.get_secret_value()}
    there.faults = [("PUT", 422, {}), ("PUT", 422, {})]
    with pytest.raises(ConfigError, match="422"):
        put_secret(repository(there), "", "A", SecretStr("other"))
    assert there.faults == []
    assert there.values() == {"A": VALUE.get_secret_value()}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_rotate_GH_04_a_right_that_is_missing_is_told_at_once(there: GitHubDouble, status: int) -> None:
    there.faults = [("GET", status, {})]
    with pytest.raises(ConfigError, match=str(status)) as seen:
        list_secrets(repository(there))
    assert "right to write secrets" in seen.value.hint
    assert there.requests == 0


def test_rotate_GH_05_an_answer_that_got_lost_does_no_harm(there: GitHubDouble) -> None:
    there.faults = [("PUT", 0, {})]
    put_secret(repository(there), "", "A", VALUE)
    assert there.puts == ["actions/A", "actions/A"]
    assert there.values() == {"A": VALUE.get_secret_value()}


def test_rotate_GH_06_a_limit_is_waited_for(there: GitHubDouble) -> None:
    there.faults = [("PUT", 429, {"Retry-After": "0"}), ("PUT", 403, {"Retry-After": "0"})]
    put_secret(repository(there), "", "A", VALUE)
    assert there.values() == {"A": VALUE.get_secret_value()}


def test_rotate_GH_08_every_scope_is_sealed_for_with_its_own_key(there: GitHubDouble) -> None:
    where = repository(there)
    put_secret(where, "", "A", VALUE)
    put_secret(where, "production", "A", SecretStr("inside"))
    there.new_key("actions")
    put_secret(where, "", "A", SecretStr("again"))
    assert there.values() == {"A": "again"}
    assert there.values("production") == {"A": "inside"}


def test_a_github_that_is_never_well_is_unreachable(there: GitHubDouble) -> None:
    there.faults = [("GET", 500, {})] * github_secrets.TRIES
    with pytest.raises(Unreachable, match=f"{github_secrets.TRIES} times"):
        list_secrets(repository(there))


def test_a_secret_that_is_said_to_be_older_was_not_taken(there: GitHubDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=3)
    row = GitHubDouble._row
    monkeypatch.setattr(GitHubDouble, "_row", staticmethod(lambda name, _: row(name, long_ago)))
    with pytest.raises(VerificationError, match="says that it is of"):
        put_secret(repository(there), "", "A", VALUE)
