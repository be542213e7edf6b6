"""What PostgreSQL keeps in place of a password, held against one.

Source: RFC 5802 and 7677; postgresql.org/docs/15/catalog-pg-authid.html.
"""

import base64
import binascii
import hashlib
import hmac
import re

VERIFIER = re.compile(r"SCRAM-SHA-256\$(?P<rounds>\d+):(?P<salt>[^$]+)\$(?P<stored>[^:]+):(?P<server>.+)")


def matches(verifier: str, password: str) -> bool | None:
    """Whether the server would accept a password; None where that cannot be told.

    Args:
        verifier: Of `pg_authid.rolpassword`.
        password: In letters of ASCII; others would have to be normalised first.
    """
    found = VERIFIER.fullmatch(verifier)
    if found is None or not password.isascii():
        return None
    try:
        salt, stored = (base64.b64decode(found[name], validate=True) for name in ("salt", "stored"))
    except binascii.Error:
        return None
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, int(found["rounds"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), stored)
