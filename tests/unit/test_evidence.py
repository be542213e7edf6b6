"""E6: the record of a drill is signed, and any edit of it is found."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from pyrage import x25519

from pawpaw_ops import evidence
from pawpaw_ops.errors import ConfigError, VerificationError
from tests.unit.support_drills import record

IDENTITY, OTHER = (SecretStr(str(x25519.Identity.generate())) for _ in range(2))
SIGNED = evidence.sign(record(), IDENTITY)


def test_E6_what_was_signed_is_read_back() -> None:
    assert evidence.verify(SIGNED) == record()
    assert evidence.verify(SIGNED, key=evidence.public_key(IDENTITY)) == record()
    assert evidence.sign(record(), IDENTITY) == SIGNED


def test_E6_the_key_comes_from_the_identity_alone() -> None:
    """The same identity in small letters is the same key; another one is another."""
    small = SecretStr(IDENTITY.get_secret_value().lower())
    assert evidence.public_key(IDENTITY) == evidence.public_key(SecretStr(f" {IDENTITY.get_secret_value()}\n"))
    assert evidence.public_key(small) == evidence.public_key(IDENTITY)
    assert evidence.public_key(OTHER) != evidence.public_key(IDENTITY)
    assert IDENTITY.get_secret_value() not in SIGNED.decode()


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_E6_any_changed_byte_is_found(at: int, bits: int) -> None:
    edited = bytearray(SIGNED)
    edited[at] ^= bits
    with pytest.raises(VerificationError):
        evidence.verify(bytes(edited))


def test_E6_any_flipped_bit_of_the_signature_is_found() -> None:
    """Also the bits of base64 that stand for nothing."""
    start = SIGNED.index(b'"signature"')
    for at in range(start, len(SIGNED)):
        for bit in range(8):
            edited = bytearray(SIGNED)
            edited[at] ^= 1 << bit
            with pytest.raises(VerificationError):
                evidence.verify(bytes(edited))


@given(st.integers(0, len(SIGNED)), st.sampled_from([b" ", b"\n", b"0", b'"', b"}"]))
def test_E6_any_added_byte_is_found(at: int, more: bytes) -> None:
    with pytest.raises(VerificationError):
        evidence.verify(SIGNED[:at] + more + SIGNED[at:])


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"null", b'{"key": 1, "signature": ""}', SIGNED[:-1], b"\xff"])
def test_E6_what_is_no_evidence_is_refused(raw: bytes) -> None:
    with pytest.raises(VerificationError):
        evidence.verify(raw)


def test_E6_a_record_signed_by_somebody_else_is_refused_where_the_key_is_known() -> None:
    forged = evidence.sign(record(rows=0), OTHER)
    assert evidence.verify(forged).rows == 0
    with pytest.raises(VerificationError, match="was signed by ed25519:"):
        evidence.verify(forged, key=evidence.public_key(IDENTITY))


def test_E6_a_signature_does_not_fit_another_record() -> None:
    swapped = json.loads(SIGNED) | {"signature": json.loads(evidence.sign(record(rows=1), IDENTITY))["signature"]}
    with pytest.raises(VerificationError, match="changed since it was signed"):
        evidence.verify(json.dumps(swapped, ensure_ascii=False, indent=1).encode())


def test_a_wrong_key_is_a_mistake_of_ours() -> None:
    with pytest.raises(ConfigError, match="is not a public key of evidence"):
        evidence.verify(SIGNED, key="ed25519:abc")
    with pytest.raises(ConfigError):
        evidence.public_key(SecretStr("no key"))
