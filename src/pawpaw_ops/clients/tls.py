"""Certificates: read from a file's text, and taken from whoever serves one."""

import socket
import ssl

from cryptography import x509
from cryptography.x509.extensions import ExtensionNotFound

from pawpaw_ops.errors import Unreachable, VerificationError
from pawpaw_ops.models.certificate import Certificate

TIMEOUT_S = 10.0


def parse_chain(pem: str) -> Certificate:
    """Return the first certificate of a chain, which is the server's own.

    Raises:
        VerificationError: It is none.
    """
    try:
        found = x509.load_pem_x509_certificates(pem.encode())[0]
    except ValueError as seen:
        raise VerificationError(f"a certificate cannot be read: {seen}.") from seen
    return _certificate(found)


def served(address: str, port: int, name: str) -> Certificate:
    """Return the certificate that a server shows to those who ask for *name*. Whether anybody trusts it is not asked.

    Raises:
        Unreachable: Nobody answers, or not in TLS.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=name) as conn,
        ):
            raw = conn.getpeercert(binary_form=True)
    except OSError as seen:
        raise Unreachable(f"asked {address}:{port} for the certificate of {name} and got none: {seen}.") from seen
    assert raw is not None
    return _certificate(x509.load_der_x509_certificate(raw))


def _certificate(found: x509.Certificate) -> Certificate:
    try:
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(alternative.get_values_for_type(x509.DNSName))
    except ExtensionNotFound:
        names = ()
    return Certificate(
        serial=f"{found.serial_number:x}",
        names=names,
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        self_signed=found.issuer == found.subject,
    )
