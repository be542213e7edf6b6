"""What a certificate's authority says of it: when it wants it renewed (ARI, RFC 9773)."""

from datetime import datetime

from acme.client import ClientNetwork, ClientV2
from acme.errors import Error
from cryptography.x509.extensions import ExtensionNotFound
from josepy.errors import Error as NoSuchShape

from pawpaw_ops.errors import Unreachable
from pawpaw_ops.models.certificate import WantedCertificate

TIMEOUT_S = 10


def renewal_time(wanted: WantedCertificate, pem: str) -> datetime | None:
    """Return a moment in the window in which the authority wants a certificate to be renewed.

    Args:
        wanted: The authority.
        pem: The certificate, or its chain.

    Returns:
        None where the authority says nothing of that.

    Raises:
        Unreachable: It does not answer, not as it should, or knows nothing of the certificate.

    Source: acme-python.readthedocs.io/en/stable/api/client.html, `renewal_time`; it is told to
        anybody, so that neither an account nor its key is needed.
    """
    # The type says bool; it is handed to requests, where a file with the authority's own certificate may stand.
    net = ClientNetwork(verify_ssl=wanted.ca_bundle or True, timeout=TIMEOUT_S)  # type: ignore[arg-type]
    try:
        at, _ = ClientV2(ClientV2.get_directory(wanted.directory, net), net).renewal_time(pem.encode())
    except (Error, NoSuchShape, ExtensionNotFound, OSError, ValueError) as seen:
        raise Unreachable(f"asked {wanted.directory} when the certificate is to be renewed: {seen}.") from seen
    return at
