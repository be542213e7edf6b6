"""Which of our errors an answer of an object store becomes."""

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from pawpaw_ops.clients.s3_errors import RIGHTS, WRONG, code, is_denied, ops_error, translated
from pawpaw_ops.errors import ConfigError, OpsError, PreconditionError, StoreError, Unreachable

URL = {"endpoint_url": "http://store"}


def refusal(what: str, *, status: int = 400, operation: str = "PutObject", **more: str) -> boto.ClientError:
    meta = {"HTTPStatusCode": status, "RetryAttempts": 4}
    return boto.ClientError({"Error": {"Code": what, **more}, "ResponseMetadata": meta}, operation)


def told(seen: Exception) -> OpsError:
    return ops_error(seen, where="s3 b/", doing="store 'k'")


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_setting_is_a_config_error_with_its_code(what: str) -> None:
    error = told(refusal(what))

    assert type(error) is ConfigError
    assert error.message == f"s3 b/: could not store 'k': {WRONG[what]} ({what})."


@pytest.mark.parametrize("operation", RIGHTS)
def test_a_missing_right_is_named(operation: str) -> None:
    seen = refusal("AccessDenied", status=403, operation=operation)

    assert type(told(seen)) is StoreError
    assert RIGHTS[operation] in told(seen).hint
    assert is_denied(seen)


def test_different_clocks_are_told_with_both_times() -> None:
    error = told(refusal("RequestTimeTooSkewed", RequestTime="20260801T000000Z", ServerTime="2026-08-01T06:00:00Z"))

    assert type(error) is PreconditionError
    assert "20260801T000000Z" in error.message
    assert "2026-08-01T06:00:00Z" in error.message


def test_anything_else_is_quoted_shortly() -> None:
    error = told(refusal("Odd", status=500, Message="x" * 9000))

    assert type(error) is StoreError
    assert "500 Odd after 5 tries. It said: xxx" in error.message
    assert len(error.message) < 400


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (boto.EndpointConnectionError(**URL), Unreachable),
        (boto.ConnectTimeoutError(**URL), Unreachable),
        (boto.ReadTimeoutError(**URL), Unreachable),
        (boto.ConnectionClosedError(**URL), Unreachable),
        (boto.SSLError(**URL, error="e"), Unreachable),
        (boto.ProxyConnectionError(proxy_url="http://p"), Unreachable),
        (boto.NoCredentialsError(), ConfigError),
        (boto.PartialCredentialsError(provider="env", cred_var="x"), ConfigError),
        (boto.ParamValidationError(report="Invalid bucket name"), ConfigError),
        (ResponseParserError("no XML"), StoreError),
    ],
)
def test_no_error_of_the_library_leaves(seen: Exception, kind: type[OpsError]) -> None:
    with pytest.raises(kind) as raised, translated("s3 b/", "store 'k'"):
        raise seen

    assert type(raised.value) is kind
    assert raised.value.__cause__ is seen


def test_an_answer_without_body_has_its_status_as_code() -> None:
    assert code(refusal("403")) == "403"
    assert not is_denied(None)
    assert not is_denied(refusal("NoSuchKey"))
