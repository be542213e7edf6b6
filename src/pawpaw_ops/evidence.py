"""Evidence of a drill: its record in one spelling, signed with a key that only the holder of the age identity has.

The Ed25519 key is derived from the age secret key (HKDF-SHA256), so that there is no second secret to keep. Whoever has
the public key can check a record; whoever has not only sees that it was not edited since *somebody* signed it.
"""

import base64
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr, ValidationError

from pawpaw_ops import age
from pawpaw_ops.errors import ConfigError, VerificationError
from pawpaw_ops.plans.ladder import DrillRecord

FORMAT = "pawpaw-ops drill evidence 1"
KEY_BYTES = 32
_CHANGED = "the evidence was changed since it was signed."
_HINT = "Do not rely on it; run drill-restore again."


def public_key(identity: SecretStr) -> str:
    """Return the public key that checks what *identity* signed: `ed25519:` and 43 letters and digits.

    Raises:
        ConfigError: *identity* is no age secret key.
    """
    return _spell(_private_key(identity).public_key())


def sign(record: DrillRecord, identity: SecretStr) -> bytes:
    """Return the record as signed JSON.

    Raises:
        ConfigError: *identity* is no age secret key.
    """
    private = _private_key(identity)
    body = {"format": FORMAT, "key": _spell(private.public_key()), "record": record.model_dump(mode="json")}
    signature = base64.b64encode(private.sign(_canonical(body))).decode()
    return _written(body | {"signature": signature})


def verify(raw: bytes, *, key: str = "") -> DrillRecord:
    """Check signed evidence and return its record.

    Args:
        raw: What `sign` made.
        key: The public key that must have signed it; empty takes the one in the evidence, which proves only that
            nothing was edited since.

    Raises:
        VerificationError: It was edited, is no evidence, or another key signed it.
        ConfigError: *key* is no public key.
    """
    wanted = _spell(_read_key(key)) if key else ""
    try:
        body = json.loads(raw)
        signature = base64.b64decode(body["signature"], validate=True)
        edited = raw != _written(body | {"signature": base64.b64encode(signature).decode()})
        del body["signature"]
        signer = _read_key(body["key"])
        signer.verify(signature, _canonical(body))
        record = DrillRecord.model_validate(body["record"])
    except (ValueError, KeyError, TypeError, AttributeError, ConfigError, ValidationError) as seen:
        raise VerificationError(f"this is no evidence of a drill: {type(seen).__name__}.", hint=_HINT) from seen
    except InvalidSignature as seen:
        raise VerificationError(_CHANGED, hint=_HINT) from seen
    if edited:
        raise VerificationError(_CHANGED, hint=_HINT)
    if set(body) != {"format", "key", "record"} or body["format"] != FORMAT:
        raise VerificationError("the evidence is of a format that this version does not know.", hint=_HINT)
    if wanted and wanted != body["key"]:
        raise VerificationError(f"the evidence was signed by {body['key']}, wanted was {wanted}.", hint=_HINT)
    return record


def _private_key(identity: SecretStr) -> Ed25519PrivateKey:
    words = str(age.identity(identity)).upper().encode()
    derive = HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=FORMAT.encode())
    return Ed25519PrivateKey.from_private_bytes(derive.derive(words))


def _spell(key: Ed25519PublicKey) -> str:
    return "ed25519:" + base64.urlsafe_b64encode(key.public_bytes_raw()).decode().rstrip("=")


def _read_key(text: str) -> Ed25519PublicKey:
    encoded = text.removeprefix("ed25519:")
    try:
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except ValueError as seen:
        raise ConfigError(f"{text!r} is not a public key of evidence.", hint="It begins with ed25519: .") from seen


def _written(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def _canonical(body: object) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
