"""Certificates as text, and servers that show none."""

import socket

import pytest

from pawpaw_ops.clients import tls
from pawpaw_ops.errors import Unreachable, VerificationError


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_certificates_TLS_02_what_is_no_certificate_is_told(text: str) -> None:
    with pytest.raises(VerificationError, match="cannot be read"):
        tls.parse_chain(text)


def test_certificates_TLS_02_a_server_that_is_not_there_shows_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable, match=r"shop\.example\.com"):
        tls.served("127.0.0.1", port, "shop.example.com")
