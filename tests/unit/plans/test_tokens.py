"""Tokens by hand."""

import base64
import json
from datetime import UTC, datetime

from pydantic import SecretStr

from pawpaw_ops.plans.tokens import mint, tries


def test_a_token_says_its_key_and_dies_after_a_minute() -> None:
    token = mint("secret", "7", now=datetime(2026, 8, 1, tzinfo=UTC))
    header, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    assert json.loads(header) == {"alg": "HS256", "kid": "7"}
    assert json.loads(claims)["exp"] - json.loads(claims)["iat"] == 60
    assert len(signature) == 32


def test_another_key_is_another_signature() -> None:
    now = datetime(2026, 8, 1, tzinfo=UTC)
    assert mint("a", "1", now=now).split(".")[:2] == mint("b", "1", now=now).split(".")[:2]
    assert mint("a", "1", now=now) != mint("b", "1", now=now)


def keys(**values: str) -> dict[str, SecretStr | None]:
    names = ("JWT_KID", "JWT_SECRET", "JWT_PREVIOUS_KID", "JWT_PREVIOUS_SECRET")
    return {name: SecretStr(values[name]) if name in values else None for name in names}


OLD = keys(JWT_KID="1", JWT_SECRET="old")
BOTH = keys(JWT_KID="2", JWT_SECRET="new", JWT_PREVIOUS_KID="1", JWT_PREVIOUS_SECRET="old")
NEW = keys(JWT_KID="2", JWT_SECRET="new")


def test_rotate_JWT_04_what_holds_is_taken_and_what_is_over_or_forged_is_refused() -> None:
    def told(now: dict[str, SecretStr | None]) -> set[tuple[str, str, bool]]:
        return {(one.kid, one.secret.get_secret_value(), one.good) for one in tries(now, OLD, BOTH, NEW)}

    assert told(BOTH) == {("1", "old", True), ("2", "new", True), ("2", "", False), ("2", "changeme_jwt_secret", False)}
    assert told(NEW) == {("1", "old", False), ("2", "new", True), ("2", "", False), ("2", "changeme_jwt_secret", False)}
