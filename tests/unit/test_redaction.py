"""What this process knows as a secret, in whatever it says."""

import base64
import json
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from pawpaw_ops import redaction
from pawpaw_ops.errors import CommandError, VerificationError
from pawpaw_ops.redaction import clean, guarded, learn, redact

CANARY = "canary/+ñ\"'0123456789"
DSN = f"postgresql://pawpaw_app_a:{quote(CANARY, safe='')}@postgres:5432/pawpaw_db"


@pytest.fixture(autouse=True)
def known() -> None:
    learn(SecretStr(CANARY))


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def failing(depth: int) -> None:
    """Fail with a login in the text, and in that of every error that it came from."""
    try:
        failing(depth - 1) if depth else Path(f"/nowhere/{CANARY}").stat()
    except (OSError, CommandError) as seen:  # the text of the first is not made of its arguments
        error = CommandError(f"psql {DSN} ended with exit code 2.", hint=f"Look at {CANARY}.")
        error.stderr_tail = f"connection to {DSN} failed"
        error.add_note(f"password={CANARY!r}")
        raise error from seen


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_rotate_SEC_02_an_error_loses_its_secrets_and_so_do_those_that_it_came_from(depth: int) -> None:
    with pytest.raises(CommandError) as seen, guarded():
        failing(depth)
    error = seen.value
    shown = told(error) + repr(error) + error.stderr_tail + error.hint + told(error.__context__ or error)
    assert "canary" not in shown
    assert "psql postgresql://pawpaw_app_a:***@postgres:5432/pawpaw_db ended" in str(error)


def test_rotate_SEC_02_an_error_whose_text_is_not_its_own_is_replaced() -> None:
    def check() -> None:
        TypeAdapter(int).validate_python(CANARY)

    with pytest.raises(ValidationError, match="canary"):
        check()
    with pytest.raises(redaction.Hidden, match=r"input_value='\*\*\*'"), guarded():
        check()
    with pytest.raises(VerificationError) as seen, guarded():
        try:
            check()
        except ValidationError as why:
            raise VerificationError("no number") from why
    assert isinstance(seen.value.__cause__, redaction.Hidden)
    assert "canary" not in told(seen.value)


def test_rotate_SEC_02_several_errors_at_once() -> None:
    with pytest.raises(ValidationError) as wrong:
        TypeAdapter(int).validate_python(CANARY)
    for message in ("two", f"two with {CANARY}"):
        group = ExceptionGroup(message, [ValueError(CANARY), ExceptionGroup("more", [KeyError(CANARY), wrong.value])])
        assert "canary" in told(group)
        assert "canary" not in told(clean(group))


@pytest.mark.parametrize(
    "form",
    [
        str,
        quote,
        lambda value: quote(value, safe=""),
        lambda value: json.dumps({"password": value}),
        lambda value: json.dumps([value], ensure_ascii=False),
        repr,
        lambda value: base64.b64encode(value.encode()).decode(),
    ],
)
def test_rotate_SEC_02_every_form_of_a_secret_is_hidden(form: Callable[[str], str]) -> None:
    said = redact(f"before {form(CANARY)} after")
    assert "0123456789" not in said
    assert base64.b64encode(CANARY.encode()).decode().rstrip("=") not in said
    assert said.startswith("before ")
    assert said.endswith(" after")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("tried postgres://shop:short@db/x and failed", "tried postgres://shop:***@db/x and failed"),
        ("https://:token@example.com/a", "https://:***@example.com/a"),
        ("amqp://u:p@ss@h", "amqp://u:***@h"),
        ("host=db user=u password=short dbname=x", "host=db user=u password=*** dbname=x"),
        (r"host=db password = 'it\'s so' user=u", "host=db password = *** user=u"),
        ("http://h/?user=u&password=short&x=1", "http://h/?user=u&password=***&x=1"),
        ("http://127.0.0.1:4200/api", "http://127.0.0.1:4200/api"),
        ("DB_PASSWORD: running: x was made with another", "DB_PASSWORD: running: x was made with another"),
        ("the image registry:5000/a@sha256:b", "the image registry:5000/a@sha256:b"),
    ],
)
def test_a_password_of_a_login_is_hidden_whether_it_is_known_or_not(text: str, wanted: str) -> None:
    assert redact(text) == wanted


def test_what_may_be_an_ordinary_word_is_not_hidden() -> None:
    learn(SecretStr("postgres"))
    assert redact("postgres answers") == "postgres answers"


def test_secrets_are_found_wherever_a_model_has_them() -> None:
    class Inner(BaseModel):
        key: SecretStr

    class Outer(BaseModel):
        name: str
        inner: tuple[Inner, ...]
        more: dict[str, SecretStr | None]

    learn(Outer(name="not a secret at all", inner=(Inner(key=SecretStr("inner-0123456789")),),
                more={"a": SecretStr("more-0123456789"), "b": None}))  # fmt: skip
    assert redact("inner-0123456789 more-0123456789 not a secret at all") == "*** *** not a secret at all"


def test_rotate_SEC_02_no_log_record_has_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("another.package")
    try:
        failing(1)
    except CommandError:
        log.exception("could not reach %s", DSN)
    log.warning("%s of %d", CANARY, 1)
    log.warning("nothing of %s", "that")
    assert "canary" not in caplog.text
    assert "could not reach postgresql://pawpaw_app_a:***@postgres" in caplog.text
    assert "*** of 1" in caplog.text
    assert "nothing of that" in caplog.text
