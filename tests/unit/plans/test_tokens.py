"""Tokens by hand."""

import base64
import json
from datetime import UTC, datetime

from pawpaw_ops.plans.tokens import mint


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
