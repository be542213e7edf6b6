"""Session tokens as the shop makes them, so that what it accepts and refuses can be tried.

Source: RFC 7515 and 7519; stack/backend/src/auth/tokens.ts.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import datetime

from pydantic import SecretStr

from pawpaw_ops.models.base import Noun
from pawpaw_ops.models.secrets import Values
from pawpaw_ops.plans.secrets import JWT_KID, JWT_PREVIOUS_KID, JWT_PREVIOUS_SECRET, JWT_SECRET, PUBLIC

ISSUER = "pawpaw"
NOBODY = "00000000-0000-4000-8000-000000000000"
"""A customer that there is not: a token of it opens nothing but the door."""
LIFE_S = 60


KEYS = ((JWT_KID, JWT_SECRET), (JWT_PREVIOUS_KID, JWT_PREVIOUS_SECRET))
"""Variables of the key that signs, and of the one that is accepted beside it."""


class Try(Noun):
    """A token to be tried.

    Attributes:
        what: How people call its key.
        good: Whether a replica must take it; it must refuse the others.
    """

    what: str
    kid: str
    secret: SecretStr
    good: bool


def tries(now: Values, *others: Values) -> tuple[Try, ...]:
    """Return the tokens that a replica must take and refuse.

    Args:
        now: The variables of its keys.
        others: Those of other times: keys that are in them and not in *now* are over, or not there yet.
    """
    good = _keys(now)
    bad = {kid: secret for values in others for kid, secret in _keys(values).items() if good.get(kid) != secret}
    signs = now[JWT_KID]
    assert signs is not None
    kid = signs.get_secret_value()
    forged = [("an empty key", ""), *((f"the key {known!r}", known) for known in PUBLIC)]
    return (
        *(Try(what=f"the key {kid}", kid=kid, secret=SecretStr(secret), good=True) for kid, secret in good.items()),
        *(Try(what=f"the key {kid}", kid=kid, secret=SecretStr(secret), good=False) for kid, secret in bad.items()),
        *(Try(what=what, kid=kid, secret=SecretStr(secret), good=False) for what, secret in forged),
    )


def _keys(values: Mapping[str, SecretStr | None]) -> dict[str, str]:
    pairs = ((values.get(kid), values.get(secret)) for kid, secret in KEYS)
    return {kid.get_secret_value(): secret.get_secret_value() for kid, secret in pairs if kid and secret}


def mint(secret: str, kid: str, *, now: datetime) -> str:
    """Return a token of nobody that lives for a minute, signed with a key."""
    issued = int(now.timestamp())
    claims = {"sub": NOBODY, "iss": ISSUER, "iat": issued, "exp": issued + LIFE_S}
    signed = f"{_part({'alg': 'HS256', 'kid': kid})}.{_part(claims)}"
    return f"{signed}.{_encoded(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def _part(value: object) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
