"""When an authority wants a certificate renewed, asked of a server that speaks as RFC 9773 says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pawpaw_ops.clients.authority import renewal_time
from pawpaw_ops.errors import Unreachable
from pawpaw_ops.models.certificate import WantedCertificate
from tests.loopback import JsonHandler, served

NOW = datetime.now(UTC)
START = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
ISSUER = bytes.fromhex("69885b6b87464041e1b37b847bd0ae2cdeadbeef")
SERIAL = 0x8765432112345678
PATH = "aYhba4dGQEHhs3uEe9CuLN6tvu8.AIdlQyESNFZ4"
"""Its issuer's key and its number, as RFC 9773 section 4.1 spells the example that has both."""


class Authority(JsonHandler):
    """Has a directory, and says of one certificate when it is to be renewed."""

    answers: dict[str, Any]

    def do_GET(self) -> None:
        found = self.answers.get(self.path)
        self.say(200 if found is not None else 404, found)


@pytest.fixture
def answers() -> dict[str, Any]:
    return {}


@pytest.fixture
def wanted(answers: dict[str, Any]) -> Iterator[WantedCertificate]:
    with served(ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Authority,), {"answers": answers}))) as port:
        url = f"http://127.0.0.1:{port}"
        answers["/dir"] = {"newNonce": f"{url}/nonce", "renewalInfo": f"{url}/renewal"}
        yield WantedCertificate(names=("shop.example.com",), directory=f"{url}/dir")


@pytest.fixture(scope="module")
def pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(SERIAL)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=89))
        .add_extension(x509.AuthorityKeyIdentifier(ISSUER, None, None), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_certificates_TLS_06_the_window_that_an_authority_names_is_heard(
    wanted: WantedCertificate, answers: dict[str, Any], pem: str
) -> None:
    end = START + timedelta(hours=1)
    answers[f"/renewal/{PATH}"] = {"suggestedWindow": {"start": START.isoformat(), "end": end.isoformat()}}
    at = renewal_time(wanted, pem)
    assert at is not None
    assert START <= at <= end


def test_certificates_TLS_06_an_authority_that_names_none_says_nothing(
    wanted: WantedCertificate, answers: dict[str, Any], pem: str
) -> None:
    del answers["/dir"]["renewalInfo"]
    assert renewal_time(wanted, pem) is None


def test_certificates_TLS_04_an_authority_that_is_away_or_broken_is_told(
    wanted: WantedCertificate, answers: dict[str, Any], pem: str
) -> None:
    with pytest.raises(Unreachable, match="is to be renewed"):
        renewal_time(wanted, pem)
    with pytest.raises(Unreachable, match="is to be renewed"):
        renewal_time(wanted.model_copy(update={"directory": "http://127.0.0.1:9/dir"}), pem)
    for nonsense in ({}, {"suggestedWindow": {"start": "soon", "end": "later"}}):
        answers[f"/renewal/{PATH}"] = nonsense
        with pytest.raises(Unreachable, match="is to be renewed"):
            renewal_time(wanted, pem)
